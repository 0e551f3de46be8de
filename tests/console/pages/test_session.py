"""Session: the cost line by line."""

from csms.console.desk import Refused
from csms.console.pages.session import cost_panel
from csms.domain.scope import Scope
from tests.api.conftest import MINE, Desk
from tests.api.test_entry import PASSWORD, person
from tests.console.kit import HOSTILE, fill, running, visit_of

LINE = {
    "start": "2026-01-01T12:00:00Z", "end": "2026-01-01T13:00:00Z", "period": "peak", "energy_wh": 22_500,
    "elec_price": "1.1907", "service_price": "0.8000", "elec_money": "26.79", "service_money": "18.00",
}  # fmt: skip
COST = {
    "tariff": HOSTILE, "tariff_version": 1, "currency": "CNY", "elec_money": "26.79",
    "service_money": "18.00", "idle_money": "0.00", "parking_money": None, "total": "44.79", "lines": [LINE],
}  # fmt: skip


async def test_cost(desk: Desk) -> None:
    """Each period with its prices; the total; why there is none."""
    visit = await visit_of(desk)

    made = cost_panel(visit, {"cost": COST})

    for part in ("peak", "22.500", "1.1907", "26.79", "44.79 CNY", "2026-01-01 20:00:00"):
        assert part in made
    assert "<img" not in made
    assert visit.words["no_cost_do"] in cost_panel(visit, {"cost": None})
    assert 'role="alert"' in cost_panel(visit, Refused(503, {}))


async def test_somebody_of_one_site(sqlite_url: str) -> None:
    """A session of their site is laid out as a whole, also while it runs; one of another is not there."""
    async with running(sqlite_url) as kit:
        await fill(kit.desk)
        await person(kit.desk, "wang", "operator", Scope(MINE, frozenset({"S01"})))
        live = await kit.desk.add_session(2, state="active", ended_at=None)
        ended = await kit.desk.add_session(3, flags=",orphan-stop,")
        other = await kit.desk.add_session(4, station="CS-0002")
        kit.client.cookies.clear()
        await kit.client.post("/sign-in", data={"name": "wang", "password": PASSWORD})
        pages = [await kit.page(f"/sessions/{number}") for number in (live, ended)]
        hidden = await kit.page(f"/sessions/{other}")

    for page in pages:
        assert "CS-0001" in page
        assert 'role="alert"' not in page
    assert "CS-0002" not in hidden
