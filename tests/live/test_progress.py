"""Running sessions told every few seconds, with the power since they were told last."""

from typing import Any

from csms.domain.assets import ChargingStation
from csms.domain.charging_session import ChargingSession, evolve
from csms.domain.registers import OUTLET, MeterState, Register
from csms.live.progress import FORGET_AFTER_S, Progress
from csms.store.changes import Whereabouts
from csms.store.jsontext import value_of
from tests.store.given import MINUTE, T0, a_session

STATION = ChargingStation(7, "CS-7", site_id=2, operator_id=3)
PLACES = {7: Whereabouts("CS-7", "123456789", "S01")}


def metered(n: int, mwh: int, number: int = 1) -> ChargingSession:
    meter = MeterState(last_at=T0 + n * MINUTE, total=Register(OUTLET, "", 0, 0, mwh, n + 1))
    return evolve(a_session(STATION, number), meter=meter, energy_wh=mwh // 1000)


class Shown:
    def __init__(self) -> None:
        self.at = 0.0
        self.progress = Progress(5, lambda: self.at)
        self.progress.places = PLACES

    def after(self, seconds: float, *sessions: ChargingSession) -> list[dict[str, Any]]:
        self.at += seconds
        return [value_of(event.body) for event in self.progress.events(sessions)]


def test_power_is_that_of_the_time_between() -> None:
    """7.2 kW: 120 Wh in a minute. Nothing before there are two figures, nor when the register fell."""
    shown = Shown()

    assert shown.after(0, metered(0, 0)) == [{"evse": 1, "connector": 1, "energy_wh": 0, "power_w": None}]
    assert shown.after(4, metered(1, 1)) == []
    assert shown.after(1, metered(2, 240_000))[0]["power_w"] == 7_200
    assert shown.after(5, metered(2, 240_000))[0]["power_w"] is None
    assert shown.after(5, metered(3, 240_000))[0]["power_w"] == 0
    assert shown.after(5, metered(4, 100_000))[0]["power_w"] is None


def test_each_session_has_its_own_time() -> None:
    """And a session without a register is told too."""
    shown = Shown()

    assert len(shown.after(0, metered(0, 0), metered(0, 0, 2))) == 2
    assert len(shown.after(5, metered(1, 5))) == 1
    assert shown.after(0, a_session(STATION, 3))[0]["energy_wh"] is None
    assert len(shown.after(1, metered(1, 5), metered(1, 5, 2))) == 1


def test_a_station_nobody_knows_yet() -> None:
    """Is asked for, and told the next time."""
    shown = Shown()
    shown.progress.places = {}

    assert shown.after(0, metered(0, 0)) == []
    assert shown.progress.is_lost
    shown.progress.places = PLACES
    assert len(shown.after(0, metered(0, 0))) == 1


def test_memory_is_bounded_by_what_runs() -> None:
    """What was not told for long is over."""
    shown = Shown()
    shown.after(0, *(metered(0, 0, number) for number in range(50)))
    shown.after(FORGET_AFTER_S + 1, metered(0, 0, 99))

    assert list(shown.progress._told) == [99]
    shown.progress.forget()
    assert shown.progress._told == {}
