"""query_start_charge: one effect, one answer, in time; and what becomes of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import perf_counter
from typing import Any

import pytest

from csms.domain.assets import ConnectorStatus, TokenStatus
from csms.domain.commands import Outcome, Result
from csms.store.database import Database
from csms.store.registry import Registry
from csms.store.tables import audit_log, commands
from tests.reporting.tcec.server.kit import CITY
from tests.reporting.tcec.server.world import World, a_world, online

SEQ = f"{CITY}{'0' * 17}1"
ASKED = {"StartChargeSeq": SEQ, "ConnectorID": "CS-00010101"}
STARTED = ASKED | {"StartChargeSeqStat": 1, "SuccStat": 0, "FailReason": 0}


def failed(reason: int) -> dict[str, Any]:
    """The answer of a start that came to nothing."""
    return ASKED | {"StartChargeSeqStat": 4, "SuccStat": 1, "FailReason": reason}


async def token_status(world: World) -> TokenStatus | None:
    """What the order's own token may do."""
    (start,) = world.courier.starts()
    token = await Registry(world.database).token(start.id_token)
    return token.status if token is not None else None


async def test_a_start_reaches_the_station(database: Database) -> None:
    """With a token of its own, at the connector asked for, under a number; kept with who asked."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        told = await world.city.told("query_start_charge", ASKED)

        assert told == STARTED
        ((identity, _),) = world.courier.sent
        (start,) = world.courier.starts()
        assert (identity, start.evse, start.connector, start.token_type) == ("CS-0001", 1, 1, "Central")
        assert len(start.id_token) == 20
        assert await token_status(world) is TokenStatus.ACCEPTED
        (command,) = await database.read(commands.select())
        audits = await database.read(audit_log.select())
        assert (command.actor, command.result) == ("platform:city", "accepted")
        assert command.command_id == start.remote_start_id
        assert [row.action for row in audits] == ["command StartSession", "command StartSession ended"]
        assert start.id_token not in str(audits) + str(command)


async def test_a_repeated_start_has_one_effect_and_one_answer(database: Database) -> None:
    """Many at once while the station takes its time, and later: one CALL, the same answer."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        world.courier.takes_s = 0.2
        told = await asyncio.gather(*(world.city.told("query_start_charge", ASKED) for _ in range(5)))
        told.append(await world.city.told("query_start_charge", ASKED))

        assert told == [STARTED] * 6
        assert len(world.courier.sent) == 1


