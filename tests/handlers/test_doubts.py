"""What a station is asked of its own sessions, and what becomes of its answer; in both 2.x versions."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from csms.domain.assets import IdToken, OcppVersion
from csms.domain.charging_session import ChargingSession, Evidence, SessionState
from csms.domain.commands import AskTransaction, NoteTransaction, Outcome, Result, TransactionSaid
from csms.domain.quality import Flag
from csms.handlers.amendments import amend
from csms.reporting.upkeep import Upkeep
from csms.store.database import Database
from csms.store.session_story import SessionStories
from csms.store.upkeep import UpkeepStore
from csms.store.writer import Writer
from tests.handlers.kit import HOUR, MINUTE, T0, House, Talk, event_2

V2 = pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])
ASKED = [AskTransaction("TX-1")]
OVER = TransactionSaid(is_ongoing=False, is_queued=False)
WAITS = TransactionSaid(is_ongoing=False, is_queued=True)
GOES_ON = TransactionSaid(is_ongoing=True, is_queued=False)


@pytest.fixture
async def node(database: Database) -> AsyncIterator[House]:
    """A process over a database of each kind in turn."""
    async with Writer(database, hold_s=0.05, fence=True) as writer:
        made = House(database, writer)
        await made.services.registry.put_token(IdToken("A1", concurrent_limit=10), T0)
        yield made


async def told(talk: Talk, *numbers: int, end: int | None = None) -> None:
    """Events of these sequence numbers, a minute apart; 0 is the start."""
    for number in numbers:
        talk.house.at += MINUTE
        kind = "Started" if number == 0 else "Ended" if number == end else "Updated"
        await talk.say("TransactionEvent", event_2(kind, talk.house.at, number, 1000 + 100 * number))


async def charging(house: House, version: OcppVersion) -> Talk:
    """A booted station that has begun a session."""
    talk = await house.connect(version)
    await talk.boot()
    await told(talk, 0, 1)
    assert talk.asked == []
    return talk


async def stored(house: House) -> ChargingSession:
    """The only session, as the database has it."""
    (shown,) = await house.sessions()
    found = await house.services.sessions.by_id(int(shown["session_id"]))
    assert found is not None
    return found


async def evidence(house: House) -> list[Any]:
    """What the station said, as the session's evidence shows it."""
    page = await SessionStories(house.database).evidence((await stored(house)).session_id)
    found = [one["details"]["facts"] for one in page.items if one["kind"] == "evidence"]
    return [facts for facts in found if facts["evidence"] == "station-says"]


async def answered(house: House, talk: Talk, said: TransactionSaid) -> Outcome:
    """The station's answer arrives."""
    return await amend(house.services, talk.state, NoteTransaction("TX-1", said))


@V2
async def test_a_gap_is_asked_about_when_it_is_first_seen(node: House, version: OcppVersion) -> None:
    """Not with every later message, nor when it has been closed and another one opens, nor anew by a node."""
    talk = await charging(node, version)

    await told(talk, 3)
    assert talk.asked == ASKED
    await told(talk, 4, 2, 6, 7)
    assert (await stored(node)).flags == (Flag.GAP,)
    again = await node.connect(version)
    await told(again, 8)

    assert (talk.asked, again.asked) == (ASKED, [])
    assert (await stored(node)).asked_at == T0 + 3 * MINUTE


@V2
async def test_a_repeat_asks_nothing(house: House, version: OcppVersion) -> None:
    """The event that showed the gap comes again: it is answered as before."""
    talk = await charging(house, version)
    event = event_2("Updated", house.at + MINUTE, 3, 1300)
    await talk.say("TransactionEvent", event)

    await talk.say("TransactionEvent", event)

    assert talk.asked == ASKED


@V2
async def test_the_gap_may_show_at_the_end(house: House, version: OcppVersion) -> None:
    """0, 1, 3 is the end: asked, noted, and the session stays as its own stop left it."""
    talk = await charging(house, version)
    await told(talk, 3, end=3)
    assert talk.asked == ASKED

    await answered(house, talk, OVER)

    session = await stored(house)
    assert (session.state, session.revision, session.energy_wh) == (SessionState.ENDED, 1, 300)
    assert await evidence(house) == [{"evidence": "station-says", "ongoing": False, "queued": False}]


@V2
async def test_an_unknown_session_in_its_midst(house: House, version: OcppVersion) -> None:
    """E04: its start may be queued."""
    talk = await house.connect(version)
    await talk.boot()

    await told(talk, 5, 6)

    assert talk.asked == ASKED


