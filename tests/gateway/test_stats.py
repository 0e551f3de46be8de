"""What the gateway counts."""

import msgspec

from csms.gateway.stats import LATENCY_BOUNDS_S, MOST_NOTED, GatewayStats, Told


def test_latency_goes_into_its_bucket() -> None:
    """Bounds are inclusive; what is beyond the last one is counted too."""
    stats = GatewayStats()
    for seconds in (0.0005, 0.001, 0.0011, 100.0):
        stats.answered("Heartbeat", seconds)

    assert stats.messages["Heartbeat", "answered"] == 4
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


def test_refused_credentials_are_counted_for_a_while() -> None:
    """By station; those of long ago, and of very many stations, are forgotten."""
    stats = GatewayStats()
    for at in (1.0, 5.0, 6.0):
        stats.login_refused("CS-1", at)
    stats.login_refused("CS-2", 2.0)

    assert dict(stats.refused_since(5.0)) == {"CS-1": 2}
    for n in range(2_000):
        stats.login_refused(f"X-{n}", 9.0)
    assert len(dict(stats.refused_since(0.0))) == 1_000


def test_several_processes_are_added_up() -> None:
    """Every counter, as each has told it; the sum replaces what was summed before."""
    one, other, both = GatewayStats(), GatewayStats(), GatewayStats()
    one.answered("Heartbeat", 0.0005)
    one.takeovers, one.closes[1000] = 2, 5
    other.answered("Heartbeat", 100.0)
    other.handshakes["opened"] += 3

    for _ in range(2):
        both.become(msgspec.msgpack.decode(msgspec.msgpack.encode(s.told()), type=Told) for s in (one, other))

        assert both.messages == {("Heartbeat", "answered"): 2}
        assert (both.latency[0], both.latency[-1]) == (1, 1)
        assert (both.takeovers, both.closes, both.handshakes) == (2, {1000: 5}, {"opened": 3})


def test_refused_logins_are_told_once() -> None:
    """Since the last time; the oldest identities are left out beyond a bound."""
    stats = GatewayStats()
    for at in (1.0, 2.0, 3.0):
        stats.login_refused("CS-1", at)
    stats.login_refused("CS-2", 3.5)

    assert sorted(stats.refusals_since(2.0)) == [("CS-1", 2.0), ("CS-1", 3.0), ("CS-2", 3.5)]
    assert stats.refusals_since(4.0) == []
