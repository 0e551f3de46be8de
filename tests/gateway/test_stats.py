"""What the gateway counts."""

from csms.gateway.stats import LATENCY_BOUNDS_S, MOST_NOTED, GatewayStats


def test_latency_goes_into_its_bucket() -> None:
    """Bounds are inclusive; what is beyond the last one is counted too."""
    stats = GatewayStats()
    for seconds in (0.0005, 0.001, 0.0011, 100.0):
        stats.observe(seconds)

    assert stats.latency[0] == 2
    assert stats.latency[1] == 1
    assert stats.latency[len(LATENCY_BOUNDS_S)] == 1
    assert round(stats.latency_sum_s, 4) == 100.0026


def test_things_are_said_once() -> None:
    """For each station and thing, in bounded memory."""
    stats = GatewayStats()

    assert stats.is_first("CS-1", "Nonsense")
    assert not stats.is_first("CS-1", "Nonsense")
    assert stats.is_first("CS-2", "Nonsense")
    for n in range(MOST_NOTED):
        stats.is_first("CS-3", str(n))
    assert stats.is_first("CS-1", "Nonsense")