@V2
async def test_over_and_nothing_queued(node: House, version: OcppVersion) -> None:
    """The session is suspected, and closed by the policy a day later with what is known."""
    talk = await charging(node, version)
    await told(talk, 3)
    last = node.at
    node.at += MINUTE

    outcome = await answered(node, talk, OVER)

    session = await stored(node)
    assert outcome.result is Result.ACCEPTED
    assert (session.state, session.suspected_by) == (SessionState.SUSPECTED_ENDED, Evidence.STATION_SAYS)
    assert talk.state.recall("TX-1") == session
    node.at += timedelta(hours=node.settings.sessions.close_suspected_after_h)
    assert await Upkeep(node.services, UpkeepStore(node.database)).tend() == 1
    session = await stored(node)
    assert (session.state, session.ended_at, session.energy_wh) == (SessionState.ENDED, last, 300)
    assert {Flag.NO_STOP, Flag.ESTIMATED} <= set(session.flags)


@V2
async def test_what_is_queued_is_waited_for(node: House, version: OcppVersion) -> None:
    """Nothing changes; what then comes closes the gap and ends the session."""
    talk = await charging(node, version)
    await told(talk, 3)

    await answered(node, talk, WAITS)

    assert (await stored(node)).state is SessionState.ACTIVE
    assert await evidence(node) == [{"evidence": "station-says", "ongoing": False, "queued": True}]
    await told(talk, 2, 4, end=4)
    session = await stored(node)
    assert (session.state, session.flags, session.energy_wh) == (SessionState.ENDED, (), 400)
    assert talk.asked == ASKED


@V2
async def test_a_boot_is_asked_about_and_ongoing_resumes(node: House, version: OcppVersion) -> None:
    """2.1 E17 for those that do not tell by themselves: the session goes on after all."""
    talk = await charging(node, version)
    node.at += MINUTE
    await talk.boot()
    assert talk.asked == ASKED
    assert (await stored(node)).state is SessionState.SUSPECTED_ENDED

    await answered(node, talk, GOES_ON)

    session = await stored(node)
    assert (session.state, session.suspected_by) == (SessionState.ACTIVE, None)
    await told(talk, 2, 3, end=3)
    assert (await stored(node)).flags == ()


@V2
async def test_who_comes_back_late_is_asked(node: House, version: OcppVersion) -> None:
    """With the first message of the connection, whatever it is; once an hour at most."""
    talk = await charging(node, version)
    soon = await node.connect(version)
    await soon.say("Heartbeat", {})
    node.at += 2 * HOUR
    late = await node.connect(version)

    await late.say("Heartbeat", {})
    await late.say("Heartbeat", {})
    assert ((await stored(node)).asked_at, late.asked) == (node.at, ASKED)
    node.at += MINUTE
    again = await node.connect(version)
    await again.say("Heartbeat", {})

    assert (talk.asked, soon.asked, again.asked) == ([], [], [])
    assert (await stored(node)).heard == 2


@V2
async def test_a_running_session_goes_on_by_the_short_way_after_the_answer(
    node: House, version: OcppVersion
) -> None:
    """Asked about after a silence, it has no flag: nothing stays of the question but the evidence."""
    talk = await charging(node, version)
    node.at += 2 * HOUR
    late = await node.connect(version)
    await late.say("Heartbeat", {})
    await answered(node, late, GOES_ON)

    assert late.state.course("TX-1") is not None
    await told(late, 2, 3, end=3)

    session = await stored(node)
    assert (session.state, session.flags, session.heard) == (SessionState.ENDED, (), 4)
    assert [one["ongoing"] for one in await evidence(node)] == [True]
    assert talk.asked == []


async def test_16_is_asked_nothing(house: House) -> None:
    """It has no such question: neither after a boot nor when it comes back."""
    talk = await house.connect(OcppVersion.V16)
    await talk.boot()
    await talk.start()
    house.at += 2 * HOUR
    back = await house.connect(OcppVersion.V16)
    await back.boot()

    assert (await stored(house)).state is SessionState.SUSPECTED_ENDED
    assert (talk.asked, back.asked) == ([], [])


@V2
async def test_an_answer_about_nothing_known(house: House, version: OcppVersion) -> None:
    """Refused, and nothing is written."""
    talk = await house.connect(version)

    outcome = await answered(house, talk, OVER)

    assert outcome.payload == {"problem": "not-found", "detail": "transaction TX-1 of CS-1"}