async def test_a_failed_start_keeps_its_answer(database: Database) -> None:
    """A name is for one charge: the platform tries again under another."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        world.courier.outcome = Outcome(Result.REJECTED)
        first = await world.city.told("query_start_charge", ASKED)
        world.courier.outcome = Outcome(Result.ACCEPTED)
        again = await world.city.told("query_start_charge", ASKED)
        other = await world.city.told("query_start_charge", ASKED | {"StartChargeSeq": SEQ[:-1] + "2"})

        assert first == again == failed(4)
        assert other["SuccStat"] == 0
        assert await world.owed("start-result") == []


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Outcome(Result.ACCEPTED), STARTED),
        (Outcome(Result.SILENT), STARTED),  # it may still be carried out: the result will say
        (Outcome(Result.NOT_CONNECTED), failed(2)),
        (Outcome(Result.REJECTED), failed(4)),
        (Outcome(Result.NOT_SUPPORTED), failed(4)),
        (Outcome(Result.FAILED), failed(4)),
    ],
    ids=lambda value: value.result.value if isinstance(value, Outcome) else "",
)
async def test_what_the_station_says(
    inline_database: Database, outcome: Outcome, answer: dict[str, Any]
) -> None:
    """Told in the answer, and the token of a failed start charges no more."""
    (station,) = await online(inline_database)
    async with a_world(inline_database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        world.courier.outcome = outcome

        assert await world.city.told("query_start_charge", ASKED) == answer
        is_failed = answer["SuccStat"] == 1
        assert await token_status(world) is (TokenStatus.BLOCKED if is_failed else TokenStatus.ACCEPTED)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(ConnectorStatus.FAULTED, 99), (ConnectorStatus.UNAVAILABLE, 99), (ConnectorStatus.CHARGING, 3)],
)
async def test_what_is_known_beforehand(
    inline_database: Database, status: ConnectorStatus, reason: int
) -> None:
    """A connector out of order or in use is not asked."""
    (station,) = await online(inline_database)
    async with a_world(inline_database) as world:
        await world.status(station, status)

        assert await world.city.told("query_start_charge", ASKED) == failed(reason)
        assert world.courier.sent == []


async def test_a_station_that_is_away_and_one_that_is_not(inline_database: Database) -> None:
    """FailReason 2 and 1; the unknown connector leaves nothing behind."""
    (station,) = await online(inline_database)
    async with a_world(inline_database) as world:
        await world.status(station, ConnectorStatus.AVAILABLE)
        unknown = await world.city.told("query_start_charge", ASKED | {"ConnectorID": "CS-00010201"})
        epoch = await Registry(inline_database).raise_epoch(station.station_id, now=world.at)
        await Registry(inline_database).note_disconnected(station.station_id, epoch, world.at)
        away = await world.city.told("query_start_charge", ASKED)

        assert unknown == failed(1) | {"ConnectorID": "CS-00010201"}
        assert away == failed(2)
        assert world.courier.sent == []


async def test_a_slow_station_is_not_waited_for(database: Database) -> None:
    """The platform is answered within its second; a refusal that comes later is its result."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        world.courier.takes_s, world.courier.outcome = 3, Outcome(Result.REJECTED)
        begun = perf_counter()
        told = await world.city.told("query_start_charge", ASKED)
        took_s = perf_counter() - begun
        results = await world.until_owed("start-result")

        assert told == STARTED
        assert took_s < 2  # within its second, on a machine that is not busy with tests
        (result,) = results
        assert (result["start_charge_seq"], result["state"], result["fail_reason"]) == (
            SEQ, "start-failed", "rejected",
        )  # fmt: skip
        assert await world.city.told("query_start_charge", ASKED) == STARTED
        assert await token_status(world) is TokenStatus.BLOCKED


async def test_a_name_used_for_another_connector(inline_database: Database) -> None:
    """Ret 4004: it names one charge."""
    (station,) = await online(inline_database)
    async with a_world(inline_database) as world:
        for evse in (1, 2):
            await world.status(station, ConnectorStatus.PREPARING, evse)
        await world.city.told("query_start_charge", ASKED)
        other = await world.city.ask("query_start_charge", ASKED | {"ConnectorID": "CS-00010201"})

        assert other.ret == 4004
        assert "was used for connector CS-00010101" in other.msg


async def test_the_session_begins(database: Database) -> None:
    """Found by its token; the result is owed once, with the session's start, whoever looks."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        await world.city.told("query_start_charge", ASKED)
        (start,) = world.courier.starts()
        await world.begin(station, token=start.id_token.lower())
        world.pass_(timedelta(seconds=2))
        changed = [await world.look() for _ in range(3)]

        assert changed == [1, 0, 0]
        (result,) = await world.owed("start-result")
        assert result["started_at"].startswith("2026-01-05T10:00:00")
        assert (result["state"], result["fail_reason"], result["connector_id"]) == (
            "charging", "", "CS-00010101",
        )  # fmt: skip


async def test_no_session_in_time(database: Database) -> None:
    """Failed before the platform's limit, with time left for the push; the token is blocked."""
    (station,) = await online(database)
    async with a_world(database) as world:
        await world.status(station, ConnectorStatus.PREPARING)
        await world.city.told("query_start_charge", ASKED)
        world.pass_(timedelta(seconds=44))
        early = await world.look()
        world.pass_(timedelta(seconds=1))
        late = [await world.look() for _ in range(2)]

        assert (early, late) == (0, [1, 0])
        (result,) = await world.owed("start-result")
        assert (result["state"], result["fail_reason"], result["started_at"]) == (
            "start-failed", "silent", None,
        )  # fmt: skip
        assert await token_status(world) is TokenStatus.BLOCKED
        assert await world.city.told("query_start_charge", ASKED) == STARTED
