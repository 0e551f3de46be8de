"""Everything that bears on one session, over HTTP: evidence, revisions, what cities and people did."""

from datetime import timedelta
from typing import Any

from csms.domain.assets import ConnectorStatus as S
from csms.domain.meter import Reading
from csms.store.outbox import Hold
from csms.store.platform_order_tables import platform_orders
from csms.store.records import OutboxRow, StationEventRow
from csms.store.session_rows import SessionRevisionRow
from csms.store.tables import commands
from csms.store.tariff_tables import session_costs
from csms.store.times import micros
from tests.api.conftest import FIRST_SESSION, NOW, OTHER
from tests.store.connector_history import state
from tests.store.given import told_row

START = NOW - timedelta(hours=2)
MINUTE = timedelta(minutes=1)
PATH = f"/api/v1/sessions/{FIRST_SESSION}"


async def fill(desk: Any) -> None:
    """A session with readings, a fault, a reconnection, a remote start and stop, two revisions and orders."""
    number = await desk.add_session(0)
    station = await desk.parts.registry.station("CS-0001")
    told = told_row(number, [Reading(START + MINUTE, "soc", 1000)], START + MINUTE)
    snapshots = ('{"energy_wh":20000,"stop_reason":"no-stop"}', '{"energy_wh":22500,"stop_reason":"local"}')
    await desk.write(
        told,
        state(station, START + 2 * MINUTE, S.FAULTED),
        StationEventRow.of(1, "connected", START + 3 * MINUTE, START + 3 * MINUTE, {"version": "ocpp1.6"}),
        StationEventRow.of(1, "booted", NOW - timedelta(days=1), NOW - timedelta(days=1), {}),
        StationEventRow.of(2, "booted", START, START, {}),
        *(
            SessionRevisionRow(number, n, micros(START + (50 + n) * MINUTE), cause, 22_500, snapshot)
            for n, cause, snapshot in zip((2, 3), ("late-data", "late-stop"), snapshots, strict=True)
        ),
        OutboxRow.of("beijing", "charge-order", str(number), f"{number}/1", {"revision": 1}, START),
        OutboxRow.of("beijing", "charge-order", str(number), f"{number}/2", {"revision": 2}, NOW),
        OutboxRow.of("beijing", "charge-order", "1", "1/1", {}, NOW),
        OutboxRow.of("beijing", "start-result", "SEQ", "SEQ/start", {}, START),
    )
    for revision, total in ((1, "30.00"), (2, "40.68")):
        values = dict.fromkeys(session_costs.c.keys())
        values |= {"session_id": number, "revision": revision, "at": micros(NOW), "session_revision": 1}
        values |= {"digest": "", "currency": "CNY", "total": total, "lines": "[]"}
        await desk.database.execute(session_costs.insert(), values)
    for kind, given, at in (
        ("StartSession", '{"id_token":"a1"}', START - MINUTE),
        ("StartSession", '{"id_token":"B2"}', START - MINUTE),
        ("StopSession", f'{{"session_id":"{number}"}}', START + 44 * MINUTE),
        ("StopSession", '{"session_id":"1"}', START + 44 * MINUTE),
    ):
        values = {"station_id": 1, "actor": "key:1:desk", "kind": kind, "body": f'{{"given":{given}}}'}
        await desk.database.execute(commands.insert(), values | {"created_at": micros(at)})
    order = dict.fromkeys(platform_orders.c.keys(), 0) | dict.fromkeys(
        ("connector_id", "id_token", "token_folded", "failure", "identity"), ""
    )
    order |= {"order_id": 1, "platform": "beijing", "start_charge_seq": "SEQ", "session_id": number}
    order |= {"state": "finished", "start_answer": None, "stop_answer": None, "stop_asked_at": None}
    await desk.database.execute(platform_orders.insert(), order)


async def test_the_evidence_of_a_session(desk_on_each: Any) -> None:
    """Five kinds in one order, whatever the size of a page; nothing of other days or stations."""
    await fill(desk_on_each)
    async with await desk_on_each.client("viewer") as client:
        whole = (await client.get(f"{PATH}/evidence")).json()
        pages, after = [], None
        while not pages or after:
            query = {"limit": 1} | ({"after": after} if after else {})
            page = (await client.get(f"{PATH}/evidence", params=query)).json()
            pages += page["items"]
            after = page["next"]

    assert [(one["source"], one["kind"]) for one in whole["items"]] == [
        ("command", "StartSession"),
        ("command", "StartSession"),
        ("message", "reading"),
        ("status", "faulted"),
        ("event", "connected"),
        ("command", "StopSession"),
        ("command", "StopSession"),
        ("revision", "late-data"),
        ("revision", "late-stop"),
    ]
    assert whole["next"] is None
    assert pages == whole["items"]
    assert whole["items"][2]["details"]["facts"] == {}


async def test_what_changed_of_a_session(desk_on_each: Any) -> None:
    """Each revision with the fields that differ; each order with the money that does."""
    await fill(desk_on_each)
    async with await desk_on_each.client("viewer") as client:
        shown = (await client.get(f"{PATH}/revisions")).json()

    assert [(one["revision"], one["cause"]) for one in shown["session"]] == [
        (2, "late-data"),
        (3, "late-stop"),
    ]
    assert shown["session"][1]["changed"] == {
        "energy_wh": [20_000, 22_500],
        "stop_reason": ["no-stop", "local"],
    }
    assert [one["total"] for one in shown["orders"]] == ["30.00", "40.68"]
    assert [one["changed"] for one in shown["orders"]] == [
        {"total": [None, "30.00"]},
        {"total": ["30.00", "40.68"]},
    ]


async def test_what_cities_were_told(desk_on_each: Any) -> None:
    """Every revision of the order and the result of the start, with state and answer; no other session's."""
    await fill(desk_on_each)
    await desk_on_each.parts.outbox.sent(Hold(1), NOW, {"ConfirmResult": 0})
    async with await desk_on_each.client("viewer") as client:
        items = (await client.get(f"{PATH}/told")).json()["items"]

    assert [(one["kind"], one["revision"], one["state"]) for one in items] == [
        ("charge-order", 1, "sent"),
        ("charge-order", 2, "waiting"),
        ("start-result", None, "waiting"),
    ]
    assert (items[0]["answer"], items[0]["payload"]) == ({"ConfirmResult": 0}, {"revision": 1})


async def test_what_started_and_stopped_it(desk_on_each: Any) -> None:
    """The remote start of its token and the stop that names it; the platform's order behind it."""
    await fill(desk_on_each)
    async with await desk_on_each.client("viewer") as client:
        shown = (await client.get(f"{PATH}/commands")).json()

    assert [(one["command"], one["known_by"]) for one in shown["commands"]] == [
        ("StartSession", "token"),
        ("StopSession", "session"),
    ]
    assert [one["start_charge_seq"] for one in shown["platform_orders"]] == ["SEQ"]


async def test_of_another_operator_there_is_none(desk: Any) -> None:
    """404 for each of them."""
    await fill(desk)
    async with await desk.client("viewer", OTHER) as client:
        for part in ("evidence", "revisions", "told", "commands", "quality"):
            assert (await client.get(f"{PATH}/{part}")).status_code == 404
