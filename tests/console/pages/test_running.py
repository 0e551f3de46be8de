"""Sessions that run: what is shown of one, who may stop it, and what the station is told."""

from csms.console.pages.running import live_figures, stop, stop_button
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, visit_of

SESSION = {
    "session_id": "7", "charging_station": "CS-0001", "state": "active", "id_token": HOSTILE, "evse": 1,
    "connector": 2, "energy_wh": 1_250, "started_at": "2026-01-01T12:00:00Z",
}  # fmt: skip
LINES = [("power.active.import", [("t1", 7_000.0), ("t2", 7_400.2), ("t3", None)]), ("soc", [("t1", 41.6)])]


async def test_figures(desk: Desk) -> None:
    """What was measured last, each with its unit; what was not measured is a dash."""
    visit = await visit_of(desk)

    made = live_figures(visit, SESSION, LINES)
    bare = live_figures(visit, SESSION | {"energy_wh": None}, [])

    for part in ("<b>1.25</b> kWh", "<b>7.4</b> kW", "<b>42</b> %", "1/2", 'href="/sessions/7"'):
        assert part in made
    assert "<img" not in made
    assert "<b>–</b> kW" in bare


async def test_who_may_stop(desk: Desk) -> None:
    """Whoever may command, while it runs; it is asked first."""
    operator, viewer = await visit_of(desk, role="operator"), await visit_of(desk, role="viewer")

    made = str(stop_button(operator, SESSION))

    assert 'data-session="7"' in made
    assert "data-confirm=" in made
    assert "<img" not in made
    assert stop_button(operator, SESSION | {"state": "ended"}) is None
    assert stop_button(viewer, SESSION) is None


async def test_stopping(desk: Desk) -> None:
    """The station of the session is told once; its verdict is shown."""
    number = await desk.add_session(3, station="CS-0001", state="active", ended_at=None)
    visit = await visit_of(desk, role="operator")

    said = await stop(visit, {"station": "CS-0001", "session": str(number)})

    assert [identity for identity, _ in desk.courier.sent] == ["CS-0001"]
    assert visit.words["result_accepted"] in said
