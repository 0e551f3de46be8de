"""What city platforms are owed because of a status, and who is owed it."""

from csms.handlers.context import PlatformRoute
from tests.handlers.kit import OTHER, House


async def test_statuses_of_connectors_only(house: House) -> None:
    """The station as a whole (connector 0) is no connector of the city's."""
    talk = await house.connect()

    await talk.status("Available", evse=0)
    await talk.status("Charging", evse=2)

    ((about, payload),) = await house.owed("connector-status")
    assert about == f"CS-1/2/1/{int(house.at.timestamp() * 1e6)}/charging"
    assert payload == {
        "operator_id": "123456789",
        "identity": "CS-1",
        "evse": 2,
        "connector": 1,
        "status": "charging",
        "at": "2026-01-01T10:00:00.000Z",
    }
    assert await house.owed("connector-status", "orders-only") == []


async def test_nobody_is_owed_anything_without_platforms(house: House) -> None:
    """An operator that no city supervises."""
    alone = House(house.database, house.writer, routes=(PlatformRoute("elsewhere", OTHER),))
    talk = await alone.connect()
    await talk.status("Charging")
    await talk.stop(await talk.start(), 2000)
    await alone.settle()

    assert [await alone.owed(kind, "elsewhere") for kind in ("charge-order", "connector-status")] == [[], []]
