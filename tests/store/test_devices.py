"""What stations are and do, as the API shows it, on both databases."""

import pytest

from csms.domain.assets import ConnectorStatus, OcppVersion
from csms.domain.charging_session import SessionState
from csms.domain.events import ConnectorStatusChanged, StationBooted, VariableReported
from csms.domain.scope import Scope
from csms.errors import InvalidInput
from csms.store.database import Database
from csms.store.devices import DeviceStore, StationFilter
from csms.store.records import ConnectorStateRow, StationBootUpdate, StationEventRow, VariableRow
from csms.store.registry import Registry
from csms.store.writer import Writer
from tests.store.given import MINUTE, OPERATOR, T0, a_session, start_of, stations, write_of


async def test_a_station_as_the_api_gives_it(database: Database) -> None:
    """With its connectors and running sessions."""
    (station,) = await stations(database)
    await Registry(database).raise_epoch(
        station.station_id, now=T0, version=OcppVersion.V16, remote_address="127.0.0.1"
    )
    booted = StationBooted("Vendor", "Model", "SN", "1.2", details={"iccid": "x"})
    status = ConnectorStatusChanged(1, 1, ConnectorStatus.CHARGING, T0, "NoError")
    async with Writer(database, fence=False) as writer:
        await writer.write(
            write_of(
                station,
                StationBootUpdate.of(station, booted, T0 + MINUTE),
                ConnectorStateRow.of(station.station_id, status, T0),
            )
        )
        await writer.write(start_of(station, a_session(station, 5)))
        await writer.write(start_of(station, a_session(station, 4, state=SessionState.ENDED)))

    shown = await DeviceStore(database).shown("CS-0001", Scope(OPERATOR))

    assert shown == {
        "identity": "CS-0001",
        "name": "",
        "labels": {},
        "retired_at": None,
        "operator": OPERATOR,
        "site": "S01",
        "enabled": True,
        "state": "online",
        "ocpp_version": "ocpp1.6",
        "security_profile": 1,
        "vendor": "Vendor",
        "model": "Model",
        "serial_number": "SN",
        "firmware_version": "1.2",
        "boot_status": "accepted",
        "max_power_w": None,
        "last_seen_at": "2026-01-05T10:01:00.000Z",
        "connected_at": "2026-01-05T10:00:00.000Z",
        "disconnected_at": None,
        "remote_address": "127.0.0.1",
        "connectors": [
            {
                "evse": 1,
                "connector": 1,
                "status": "charging",
                "error_code": "NoError",
                "since": "2026-01-05T10:00:00.000Z",
            }
        ],
        "live_sessions": ["5"],
    }
    assert await DeviceStore(database).shown("CS-0001", Scope("000000000")) is None


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (StationFilter(), [1, 2, 3, 4]),
        (StationFilter(state="online"), [1]),
        (StationFilter(state="offline"), [2]),
        (StationFilter(state="never-seen"), [3, 4]),
        (StationFilter(operator=OPERATOR, site="S01"), [1, 2, 3, 4]),
        (StationFilter(operator="x"), []),
        (StationFilter(site="x"), []),
    ],
)
async def test_lists_of_stations(database: Database, wanted: StationFilter, expected: list[int]) -> None:
    """By identity, in whole and by pages of one."""
    one, two, *_ = await stations(database, 4)
    registry = Registry(database)
    await registry.raise_epoch(one.station_id, now=T0)
    epoch = await registry.raise_epoch(two.station_id, now=T0)
    await registry.note_disconnected(two.station_id, epoch, T0)
    store, found, after = DeviceStore(database), [], None

    while True:
        page = await store.find(wanted, after, 1)
        found += [item["identity"] for item in page.items]
        after = page.next
        if after is None:
            break

    assert found == [f"CS-{n:04d}" for n in expected]


async def test_a_state_that_is_none(database: Database) -> None:
    """Said, not ignored."""
    with pytest.raises(InvalidInput):
        await DeviceStore(database).find(StationFilter(state="x"))


async def test_connectors_as_a_connection_remembers_them(database: Database) -> None:
    """Since when they are in their state does not move while it is repeated."""
    (station,) = await stations(database)
    store = DeviceStore(database)
    states = [ConnectorStatus.AVAILABLE, ConnectorStatus.AVAILABLE, ConnectorStatus.FAULTED]
    async with Writer(database) as writer:
        for n, status in enumerate(states):
            event = ConnectorStatusChanged(1, 2, status, T0 + n * MINUTE, "E" if n == 2 else "")
            await writer.write(write_of(station, ConnectorStateRow.of(station.station_id, event, T0)))

    assert await store.connector_states(station.station_id) == {(1, 2): (ConnectorStatus.FAULTED, "E")}
    history = await store.connector_history(station.station_id)
    assert [(row["status"], row["at"]) for row in history] == [
        ("faulted", "2026-01-05T10:02:00.000Z"),
        ("available", "2026-01-05T10:00:00.000Z"),
    ]


async def test_variables_and_events(database: Database) -> None:
    """A variable's newest value; events latest first, page by page."""
    (station,) = await stations(database)
    store = DeviceStore(database)
    told = [VariableReported("C", "V", value=v, characteristics={"unit": "A"}) for v in ("1", "2")]
    events = [StationEventRow.of(station.station_id, "security", T0, T0, {"n": n}) for n in range(5)]
    async with Writer(database) as writer:
        await writer.write(
            write_of(station, *(VariableRow.of(station.station_id, v, T0) for v in told), *events)
        )

    (variable,) = await store.variables(station.station_id)
    first = await store.events(station.station_id, None, 3)
    second = await store.events(station.station_id, first.next, 3, kind="security")

    assert (variable["value"], variable["characteristics"]) == ("2", {"unit": "A"})
    assert [item["details"]["n"] for item in first.items + second.items] == [4, 3, 2, 1, 0]
    assert second.next is None
