"""Who fails waits longer each time; who succeeds is forgiven; memory stays bounded."""

from datetime import UTC, datetime, timedelta

import pytest

from csms.api.throttle import ANYWHERE, FADES_S, FREE, HERE, MOST, NETWORK, Throttle, network_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOME, OFFICE = "192.0.2.1", "198.51.100.7"


def waits_of(throttle: Throttle, times: int) -> tuple[list[int], datetime]:
    """How long each of that many failing attempts had to wait, and the time after the last."""
    now, waits = NOW, []
    for _ in range(times):
        waits.append(throttle.book(now, "li", HOME))
        if waits[-1]:
            now += timedelta(seconds=waits[-1])
            assert throttle.book(now, "li", HOME) == 0
    return waits, now


def test_pauses_grow() -> None:
    """Some failures are free; then 2, 4, 8 s, at most a quarter of an hour."""
    waits, _ = waits_of(Throttle(), FREE + 40)

    assert waits[: FREE + 4] == [0] * FREE + [2, 4, 8, 16]
    assert max(waits) == HERE.longest_s


def test_many_at_once_are_many_in_a_row() -> None:
    """An attempt counts before it is known to be wrong; one that nobody looked at counts no more."""
    throttle = Throttle()
    let_in = [throttle.book(NOW, "li", HOME) for _ in range(60)].count(0)
    throttle.give_back("li", HOME)

    assert let_in == FREE
    assert throttle.book(NOW, "li", HOME) == 0


def test_nobody_keeps_a_known_person_out() -> None:
    """Failures elsewhere, for a whole day, leave the person's own network alone."""
    throttle = Throttle()
    now, until = NOW, NOW + timedelta(days=1)
    while now < until:
        now += timedelta(seconds=throttle.book(now, "li", HOME) or 1)

    assert throttle.book(now, "li", OFFICE) == 0


def test_a_name_from_anywhere_waits_a_little() -> None:
    """Guesses from many networks are slowed down together, and never for long."""
    throttle = Throttle()
    waits = [throttle.book(NOW, "li", f"192.0.2.{number}") for number in range(ANYWHERE.free + 1)]
    for number in range(20):
        throttle.book(NOW + timedelta(minutes=number), "li", f"198.51.100.{number}")

    assert waits == [0] * ANYWHERE.free + [2]
    assert 0 < throttle.book(NOW + timedelta(minutes=19), "li", OFFICE) <= ANYWHERE.longest_s


def test_one_network_waits_whatever_the_names() -> None:
    """Signing in oneself is no way to go on guessing at others."""
    throttle = Throttle()
    for number in range(NETWORK.free):
        assert throttle.book(NOW, f"name-{number}", "2001:db8::1") == 0
    throttle.forgive("name-0", "2001:db8::2")

    assert throttle.book(NOW, "mine", "2001:db8::3") == 0
    assert throttle.book(NOW, "wang", "2001:db8::4") == 2
    assert throttle.book(NOW, "wang", "2001:db8:0:1::4") == 0


def test_time_and_success_forgive() -> None:
    """A pause ends by itself; signing in ends it at once; with time all is forgotten."""
    throttle = Throttle()
    _, now = waits_of(throttle, FREE + 1)

    assert throttle.book(now + timedelta(seconds=1), "li", HOME) == 3
    throttle.forgive("li", HOME)
    assert throttle.book(now, "li", HOME) == 0
    now = waits_of(throttle, FREE)[1] + timedelta(seconds=FADES_S * (FREE + 2))
    assert [throttle.book(now, "li", HOME) for _ in range(FREE)] == [0] * FREE


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_network_of(address: str, network: str) -> None:
    """What one subscriber has."""
    assert network_of(address) == network


def test_memory_is_bounded() -> None:
    """Whoever failed longest ago is forgotten first, and a long name takes no more than a short one."""
    throttle = Throttle()
    for number in range(MOST // 2):
        throttle.book(NOW, "x" * 1_000 + str(number), f"192.0.{number // 256}.{number % 256}")

    assert len(throttle._failed) == MOST
    assert {len(mark) for mark in throttle._failed} == {32}
