"""Overview: today against yesterday, alarms, cities."""

from datetime import timedelta

from csms.console.desk import Refused
from csms.console.pages.overview import alarm_panel, by_hour, city_panel, compared
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, visit_of


async def test_the_same_hours_of_yesterday(desk: Desk) -> None:
    """Hours by the local clock, of today and yesterday apart; the hour that runs is not counted."""
    visit = await visit_of(desk)
    now = visit.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    hours = [
        {"start": (midnight - timedelta(days=1)).isoformat(), "energy_wh": 2000, "sessions": 2},
        {"start": midnight.isoformat(), "energy_wh": 3000, "sessions": 1},
        {"start": now.replace(minute=0).isoformat(), "energy_wh": 9_000_000, "sessions": 900},
    ]
    day = by_hour(visit, hours, "energy_wh", midnight)
    before = by_hour(visit, hours, "energy_wh", midnight - timedelta(hours=1))

    assert before[0] == 2000
    assert (day[0] or 0) >= 3000
    assert before[1:] == [None] * 23
    shown = compared(visit, hours, midnight)
    if now.hour:
        assert "+50%" in shown
        assert "9,003.00" not in shown


async def test_alarms_and_cities(desk: Desk) -> None:
    """What is wrong; a part that cannot be read says so; what stations wrote is text."""
    visit = await visit_of(desk)
    alarm = {"severity": "major", "kind": HOSTILE, "subject": HOSTILE}

    assert "<img" not in alarm_panel(visit, {"items": [alarm]})
    assert visit.words["no_alarms"] in alarm_panel(visit, {"items": []})
    assert "does not offer this yet" in alarm_panel(visit, None)
    assert "beijing" in city_panel(visit, await visit.desk.get("/platforms"))
    assert 'role="alert"' in city_panel(visit, Refused(503, {}))
