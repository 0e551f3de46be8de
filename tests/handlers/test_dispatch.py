"""One event in, one commit, one answer out; and what happens when the commit does not come."""

import asyncio
from datetime import timedelta
from typing import get_args

import pytest

from csms.config import DatabaseSettings, Settings
from csms.domain.assets import BootStatus, OcppVersion
from csms.domain.events import Event
from csms.errors import StaleEpoch, StoreUnavailable
from csms.handlers import dispatch
from csms.store.database import InlineDatabase
from csms.store.migrations import upgrade_database
from csms.store.writer import Writer
from tests.handlers.kit import HOUR, MINUTE, T0, House, event_2, start_16, stop_16

V2 = pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])


class FailingDatabase(InlineDatabase):
    """Away while `is_away`, `is_unreadable`; `loses_word` makes the next commit and does not say so."""

    is_away = False
    is_unreadable = False
    loses_word = False

    async def glance(self, sql, values):  # type: ignore[no-untyped-def]  # as below
        if self.is_unreadable:
            raise StoreUnavailable("away")
        return await super().glance(sql, values)

    async def run(self, job):  # type: ignore[no-untyped-def]  # as the base class has it
        if self.is_away:
            raise StoreUnavailable("away")
        done = await super().run(job)
        if self.loses_word:
            self.loses_word = False
            raise StoreUnavailable("the connection broke at the commit")
        return done


async def test_one_start_by_two_connections_is_one_session(house: House) -> None:
    """T03: both connections hear the same transaction id, whichever was first."""
    first, second = await house.connect(), await house.connect()
    first.state.epoch = second.state.epoch  # a node that does not know yet that it was replaced

    answers = await asyncio.gather(
        first.say("StartTransaction", start_16(T0)), second.say("StartTransaction", start_16(T0))
    )

    assert answers[0] == answers[1]
    assert len(await house.sessions()) == 1


@V2
async def test_one_event_by_two_connections_is_one_session(house: House, version: OcppVersion) -> None:
    """E01 across nodes: the second connection finds what the first has stored, and answers alike."""
    first, second = await house.connect(version), await house.connect(version)
    first.state.epoch = second.state.epoch
    started = event_2("Started", T0, 0, 100, idToken={"idToken": "A1", "type": "ISO14443"})

    answers = await asyncio.gather(
        first.say("TransactionEvent", started), second.say("TransactionEvent", started)
    )
    await second.say("TransactionEvent", event_2("Ended", T0 + HOUR, 1, 900))

    assert answers[0] == answers[1] == {"idTokenInfo": {"status": "Accepted"}}
    (session,) = await house.sessions()
    assert (session["state"], session["energy_wh"]) == ("ended", 800)


async def test_a_replaced_connection_writes_nothing(house: House) -> None:
    """The newest connection of a station is the only one to write, also for what was under way."""
    old = await house.connect()
    await house.connect()

    with pytest.raises(StaleEpoch):
        await old.say("StartTransaction", start_16(T0))

    assert await house.sessions() == []
    assert old.state.sessions == {}


async def test_without_a_commit_nothing_is_answered_or_remembered() -> None:
    """The station keeps its message, and sends it again when the store is back."""
    database = FailingDatabase()
    await upgrade_database(database)
    async with Writer(database, hold_s=0.02) as writer:
        house = House(database, writer)
        talk = await house.connect()
        await house.services.ids.session_id()
        await house.services.ids.transaction_id()

        database.is_away = True
        with pytest.raises(StoreUnavailable):
            await talk.say("StartTransaction", start_16(T0))
        assert talk.state.sessions == {}

        database.is_away, writer.healthy = False, True
        await talk.start()
        assert len(await house.sessions()) == 1
    await database.close()


async def test_what_cannot_be_read_for_as_long_as_a_commit_is_held_is_an_outage() -> None:
    """F03: whoever comes next is refused at once, not after as long again; and it heals by itself."""
    database = FailingDatabase()
    await upgrade_database(database)
    async with Writer(database, hold_s=0.02) as writer:
        house = House(database, writer, Settings(database=DatabaseSettings(hold_s=0.02)))
        talk = await house.connect(OcppVersion.V201)

        database.is_away = database.is_unreadable = True
        with pytest.raises(StoreUnavailable):
            await talk.say("TransactionEvent", event_2("Updated", T0, 1, 100))
        assert not writer.healthy

        database.is_away = database.is_unreadable = False
        async with asyncio.timeout(10):
            while not writer.healthy:  # noqa: ASYNC110 - the writer tells nobody; the gateway asks too
                await asyncio.sleep(0.02)
    await database.close()


