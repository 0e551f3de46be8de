"""Who may knock, and how often; the clock is a list of one number."""

import pytest

from csms.config import GatewaySettings
from csms.gateway.admission import MOST_KEYS, Admission, Limiter, address_key


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def admission(clock: Clock, **settings: object) -> Admission:
    return Admission(GatewaySettings(**settings), clock)


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    """Five at once, then one every two seconds."""
    limiter = Limiter(per_s=0.5, burst=5)

    assert [limiter.wait("a", 0.0) for _ in range(5)] == [0.0] * 5
    assert limiter.wait("a", 0.0) == pytest.approx(2.0)
    assert limiter.wait("a", 1.0) == pytest.approx(1.0)
    assert limiter.wait("a", 2.0) == 0.0
    assert limiter.wait("a", 2.0) > 0.0


def test_keys_do_not_disturb_each_other() -> None:
    """A busy address leaves the next one alone."""
    limiter = Limiter(per_s=1, burst=1)

    assert limiter.wait("a", 0.0) == 0.0
    assert limiter.wait("a", 0.0) > 0.0
    assert limiter.wait("b", 0.0) == 0.0


def test_looking_counts_nothing() -> None:
    """`left` tells what `wait` would say."""
    limiter = Limiter(per_s=1, burst=1)

    assert limiter.left("a", 0.0) == 0.0
    limiter.wait("a", 0.0)
    assert limiter.left("a", 0.0) == pytest.approx(1.0)
    assert limiter.left("a", 1.0) == 0.0


def test_memory_is_bounded() -> None:
    """The keys longest unused are forgotten first."""
    limiter = Limiter(per_s=1, burst=1, most_keys=10)

    for n in range(1000):
        limiter.wait(str(n), 0.0)

    assert len(limiter) == 10


def test_sockets_that_show_nothing_are_counted(clock: Clock) -> None:
    """W12: one address may hold a fifth of all, and nobody more than all."""
    door = admission(clock, max_unauthenticated=10)

    assert [door.enter("a") for _ in range(3)] == [True, True, False]
    assert all(door.enter(str(n)) for n in range(8))
    assert not door.enter("late")
    door.leave("a")
    assert door.unauthenticated == 9
    assert door.enter("late")


def test_h24_who_guesses_locks_himself_out(clock: Clock) -> None:
    """H24: after ten failures the pair of identity and address waits a minute; others do not."""
    door = admission(clock)

    for _ in range(11):
        assert door.wait_of_login("CS-1", "bad") == 0.0
        door.login_failed("CS-1", "bad")

    assert door.wait_of_login("CS-1", "bad") == pytest.approx(60.0)
    assert door.wait_of_login("CS-1", "good") == 0.0
    assert door.wait_of_login("CS-2", "bad") == 0.0
    clock.now += 60.1
    assert door.wait_of_login("CS-1", "bad") == 0.0


def test_h24_a_station_keeps_its_way_in_behind_nat(clock: Clock) -> None:
    """H24: the guesser may share the station's address; where the station came from, it may come again."""
    door = admission(clock)
    door.login_worked("CS-1", "nat")

    for _ in range(100):
        door.login_failed("CS-1", "nat")

    assert door.wait_of_login("CS-1", "nat") == 0.0


def test_addresses_are_limited(clock: Clock) -> None:
    """50 handshakes a second after a burst of 200."""
    door = admission(clock)

    assert all(door.wait_of_address("a") == 0.0 for _ in range(200))
    assert door.wait_of_address("a") == pytest.approx(0.02)
    clock.now += 1
    assert sum(door.wait_of_address("a") == 0.0 for _ in range(100)) == 50


def test_identities_are_limited(clock: Clock) -> None:
    """Five connections at once, then one every two seconds."""
    door = admission(clock)

    assert all(door.wait_of_identity("CS-1") == 0.0 for _ in range(5))
    assert door.wait_of_identity("CS-1") == pytest.approx(2.0)


def test_a_penalty_passes(clock: Clock) -> None:
    """Who broke the protocol waits a minute."""
    door = admission(clock)
    door.penalize("CS-1")

    assert door.penalty_of("CS-1") == pytest.approx(60.0)
    assert door.penalty_of("CS-2") == 0.0
    clock.now += 61
    assert door.penalty_of("CS-1") == 0.0


def test_h34_takeovers_make_an_alarm(clock: Clock) -> None:
    """H34: the sixth within ten minutes, and then the next six; slow ones never."""
    door = admission(clock)

    assert [door.taken_over("CS-1") for _ in range(12)] == [False] * 5 + [True] + [False] * 5 + [True]
    slow = []
    for _ in range(20):
        clock.now += 130
        slow.append(door.taken_over("CS-2"))
    assert not any(slow)


def test_penalties_and_failures_are_bounded(clock: Clock) -> None:
    """An attacker's many names do not fill the memory."""
    door = admission(clock)

    for n in range(MOST_KEYS + 500):
        door.penalize(str(n))

    assert door.penalty_of("0") == 0.0
    assert door.penalty_of(str(MOST_KEYS + 499)) > 0.0


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1::7", "20010db800000001"),
        ("2001:db8:0:1:ffff::1", "20010db800000001"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80000000000000"),
    ],
)
def test_an_ipv6_network_is_one_sender(host: str, key: str) -> None:
    """Whoever has an IPv6 address has 2^64 of them."""
    assert address_key(host) == key
