"""What tests of every operation share: records to ask for, and how a request of each operation looks."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from csms.api.entry import hash_of as cookie_hash
from csms.api.schedules import EXAMPLE as SCHEDULE
from csms.domain.scope import Scope
from csms.store.alarms import Condition, Look
from csms.store.delivery_rows import Told
from csms.store.outbox import Hold
from csms.store.records import OutboxRow, SessionMark
from csms.store.registry import SiteForm
from csms.store.users import UserForm
from csms.store.webhooks import WebhookForm

MINE, OTHER = "123456789", "987654321"
CSRF = "a-token-of-a-test"
# What an operation's path names belongs to the first operator.
PLACES = {
    "identity": "CS-0001",
    "session_id": "1767261600000001",
    "action": "Heartbeat",
    "site": "S01",
    "tariff": "T-0001",
    "name": "beijing",
    "row": "1",
    "dispute": "1",
    "batch_id": "1",
    "number": "1",
    "schedule": "1",
    "token": "A1",
    "alarm": "1",
    "queue": "gaps",
    "session": "1767261600000001",
}
NAMES = {"sites": "S01", "equipment": "CS-0001", "connectors": "CS-00010101"}


def places_of(path: str, **others: str) -> dict[str, str]:
    """Values of a path's parameters that name a record of `prepare`, unless `others` names it."""
    places = PLACES | {"operator": MINE, "key_id": "1", "webhook": "1", "command_id": "1"} | others
    places["name"] = NAMES.get(path.split("/")[4] if "/assets/" in path else "", PLACES["name"])
    if path.startswith("/api/v1/users/"):
        places["name"] = "wang"
    return places


def body_of(document: dict[str, Any], operation: dict[str, Any]) -> Any:
    """The first example of a request body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    if "examples" in content:
        return content["examples"]["ClearCache"]["value"]
    if "example" in content:
        return {}
    schema = document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    return schema.get("examples", [{}])[0]


def query_of(operation: dict[str, Any]) -> dict[str, str]:
    """Query parameters that must be there."""
    return {
        each["name"]: (each["schema"].get("enum") or each["schema"]["examples"])[0]
        for each in operation.get("parameters", [])
        if each["in"] == "query" and each["required"]
    }


async def prepare(desk: Any) -> str:
    """Records of the first operator, to be seen or not to be seen. The number of a command."""
    await desk.parts.registry.put_site(SiteForm("S02", MINE, "Second site", None, None), desk.clock[0])
    await desk.add_session(0)
    row = OutboxRow.of("beijing", "order", "k", "order 1767261600000001", {}, desk.clock[0])
    await desk.write(row)
    await desk.parts.users.add(UserForm("wang", "viewer", Scope(MINE)), "no hash", False, desk.clock[0])
    await desk.write(row, SessionMark("gaps", 1_767_261_600_000_001, 1, 1))
    fault = Condition("CS-0001/1/1", "major", 0, {"status": "faulted"}, 1, 1, 1)
    at_once = timedelta(0)
    await desk.parts.live.alarms.settle(Look("connector-fault", [fault], at_once, at_once), desk.clock[0])
    for _ in range(2):
        hook = WebhookForm("https://hooks.example/", None, MINE, True)
        await desk.parts.live.webhooks.add(hook, "secret", 0, desk.clock[0])
    disputed = {"start_charge_seq": f"{MINE}001767261600000001"}
    await desk.parts.outbox.sent(Hold(1), desk.clock[0], {}, Told(disputed=1, order=disputed))
    async with await desk.client() as client:
        bands = [{"start": "00:00", "period": "flat", "elec_price": "1", "service_price": "1"}]
        tariff = {"operator": MINE, "code": "T-0001", "name": "Tariff", "valid_from": "2026-01-01T00:00:00Z"}
        assert (await client.post("/api/v1/tariffs", json={**tariff, "bands": bands})).status_code == 201
        charger = {"site": "S01", "identity": "CS-0001", "charger_class": "social-public"}
        await client.put(f"/api/v1/assets/equipment/{MINE}/CS-0001", json=charger)
        plug = {"equipment_id": "CS-0001", "identity": "CS-0001", "evse": 1, "connector": 1}
        await client.put(f"/api/v1/assets/connectors/{MINE}/CS-00010101", json=plug)
        outage = {"charging_station": "CS-0001", "reason": "vandalism"}
        outage |= {"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-01T01:00:00Z"}
        assert (await client.post("/api/v1/reports/exclusions", json=outage)).status_code == 201
        assert (await client.post("/api/v1/schedules", json=SCHEDULE)).status_code == 201
        given = await client.post(
            "/api/v1/charging-stations/CS-0001/commands", json={"command": "ClearCache"}
        )
    async with await desk.client("admin", MINE) as client:
        body = {"command": {"command": "ClearCache"}, "stations": ["CS-0001"]}
        assert (await client.post("/api/v1/command-batches", json=body)).status_code == 202
    return str(given.json()["command_id"])


async def begin_visit(desk: Any, name: str) -> dict[str, str]:
    """Headers of a browser in which the person has signed in."""
    user = await desk.parts.users.named(name)
    cookie = f"cookie-of-{name}"
    await desk.parts.users.end(cookie_hash(cookie))
    await desk.parts.users.begin(user.user_id, cookie_hash(cookie), CSRF, "192.0.2.99", desk.clock[0])
    return {"Cookie": f"csms_visit={cookie}", "X-CSRF-Token": CSRF}


def changed(value: Any, odd: Any) -> Iterator[Any]:
    """JSON like `value`, once for each place within it, with `odd` there."""
    yield odd
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from (value | {name: other} for other in changed(inner, odd))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from ([*value[:n], other, *value[n + 1 :]] for other in changed(inner, odd))


def in_url(odd: Any) -> str:
    """A value as one part of a path or query: percent-encoded, with what is no UTF-8 left as bytes."""
    text = odd if isinstance(odd, str) else json.dumps(odd)
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def odd_requests(
    document: dict[str, Any], path: str, operation: dict[str, Any], odd: Any, **places: str
) -> Iterator[tuple[str, bytes | None]]:
    """Address and body of requests that are right but for one odd value."""
    known = {name: quote(value, safe="") for name, value in places_of(path, **places).items()}
    query, body = query_of(operation), body_of(document, operation)
    content = None if body is None else json.dumps(body).encode()

    def address(**odd_place: str) -> str:
        return path.format_map(known | odd_place)

    for name in re.findall(r"\{(\w+)\}", path):
        yield f"{address(**{name: in_url(odd)})}?{urlencode(query)}", content
    for each in operation.get("parameters", []):
        if each["in"] == "query":
            others = urlencode({name: value for name, value in query.items() if name != each["name"]})
            yield f"{address()}?{others}&{each['name']}={in_url(odd)}", content
    for other in changed(body, odd) if body is not None else ():
        yield f"{address()}?{urlencode(query)}", json.dumps(other).encode()


def just_before(desk: Any, monkeypatch: Any, statement: Any) -> None:
    """Before each transaction of the desk's another one, of this statement, is committed."""
    run = desk.database.run

    async def second(job: Any) -> Any:
        await run(lambda connection: connection.execute(statement))
        return await run(job)

    monkeypatch.setattr(desk.database, "run", second)
