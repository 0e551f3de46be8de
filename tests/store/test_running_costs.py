"""What a session under way costs, by the tariff as it was last written."""

from decimal import Decimal

from csms.store.database import Database
from csms.store.running_costs import RunningCosts
from csms.store.tariffs import PlaceForm, TariffStore, VersionForm
from tests.domain.prices import BEIJING
from tests.store.given import HOUR, MINUTE, OPERATOR, T0, a_session, stations


async def test_the_cost_so_far(database: Database) -> None:
    """None without a tariff; with one, what has flowed at the price of its time (18:00 in China: peak)."""
    (station,) = await stations(database)
    session = a_session(station, energy_wh=10_000, last_event_at=T0 + 10 * MINUTE)
    costs, tariffs = RunningCosts(database), TariffStore(database)

    before = await costs.of(session)
    await tariffs.add(OPERATOR, "BJ", "Beijing", VersionForm(BEIJING, T0 - HOUR), T0)
    unassigned = await costs.of(session)
    await tariffs.assign("BJ", OPERATOR, PlaceForm(station="CS-0001", evse=1, connector=1), T0 - HOUR, T0)
    cost = await costs.of(session)
    unknown = await costs.of(session._replace(energy_wh=None))
    elsewhere = await costs.of(session._replace(evse=2))

    assert (before, unassigned, unknown, elsewhere) == (None, None, None, None)
    assert cost is not None
    assert (cost.elec_money, cost.service_money) == (Decimal("11.91"), Decimal("8.00"))
    assert sum(line.energy_wh for line in cost.lines) == 10_000
