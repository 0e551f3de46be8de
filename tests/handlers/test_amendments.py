"""What people say of sessions: by the station's own actor, while it is away, and never by a second writer."""

from datetime import timedelta
from typing import Any

import pytest

from csms.cluster.bus import LocalBus
from csms.cluster.courier import Courier
from csms.domain.charging_session import ChargingSession, SessionState
from csms.domain.commands import AttachStop, CloseSession, DismissStop, Outcome, Result
from csms.domain.quality import Flag
from csms.errors import StaleEpoch
from csms.handlers.amendments import IN_DOUBT, Amender, amend
from csms.store.orphan_queries import OrphanFilter, Orphans
from csms.store.session_story import SessionStories
from csms.store.upkeep import UpkeepStore
from tests.handlers.kit import HOUR, MINUTE, T0, House, Talk, stop_16

BY = "key:1:desk"


async def stored(house: House, number: int) -> ChargingSession:
    found = await house.services.sessions.by_id(number)
    assert found is not None
    return found


async def started(house: House) -> tuple[Talk, int, int]:
    """A station whose session has metered 5 kWh: its talk, transaction id and session number."""
    talk = await house.connect()
    await talk.boot()
    transaction_id = await talk.start(1_000)
    house.at = T0 + HOUR
    await talk.meter(6_000, transaction_id)
    (session,) = await house.sessions()
    return talk, transaction_id, int(session["session_id"])


def amender(house: House) -> tuple[Amender, Courier]:
    courier = Courier(LocalBus())
    return Amender(house.services, courier, UpkeepStore(house.database)), courier


async def go(house: House, talk: Talk) -> None:
    """The station's connection ends."""
    station = talk.state.station
    assert await house.services.registry.note_disconnected(station.station_id, talk.state.epoch, house.at)


async def test_a_session_is_closed_as_a_stop_would(house: House) -> None:
    """Order, energy and flags as told; its own late stop makes a revision, and the flags go."""
    talk, transaction_id, number = await started(house)
    house.at = T0 + 2 * HOUR

    outcome = await amend(house.services, talk.state, CloseSession(number, BY, "broken", None, 7_000))
    await house.settle()

    session = await stored(house, number)
    assert outcome == Outcome(Result.ACCEPTED, {"session_id": str(number), "revision": 1})
    assert (session.state, session.energy_wh, session.ended_at) == (SessionState.ENDED, 6_000, T0 + HOUR)
    assert set(session.flags) == {Flag.CLOSED_BY_HAND, Flag.NO_STOP, Flag.ESTIMATED}
    ((_, order),) = await house.owed("charge-order")
    assert (order["energy_wh"], order["revision"]) == (6_000, 1)

    house.at = T0 + 3 * HOUR
    await talk.stop(transaction_id, 8_500, T0 + 2 * HOUR)
    await house.settle()

    session = await stored(house, number)
    assert (session.revision, session.energy_wh, session.ended_at) == (2, 7_500, T0 + 2 * HOUR)
    assert session.flags == (Flag.LATE_DATA,)
    orders = [order for _, order in await house.owed("charge-order")]
    assert [(one["energy_wh"], one["revision"]) for one in orders] == [(6_000, 1), (7_500, 2)]
    page = await SessionStories(house.database).evidence(number)
    (told,) = [one for one in page.items if one["kind"] == "closed-by-hand"]
    assert told["details"]["facts"] == {"by": BY, "reason": "broken", "meter_stop_wh": 7_000}


async def test_the_last_reading_before_the_end_counts(house: House) -> None:
    """Closed for an earlier time, what was measured long after it is no energy of the session."""
    talk, transaction_id, number = await started(house)
    house.at = T0 + 2 * HOUR
    await talk.meter(9_000, transaction_id)

    await amend(house.services, talk.state, CloseSession(number, BY, "moved", T0 + HOUR))

    session = await stored(house, number)
    assert (session.energy_wh, session.ended_at) == (5_000, T0 + HOUR)


@pytest.mark.parametrize(
    ("ended_at", "meter_stop_wh", "field"),
    [
        (T0 - MINUTE, None, "ended_at"),
        (T0 + 9 * HOUR, None, "ended_at"),
        (None, 999, "meter_stop_wh"),
    ],
)
async def test_an_end_that_cannot_be(house: House, ended_at: Any, meter_stop_wh: Any, field: str) -> None:
    """Before the start, in the future, below the start register: refused, and nothing changes."""
    talk, _, number = await started(house)
    order = CloseSession(number, BY, "x", ended_at, meter_stop_wh)

    outcome = await amend(house.services, talk.state, order)

    assert outcome.result is Result.REJECTED
    assert outcome.payload is not None
    assert outcome.payload["problem"] == "invalid"
    assert outcome.payload["detail"].startswith(field)
    assert (await stored(house, number)).state is SessionState.ACTIVE


async def test_what_has_ended_is_not_closed_again(house: House) -> None:
    """A stop that came first wins; a session of another station is none of this one's."""
    talk, transaction_id, number = await started(house)
    await talk.stop(transaction_id, 7_000)
    other = await house.connect(identity="CS-2")

    again = await amend(house.services, talk.state, CloseSession(number, BY, "x"))
    elsewhere = await amend(house.services, other.state, CloseSession(number, BY, "x"))

    assert again.payload == {"problem": "conflict", "detail": "the session has ended"}
    assert (elsewhere.payload or {})["problem"] == "not-found"


async def test_an_older_connection_cannot_amend(house: House) -> None:
    """The station has come again elsewhere: its old actor is refused by the epoch."""
    talk, _, number = await started(house)
    await house.connect()

    with pytest.raises(StaleEpoch):
        await amend(house.services, talk.state, CloseSession(number, BY, "x"))


