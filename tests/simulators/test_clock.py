"""A station's clock: compressed it jumps, live it runs."""

from datetime import timedelta

from simulators.clock import StationClock
from tests.simulators.talk import T0


def test_compressed_clock_jumps_forward_only() -> None:
    """It shows what it was set to."""
    clock = StationClock(T0)
    clock.jump(T0 + timedelta(hours=1))
    clock.jump(T0)
    assert clock.now() == T0 + timedelta(hours=1)
    assert clock.real_s(T0 + timedelta(days=1)) == 0


def test_live_clock_runs_at_its_speed() -> None:
    """Ten seconds at speed 60 are ten minutes."""
    real = [100.0]
    clock = StationClock(T0, lambda: real[0])
    clock.go_live(T0, speed=60)
    real[0] += 10
    assert clock.now() == T0 + timedelta(minutes=10)
    assert clock.real_s(T0 + timedelta(minutes=11)) == 1
    assert clock.real_s(T0) == 0


def test_going_live_never_goes_back() -> None:
    """A clock that is ahead stays ahead."""
    clock = StationClock(T0, lambda: 0.0)
    clock.go_live(T0 - timedelta(hours=1))
    assert clock.now() == T0