async def test_a_commit_without_word_is_found_again() -> None:
    """T27: the writer repeats it, the start's key says that it was stored, and the answer is the first's."""
    database = FailingDatabase()
    await upgrade_database(database)
    async with Writer(database, hold_s=5) as writer:
        house = House(database, writer)
        talk = await house.connect()
        await talk.boot()
        await house.services.ids.session_id()
        await house.services.ids.transaction_id()

        database.loses_word = True
        transaction_id = await talk.start()

        (session,) = await house.sessions()
        assert session["transaction_id"] == str(transaction_id)
        assert await talk.stop(transaction_id, 1500) == {}
    await database.close()


async def test_an_order_is_due_with_the_commit_of_its_stop(house: House) -> None:
    """Neither is there without the other: a stop that cannot be stored owes nothing, one that is owes it."""
    talk = await house.connect()
    transaction_id = await talk.start()
    await house.connect()
    with pytest.raises(StaleEpoch):
        await talk.stop(transaction_id, 2000)
    await house.settle()
    assert await house.owed("charge-order") == []

    talk = await house.connect()
    house.at += HOUR
    await talk.stop(transaction_id, 2000)
    # The process dies here; another finds the mark.
    other = House(house.database, house.writer, at=house.at)
    await other.settle()

    (session,) = await house.sessions()
    ((about, payload),) = await house.owed("charge-order")
    assert about == f"{session['session_id']}/1"
    assert (payload["energy_wh"], payload["start_charge_seq"]) == (1000, session["start_charge_seq"])


async def test_a_stored_answer_is_given_again_after_a_restart(house: House) -> None:
    """T25: the same start on a new connection gets the first answer, whatever the token may do by now."""
    talk = await house.connect()
    answer = await talk.say("StartTransaction", start_16(T0))

    again = await (await house.connect()).say("StartTransaction", start_16(T0))

    assert again == answer


async def test_history_beyond_memory_is_recognised(house: House) -> None:
    """A station that sends months of sessions again gets the answers it got, and nothing is stored twice."""
    talk = await house.connect()
    house.at += timedelta(days=60)
    starts = [start_16(T0 + timedelta(days=n), 1000 + n) for n in range(40)]
    first = []
    for n, start in enumerate(starts):
        first.append(await talk.say("StartTransaction", start))
        stop = stop_16(first[-1]["transactionId"], T0 + timedelta(days=n, hours=1), 1500 + n)
        await talk.say("StopTransaction", stop)

    talk = await house.connect()
    again = [await talk.say("StartTransaction", start) for start in starts]

    assert again == first
    assert len(await house.sessions()) == 40


async def test_coming_and_going_is_told(house: House) -> None:
    """The station's history has it, and city platforms see its connectors off-line and back."""
    talk = await house.connect()
    await talk.status("Available")
    house.at += MINUTE

    await dispatch.note_disconnected(house.services, talk.state, 1006, "")
    house.at += MINUTE
    talk = await house.connect()
    await dispatch.note_connected(house.services, talk.state)

    kinds = [event["kind"] for event in await house.events(talk)]
    assert kinds == ["disconnected", "connected"]
    told = [payload["status"] for _, payload in await house.owed("connector-status")]
    assert told == ["available", "offline", "available"]


@V2
async def test_a_station_that_is_not_accepted_may_only_boot(house: House, version: OcppVersion) -> None:
    """B02.FR.09: whatever it sends, and before anybody looks at the payload."""
    talk = await house.connect(version)
    assert talk.state.station.boot_status is BootStatus.PENDING

    assert dispatch.gate(talk.state, "BootNotification") is None
    for action in ("Heartbeat", "TransactionEvent", "Nonsense"):
        assert (
            dispatch.gate(talk.state, action) == "the station is pending: only BootNotification is accepted"
        )
    await talk.boot()
    assert dispatch.gate(talk.state, "TransactionEvent") is None


async def test_a_16_station_may_tell_of_transactions_before_it_is_accepted(house: House) -> None:
    """1.6 has no such rule for them, and refused they would be lost."""
    talk = await house.connect()

    refused = {action for action in talk.state.dialect.read if dispatch.gate(talk.state, action)}

    assert refused.isdisjoint({"StartTransaction", "StopTransaction", "MeterValues", "BootNotification"})
    assert {"Heartbeat", "StatusNotification", "Authorize"} <= refused


def test_every_event_that_a_dialect_reads_has_a_handler() -> None:
    """Nothing that can be said falls through."""
    assert set(dispatch.HANDLERS) == set(get_args(Event))
