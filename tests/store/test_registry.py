"""Slow data: what is put is found, by its natural key, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from csms.domain.assets import BootStatus, IdToken, OcppVersion, TokenStatus
from csms.domain.charging_session import SessionState
from csms.domain.scope import WHOLE, Scope
from csms.errors import InvalidInput, NotFound
from csms.store import registry_writes
from csms.store.database import Database
from csms.store.quarantine_queries import Quarantine
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.station_desk import StationDesk
from csms.store.writer import Writer
from tests.store.given import HOUR, MINUTE, OPERATOR, T0, a_session, start_of, stations


async def test_putting_again_replaces(database: Database) -> None:
    """201 the first time, 200 afterwards, and one record."""
    registry = Registry(database)

    created = [await registry.put_operator(OperatorForm(OPERATOR, name, "UTC")) for name in ("a", "b")]
    created += [await registry.put_site(SiteForm("S01", OPERATOR, name, 1.25, -2.5)) for name in ("a", "b")]
    created += [await registry.put_station(StationForm("X", "S01", max_power_w=n), T0) for n in (1, 2)]
    created += [await registry.put_token(IdToken("Tag", group=g), T0) for g in ("a", "b")]

    assert created == [True, False] * 4
    assert await registry.operators() == [{"code": OPERATOR, "name": "b", "time_zone": "UTC"}]
    (site,) = await registry.sites()
    assert (site["name"], site["latitude"], site["longitude"]) == ("b", 1.25, -2.5)
    station = await registry.station("X")
    assert station is not None
    assert station.max_power_w == 2
    assert station.operator_code == OPERATOR
    assert await registry.station_by_id(station.station_id) == station


async def test_references_must_exist(database: Database) -> None:
    """An unknown operator or site is said, not made up; an ambiguous site too."""
    registry = Registry(database)
    with pytest.raises(NotFound):
        await registry.put_site(SiteForm("S01", "nobody", ""))
    with pytest.raises(NotFound):
        await registry.put_station(StationForm("X", "nowhere"), T0)
    for code in ("111111111", "222222222"):
        await registry.put_operator(OperatorForm(code, "", "UTC"))
        await registry.put_site(SiteForm("S01", code, ""))
    with pytest.raises(InvalidInput):
        await registry.put_station(StationForm("X", "S01"), T0)

    await registry.put_station(StationForm("X", "S01", "222222222"), T0)

    station = await registry.station("X")
    assert station is not None
    assert station.operator_code == "222222222"


async def test_what_a_station_said_of_itself_survives_a_put(database: Database) -> None:
    """Registering again changes only what people register."""
    (station,) = await stations(database)
    registry = Registry(database)

    await registry.put_station(StationForm("CS-0001", "S01", assume_version=OcppVersion.V16), T0)

    again = await registry.station("CS-0001")
    assert again == replace(station, assume_version=OcppVersion.V16)
    assert again.boot_status is BootStatus.ACCEPTED


async def test_credentials_are_one_question(database: Database) -> None:
    """Everything the door needs; None for a stranger."""
    registry = Registry(database)
    await registry.put_station(
        StationForm("X", secret=(b"salt", b"hash"), security_profile=2, hex_on_wire=True, enabled=False), T0
    )

    found = await registry.credentials("X")

    assert found is not None
    assert (found.salt, found.password_hash, found.previous_salt) == (b"salt", b"hash", None)
    assert (found.enabled, found.security_profile, found.hex_on_wire) == (False, 2, True)
    assert await registry.credentials("Y") is None


@pytest.mark.parametrize(("is_previous", "kept"), [(False, b"new"), (True, b"old")])
async def test_a_password_changes(database: Database, is_previous: bool, kept: bytes) -> None:
    """H14: both hold until one was used; then only that one."""
    registry = Registry(database)
    await registry.put_station(StationForm("X", secret=(b"s1", b"old")), T0)
    station = await registry.station("X")
    assert station is not None

    assert await StationDesk(database).begin_rotation("X", (b"s2", b"new"))
    assert not await StationDesk(database).begin_rotation("X", (b"s3", b"newer"))
    both = await registry.credentials("X")
    await registry.settle_password(station.station_id, is_previous=is_previous, now=T0)
    await registry.settle_password(station.station_id, is_previous=True, now=T0)
    one = await registry.credentials("X")

    assert both is not None
    assert (both.password_hash, both.previous_hash) == (b"new", b"old")
    assert one is not None
    assert (one.password_hash, one.previous_hash) == (kept, None)


@pytest.mark.parametrize(("days", "kept"), [(0, b"new"), (6, b"new"), (7, b"old")])
async def test_a_password_waits_for_a_restart(database: Database, days: int, kept: bytes) -> None:
    """Who comes with the old one has not restarted: the new one, which it took, does not end for a week."""
    registry, desk, secret = Registry(database), StationDesk(database), (b"s2", b"new")
    await registry.put_station(StationForm("X", secret=(b"s1", b"old")), T0)
    station = await registry.station("X")
    assert station is not None
    await desk.begin_rotation("X", secret)
    await desk.postpone_rotation("X", secret, T0 + timedelta(days=7))

    now = T0 + timedelta(days=days)
    await registry.settle_password(station.station_id, is_previous=True, now=now)
    after_old = await registry.credentials("X")
    await registry.settle_password(station.station_id, is_previous=False, now=now)
    after_new = await registry.credentials("X")

    assert after_old is not None
    assert (after_old.password_hash, after_old.previous_hash) == (kept, b"old" if kept == b"new" else None)
    assert after_new is not None
    assert (after_new.password_hash, after_new.previous_hash) == (kept, None)


async def test_each_connection_has_a_higher_epoch(database: Database) -> None:
    """However many come at once; the highest security profile is remembered (A05)."""
    one, other = await stations(database, 2)
    registry = Registry(database)

    epochs = await asyncio.gather(
        *(registry.raise_epoch(one.station_id, now=T0, security_profile=n % 3) for n in range(40))
    )
    await registry.raise_epoch(other.station_id, now=T0)

    assert sorted(epochs) == list(range(1, 41))
    credentials = await registry.credentials("CS-0001")
    assert credentials is not None
    assert credentials.highest_profile == 2


async def test_an_unknown_station_has_no_epoch_and_hurts_nobody(database: Database) -> None:
    """Of writes that share a transaction only the wrong one fails."""
    (station,) = await stations(database)
    registry = Registry(database)

    first = asyncio.create_task(registry.raise_epoch(station.station_id, now=T0))
    outcomes = await asyncio.gather(
        first,
        registry.raise_epoch(999, now=T0),
        registry.raise_epoch(station.station_id, now=T0),
        return_exceptions=True,
    )

    assert isinstance(outcomes[1], NotFound)
    assert {outcomes[0], outcomes[2]} == {1, 2}


async def test_an_old_connection_does_not_end_a_new_one(database: Database) -> None:
    """H31: the close of the one that was replaced changes nothing."""
    (station,) = await stations(database)
    registry = Registry(database)
    old = await registry.raise_epoch(station.station_id, now=T0)
    new = await registry.raise_epoch(station.station_id, now=T0)

    assert not await registry.note_disconnected(station.station_id, old, T0)
    assert await registry.note_disconnected(station.station_id, new, T0 + MINUTE)


async def test_token_use_is_one_question(database: Database) -> None:
    """The token without case, and how many sessions run on it beside one's own."""
    (station,) = await stations(database)
    registry = Registry(database)
    token = IdToken("AbC", "ISO14443", TokenStatus.BLOCKED, "g", T0 + HOUR, 3)
    await registry.put_token(token, T0)
    async with Writer(database) as writer:
        for n, state in enumerate([SessionState.ACTIVE, SessionState.ACTIVE, SessionState.ENDED], 1):
            await writer.write(start_of(station, a_session(station, n, token="ABC", state=state)))

    assert await registry.token_use("abc") == (token, 2)
    assert await registry.token_use("abc", except_session=1) == (token, 1)
    assert await registry.token_use("other") == (None, 0)
    assert await registry.token("aBc") == token


