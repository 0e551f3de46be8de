"""What is added when a record is told, and what follows: over each database."""

from datetime import UTC, datetime
from typing import Any

import pytest

from csms.domain.assets import ConnectorStatus
from csms.domain.events import ConnectorStatusChanged
from csms.domain.meter import Reading
from csms.reporting.desk import PlatformDesk
from csms.reporting.tcec.messages import message, read
from csms.store.database import Database
from csms.store.disputes import DisputeStore
from csms.store.live_states import LiveStates
from csms.store.outbox import OutboxEntry
from csms.store.records import ConnectorStateRow
from csms.store.writer import Write, Writer
from tests.reporting.cityparts import FakeInventory, route_of, site_there
from tests.reporting.parts import MINUTE, T0, Clock, Told, order, services_of, sites
from tests.store.given import told_row

STATUS = {
    "operator_id": "123456789", "identity": "S01-1", "evse": 1, "connector": 1, "status": "charging",
    "at": "2026-01-05T10:00:00Z",
}  # fmt: skip


def entry(kind: str, payload: dict[str, Any]) -> OutboxEntry:
    return OutboxEntry(1, "city", kind, "k", "a", payload, 1, T0)


def desk(
    database: Database, profile: str, clock: Clock, inventory: FakeInventory | None = None, **other: Any
) -> tuple[PlatformDesk, Any]:
    route = route_of(profile, clock, inventory, **{k: v for k, v in other.items() if k == "only"})
    made = PlatformDesk(
        "city", route.profile, route.places, LiveStates(database), DisputeStore(database), clock,
        other.get("seq_of"),
    )  # fmt: skip
    return made, route.profile


async def test_the_citys_names(database: Database, clock: Clock) -> None:
    """Station, equipment and connector as the inventory has them."""
    made, profile = desk(database, "beijing", clock, FakeInventory({1: site_there(1, ["S01-1"])}))

    payload = await made.complete(entry("charge-order", order()))

    assert payload is not None
    text = message(read("charge-order", payload), profile).text
    assert '"ConnectorID":"C-S01-1"' in text
    assert '"StationID":"ST-1","EquipmentID":"EQ-S01-1"' in text


async def test_a_site_that_is_not_told(database: Database, clock: Clock) -> None:
    """Neither its orders nor its hours."""
    inventory = FakeInventory({1: site_there(1, ["S01-1"])})
    made, _ = desk(database, "beijing", clock, inventory, only=["S77"])

    assert await made.complete(entry("charge-order", order())) is None
    assert await made.complete(entry("hour-total", {"site_code": "S01"})) is None
    assert await made.complete(entry("order-check", {"orders": []})) is not None


@pytest.mark.parametrize("kind", ["charge-order", "alarm"])
async def test_equipment_that_has_retired_since(database: Database, clock: Clock, kind: str) -> None:
    """What happened there is told; a connector's state is not."""
    site = site_there(1, ["S01-1"], subsidised=True, retired_at=T0)
    made, _ = desk(database, "beijing", clock, FakeInventory({1: site}), only=["S01"])
    payload = order(ended_at="2026-01-05T09:00:00Z", at="2026-01-05T09:00:00Z")

    told = await made.complete(entry(kind, payload))

    assert told is not None
    assert told["place"]["equipment_id"] == "EQ-S01-1"
    assert await made.complete(entry("connector-status", STATUS)) is None


async def test_a_session_the_platform_started(database: Database, clock: Clock) -> None:
    """Goes by the name it gave."""

    async def seq_of(platform: str, session_id: int) -> str | None:
        return "9" * 27 if (platform, session_id) == ("city", 1) else None

    made, _ = desk(database, "beijing", clock, seq_of=seq_of)

    own = await made.complete(entry("charge-order", order(1)))
    other = await made.complete(entry("charge-order", order(2)))
    assert own is not None
    assert other is not None
    assert (own["start_charge_seq"], other["start_charge_seq"]) == ("9" * 27, order(2)["start_charge_seq"])


async def test_currents_with_the_status(database: Database, writer: Writer, clock: Clock) -> None:
    """Where the platform wants them."""
    services = services_of(database, writer, clock)
    (station,) = await sites(services)
    session = Told(services, station, 42)
    await session.start(T0)
    await session.meter(T0, 1500)
    event = ConnectorStatusChanged(1, 1, ConnectorStatus.CHARGING, T0)
    row = told_row(42, [Reading(T0, "current.import", 16_000)], T0)
    await writer.write(
        Write(station.station_id, 0, [ConnectorStateRow.of(station.station_id, event, T0), row])
    )
    clock.move(MINUTE)

    made, profile = desk(database, "shenzhen", clock)
    payload = await made.complete(entry("connector-status", STATUS))
    assert payload is not None
    text = message(read("connector-status", payload), profile).text
    assert '"CurrentA":16.0' in text
    assert '"ChargeElectricity":0.50' in text

    plain, _ = desk(database, "beijing", clock)
    assert "live" not in (await plain.complete(entry("connector-status", STATUS)) or {})


async def test_what_is_disputed_of_a_day(database: Database, clock: Clock) -> None:
    """Kept with our own figures; the answer to another kind says nothing here."""
    made, _ = desk(database, "beijing", clock)
    payload = {
        "start": datetime(2026, 1, 4, 16, tzinfo=UTC).isoformat(),
        "orders": [{"start_charge_seq": "A", "energy_wh": 1000, "money": "1.00"}],
    }
    answer = {
        "DisputeOrders": [{"StartChargeSeq": "A", "TotalPower": 2, "TotalMoney": 3, "DisputeReason": 1}]
    }

    await made.delivered(entry("charge-order", order()), answer)
    assert await DisputeStore(database).open_disputes() == {}
    await made.delivered(entry("order-check", payload), answer)

    (one,) = (await DisputeStore(database).disputes("city", True)).items
    assert (one["about"], one["source"], one["their_power"]) == ("2026-01-05", "order-check", "2")
    assert (one["our_energy_wh"], one["our_money"]) == (1000, "1.00")