async def test_a_station_that_is_away_is_written_by_whoever_was_asked(house: House) -> None:
    """Nobody holds it: written while the database says so. The new connection sees the end."""
    talk, transaction_id, number = await started(house)
    await go(house, talk)
    house.at = T0 + 2 * HOUR
    desk, _ = amender(house)

    outcome = await desk.carry_out("CS-1", CloseSession(number, BY, "scrapped"))

    assert outcome.result is Result.ACCEPTED
    assert (await stored(house, number)).state is SessionState.ENDED
    again = await house.connect()
    await again.stop(transaction_id, 9_000)
    assert ((await stored(house, number)).energy_wh, (await stored(house, number)).revision) == (8_000, 2)


async def test_a_station_on_its_way_is_left_alone(house: House) -> None:
    """The database says it is connected, nobody answers for it: nothing is written."""
    _, _, number = await started(house)
    desk, _ = amender(house)

    outcome = await desk.carry_out("CS-1", CloseSession(number, BY, "x"))

    assert outcome == Outcome(Result.FAILED, reason=IN_DOUBT)
    assert (await stored(house, number)).state is SessionState.ACTIVE


async def test_whoever_holds_the_station_does_it(house: House) -> None:
    """Over the bus, as a command goes: the holder's actor writes, in its own epoch."""
    talk, _, number = await started(house)
    desk, courier = amender(house)

    async def deliver(command: Any, within_s: float) -> Outcome:
        return await amend(house.services, talk.state, command)

    await courier.hold("CS-1", deliver, talk.state.epoch)

    assert (await desk.carry_out("CS-1", CloseSession(number, BY, "x"))).result is Result.ACCEPTED
    assert talk.state.sessions[next(iter(talk.state.sessions))].state is SessionState.ENDED


async def orphaned(house: House) -> tuple[Talk, int, int, dict[str, Any]]:
    """A session, and a stop of another transaction id that two sessions could have: kept as an orphan."""
    talk, _, number = await started(house)
    await talk.start(1_000, evse=2, token="A1")
    house.at = T0 + 2 * HOUR
    stop = stop_16(-1, T0 + 2 * HOUR, 9_000, idTag="A1")
    await talk.say("StopTransaction", stop)
    (orphan,) = (await Orphans(house.database).find(OrphanFilter())).items
    return talk, number, int(orphan["session_id"]), stop


async def test_an_orphan_stop_ends_its_session(house: House) -> None:
    """As if it had named it; the orphan is listed no longer, and its energy counts once."""
    talk, number, orphan, stop = await orphaned(house)
    house.at += MINUTE

    outcome = await amend(house.services, talk.state, AttachStop(orphan, number, BY, "same car"))
    await house.settle()

    session, left = await stored(house, number), await stored(house, orphan)
    assert outcome.payload == {"session_id": str(number), "revision": 1}
    assert (session.state, session.energy_wh, session.ended_at) == (
        SessionState.ENDED,
        8_000,
        T0 + 2 * HOUR,
    )
    assert Flag.STOP_ATTACHED in session.flags
    assert Flag.NO_STOP not in session.flags
    assert (left.energy_wh, Flag.DISMISSED in left.flags) == (None, True)
    assert (await Orphans(house.database).find(OrphanFilter())).items == []
    ((_, order),) = await house.owed("charge-order")
    assert order["energy_wh"] == 8_000
    # The station sends its stop once more: a repeat, of which nothing comes.
    await talk.say("StopTransaction", stop)
    assert len(await house.sessions()) == 3
    assert await stored(house, number) == session

    again = await amend(house.services, talk.state, AttachStop(orphan, number, BY, "x"))
    assert (again.payload or {})["problem"] == "conflict"


async def test_an_orphan_of_a_station_that_is_away(house: House) -> None:
    """Both sessions are written together, or neither; a closing by hand becomes a revision."""
    talk, number, orphan, _ = await orphaned(house)
    await amend(house.services, talk.state, CloseSession(number, BY, "x"))
    await go(house, talk)
    desk, _ = amender(house)

    outcome = await desk.carry_out("CS-1", AttachStop(orphan, number, BY, "same car"))

    assert outcome.payload == {"session_id": str(number), "revision": 2}
    session = await stored(house, number)
    assert (session.energy_wh, Flag.CLOSED_BY_HAND in session.flags) == (8_000, False)


async def test_an_orphan_is_dismissed(house: House) -> None:
    """It is listed no longer, and a start that comes late does not take it."""
    talk, _, orphan, _ = await orphaned(house)

    assert (
        await amend(house.services, talk.state, DismissStop(orphan, BY, "test"))
    ).result is Result.ACCEPTED
    assert (await Orphans(house.database).find(OrphanFilter())).items == []
    twice = await amend(house.services, talk.state, DismissStop(orphan, BY, "test"))
    assert (twice.payload or {})["problem"] == "conflict"
    assert (await stored(house, orphan)).revision == 1


async def test_a_stop_a_week_away_is_another_sessions(house: House) -> None:
    """What cannot be is refused, whoever says it."""
    talk, number, orphan, _ = await orphaned(house)
    house.at += timedelta(days=9)
    late = stop_16(-1, house.at, 9_000, idTag="A1")
    await talk.say("StopTransaction", late)
    (newest, _) = (await Orphans(house.database).find(OrphanFilter())).items

    refused = await amend(house.services, talk.state, AttachStop(int(newest["session_id"]), number, BY, "x"))

    assert (refused.payload or {})["problem"] == "invalid"
    assert orphan != int(newest["session_id"])
