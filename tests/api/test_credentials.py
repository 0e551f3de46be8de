"""H11-H14: passwords set by hand and changed over the wire; no copy of them anywhere (A14)."""

from typing import Any

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from csms.domain.assets import OcppVersion
from csms.store.database import Database
from csms.store.tables import metadata
from tests.api.live import Live, live

URL = "charging-stations/CS-1/credentials"


def set_result(status: str) -> dict[str, Any]:
    """What a 2.x station says of one variable."""
    variable = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    return {"setVariableResult": [{"attributeStatus": status, **variable}]}


def told_password(asked: list[tuple[str, dict[str, Any]]]) -> str:
    """The password in what the station was asked last."""
    action, payload = asked[-1]
    if action == "ChangeConfiguration":
        assert payload["key"] == "AuthorizationKey"
        return bytes.fromhex(payload["value"]).decode()
    (data,) = payload["setVariableData"]
    assert (data["component"]["name"], data["variable"]["name"]) == ("SecurityCtrlr", "BasicAuthPassword")
    return str(data["attributeValue"])


async def refused(there: Live, password: str, version: OcppVersion) -> bool:
    """Whether the door is closed for this password."""
    try:
        peer = await there.connect("CS-1", password, version)
    except InvalidStatus as exc:
        return exc.response.status_code == 401
    await peer.close()
    return False


@pytest.mark.parametrize("version", list(OcppVersion))
@pytest.mark.parametrize(
    ("status", "valid"), [("Accepted", "new"), ("Rejected", "old"), ("NotSupported", "old"), (None, "both")]
)
async def test_rotation(database_url: str, version: OcppVersion, status: str | None, valid: str) -> None:
    """Accepted: the old one is refused at once. Refused: it stays. Silence: both, until one is used."""

    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        if status is None:
            return None
        if version is OcppVersion.V16:
            return {"status": status}
        return set_result("NotSupportedAttributeType" if status == "NotSupported" else status)

    with capture_logs() as logged:
        async with live(database_url, call_timeout_s=1, command_expiry_s=1.5) as there:
            old = await there.register("CS-1")
            peer = await there.connect("CS-1", old, version, answer)

            told = await there.client.post(f"{URL}/rotate")
            new = told_password(peer.asked)
            again = await there.client.post(f"{URL}/rotate") if valid == "both" else None
            shown = (await there.client.get("charging-stations/CS-1")).json()["credentials"]
            messages = (await there.client.get("charging-stations/CS-1/messages")).text
            first, second = (new, old) if valid in ("new", "both") else (old, new)
            let_in, kept_out = await refused(there, first, version), await refused(there, second, version)

    assert told.json()["valid"] == valid, told.text
    assert shown == {"has_password": True, "is_changing": valid == "both", "hex_on_wire": False}
    assert again is None or again.status_code == 409
    assert (let_in, kept_out) == (False, True)
    everything = f"{await dump(database_url)}{logged}{told.text}{messages}"
    for secret in (new, old, new.encode().hex()):
        assert secret.lower() not in everything.lower()


@pytest.mark.parametrize("version", list(OcppVersion))
async def test_a_password_that_waits_for_a_restart(database_url: str, version: OcppVersion) -> None:
    """A line that drops before the restart shuts nobody out; a login with the new one ends the old."""

    def answer(action: str, payload: dict[str, Any]) -> dict[str, Any]:
        status = "RebootRequired"
        return {"status": status} if version is OcppVersion.V16 else set_result(status)

    async with live(database_url) as there:
        old = await there.register("CS-1")
        peer = await there.connect("CS-1", old, version, answer)
        told = await there.client.post(f"{URL}/rotate")
        new = told_password(peer.asked)
        dropped = await refused(there, old, version)
        restarted = await refused(there, new, version)
        too_late = await refused(there, old, version)
        again = await there.client.post(f"{URL}/rotate")

    assert told.json()["valid"] == "both", told.text
    assert (dropped, restarted, too_late) == (False, False, True)
    assert again.status_code == 200


async def dump(url: str) -> str:
    """Every row of every table."""
    database = await Database.open(url)
    try:
        return str([await database.read(table.select()) for table in metadata.tables.values()])
    finally:
        await database.close()


async def test_a_station_that_is_away_keeps_its_password(database_url: str) -> None:
    """Nothing was sent, so nothing has changed."""
    async with live(database_url) as there:
        old = await there.register("CS-1")
        never = await there.client.post(f"{URL}/rotate")
        await (await there.connect("CS-1", old)).close()
        away = await there.client.post(f"{URL}/rotate")
        is_refused = await refused(there, old, OcppVersion.V16)

    assert never.status_code == 409
    assert (away.json()["result"], away.json()["valid"]) == ("not-connected", "old")
    assert not is_refused


async def test_set_by_hand(database_url: str) -> None:
    """The new one works, the one before does not; a generated one is shown once; rules are kept."""
    async with live(database_url) as there:
        old = await there.register("CS-1")
        made = (await there.client.post(URL, json={})).json()["password"]
        with_made = await refused(there, made, OcppVersion.V16)
        with_old = await refused(there, old, OcppVersion.V16)
        given = await there.client.post(URL, json={"password": "my-own-password-1"})
        with_given = await refused(there, "my-own-password-1", OcppVersion.V16)
        short = await there.client.post(URL, json={"password": "short"})

    assert (with_made, with_old, with_given) == (False, True, False)
    assert given.json()["password"] is None
    assert short.status_code == 422