async def test_strangers_are_counted_and_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many identities an attacker makes up, the table stays small; a registered one leaves it."""
    monkeypatch.setattr(registry_writes, "MOST_QUARANTINED", 5)
    registry = Registry(database)
    for n in range(12):
        at = T0 + timedelta(seconds=n)
        await registry.put_in_quarantine(f"X{n}", "10.0.0.1", "not registered", at)
    await registry.put_in_quarantine("X11", "10.0.0.2", "not registered", T0 + HOUR)

    found = (await Quarantine(database).find()).items
    await registry.put_station(StationForm("X11"), T0)

    assert [row["identity"] for row in found] == ["X11", "X10", "X9", "X8", "X7"]
    assert (found[0]["attempts"], found[0]["remote_address"]) == (2, "10.0.0.2")
    assert len((await Quarantine(database).find()).items) == 4


async def test_api_keys(database: Database) -> None:
    """Found by hash until revoked; never shown."""
    registry = Registry(database)
    await registry.put_operator(OperatorForm(OPERATOR, "", "UTC"))

    number = await registry.put_api_key("city", b"h1", "viewer", Scope(OPERATOR), T0)
    other = await registry.put_api_key("root", b"h2", "admin", WHOLE, T0)
    found = await registry.api_key(b"h1")

    assert found == (number, "city", b"h1", "viewer", OPERATOR, None)
    await registry.note_key_used(number, T0 + HOUR)
    assert await registry.revoke_api_key(number, T0)
    assert not await registry.revoke_api_key(number, T0)
    assert await registry.api_key(b"h1") is None
    shown = await registry.api_keys()
    assert [row["key_id"] for row in shown] == [number, other]
    assert shown[0]["last_used_at"] == "2026-01-05T11:00:00.000Z"
    assert "key_hash" not in shown[0]


async def test_stations_are_let_in_and_kept_out(database: Database) -> None:
    """By hand; an unknown one is said."""
    await stations(database)
    registry = Registry(database)

    assert await registry.set_enabled("CS-0001", False)
    assert await registry.set_boot_status("CS-0001", BootStatus.REJECTED)
    station = await registry.station("CS-0001")

    assert station is not None
    assert (station.enabled, station.boot_status) == (False, BootStatus.REJECTED)
    assert not await registry.set_enabled("nobody", True)
