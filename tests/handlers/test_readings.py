"""The plain way of a reading leaves the same as the way of all others; and what it leaves to that."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from csms.domain.assets import BootStatus, IdToken, OcppVersion
from csms.errors import StaleEpoch, StoreError, StoreUnavailable
from csms.handlers.readings import Taken, stored, take_reading
from csms.protocol.frames import Call
from csms.store.database import Database, InlineDatabase
from csms.store.migrations import upgrade_database
from csms.store.tables import session_due
from csms.store.writer import RowRefused, Writer
from tests.handlers.kit import MINUTE, T0, House, Payload, Talk, event_2, meter_16, text

VERSIONS = list(OcppVersion)
EACH = pytest.mark.parametrize("version", VERSIONS)


@pytest.fixture
async def other_house() -> AsyncIterator[House]:
    """A second house, of its own database: whatever is told in both must be the same in both."""
    database = InlineDatabase()
    await upgrade_database(database)
    async with Writer(database, hold_s=0.05, fence=True) as writer:
        made = House(database, writer)
        for token in ("A1", "A2"):
            await made.services.registry.put_token(IdToken(token, concurrent_limit=10), T0)
        yield made
    await database.close()


class Waiting:
    """One reading that was taken; `heard` is what its `done` heard, once it did."""

    def __init__(self, talk: Talk, action: str, payload: Payload) -> None:
        self.talk = talk
        self.heard: list[StoreError | None] = []
        talk.said += 1
        call = Call(f"m{talk.said}", action, msgspec.Raw(json.dumps(payload).encode()))
        self.taken = take_reading(talk.house.services, talk.state, call, self.heard.append)
        if self.taken is None:
            talk.said -= 1

    async def commit(self) -> StoreError | None:
        """Wait for the commit, and note it as the connection does."""
        assert isinstance(self.taken, Taken)
        while not self.heard:  # noqa: ASYNC110 - `done` is no coroutine
            await asyncio.sleep(0)
        (refusal,) = self.heard
        if refusal is None:
            stored(self.talk.house.services, self.talk.state, self.taken)
        return refusal


async def plainly(talk: Talk, action: str, payload: Payload) -> bool:
    """Say it the plain way where it is one, else the other; whether it was."""
    waiting = Waiting(talk, action, payload)
    if waiting.taken is None:
        await talk.say(action, payload)
        return False
    assert await waiting.commit() is None
    return True


class Charging:
    """A session at one EVSE of any version: what its station says next."""

    def __init__(self, talk: Talk, evse: int = 1) -> None:
        self.talk, self.evse = talk, evse
        self.tx: int | str = ""
        self.seq, self.wh = 0, 1_000

    @property
    def action(self) -> str:
        return "MeterValues" if self.talk.is_16 else "TransactionEvent"

    @property
    def key(self) -> str:
        return str(self.tx)

    async def start(self) -> None:
        """Plug in."""
        if self.talk.is_16:
            self.tx = await self.talk.start(self.wh, evse=self.evse)
            return
        self.tx = f"TX-{self.evse}"
        token = {"idToken": "A1", "type": "ISO14443"}
        await self.talk.say("TransactionEvent", self._event("Started", idToken=token))

    def reading(self, wh: int, *others: Payload) -> Payload:
        """The next one, now, `wh` further, with other samples of the same instant."""
        self.wh += wh
        if self.talk.is_16:
            payload = meter_16(self.talk.house.at, self.wh, int(self.tx), self.evse)
        else:
            self.seq += 1
            payload = self._event("Updated")
        payload["meterValue"][0]["sampledValue"] += others
        return payload

    def _event(self, kind: str, **more: Any) -> Payload:
        place = {"id": self.evse, "connectorId": 1}
        return event_2(kind, self.talk.house.at, self.seq, self.wh, str(self.tx), evse=place, **more)

    async def stop(self) -> None:
        """Unplug."""
        if self.talk.is_16:
            await self.talk.stop(int(self.tx), self.wh)
            return
        self.seq += 1
        more = {"transactionId": self.tx, "stoppedReason": "Local"}
        await self.talk.say("TransactionEvent", self._event("Ended", transactionInfo=more))


async def charging(house: House, version: OcppVersion, evse: int = 1, talk: Talk | None = None) -> Charging:
    """A session that has begun, and has had a reading after a minute: its kinds are known."""
    if talk is None:
        talk = await house.connect(version)
        await talk.boot()
    made = Charging(talk, evse)
    await made.start()
    house.at += MINUTE
    await talk.say(made.action, made.reading(100, *voltage(talk)))
    return made


def voltage(talk: Talk) -> list[Payload]:
    """Another measurand, as its version writes it."""
    value: Any = "230.1" if talk.is_16 else 230.1
    return [{"value": value, "measurand": "Voltage", "phase": "L1-N"}]


async def everything(house: House, number: int = 0) -> dict[str, Any]:
    """A session, its readings and its timeline as the API gives them, and as the domain knows it."""
    shown = (await house.sessions())[number]
    session_id = int(shown["session_id"])
    store = house.services.sessions
    session = await store.by_id(session_id)
    assert session is not None
    return {
        "shown": await store.shown(session_id),
        "session": session,
        "readings": await store.readings(session_id),
        "domain": await store.readings_of(session),
        "timeline": await store.timeline(session_id),
        "messages": await store.messages_of(session_id),
    }


async def at_rest(house: House) -> None:
    """Wait until what sessions have come to is put down."""
    while house.writer._courses or house.writer.waiting:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)


@EACH
async def test_both_ways_leave_the_same(house: House, other_house: House, version: OcppVersion) -> None:
    """Session, readings, timeline: while it runs and after its end."""
    plain, general = [await charging(one, version) for one in (house, other_house)]
    for n in range(5):
        for one in (house, other_house):
            one.at += MINUTE
        others = [] if n % 2 else voltage(plain.talk)
        assert await plainly(plain.talk, plain.action, plain.reading(n * 50, *others))
        await general.talk.say(general.action, general.reading(n * 50, *others))
    await at_rest(house)

    assert await everything(house) == await everything(other_house)
    assert plain.talk.state.sessions == general.talk.state.sessions
    for one in (house, other_house):
        one.at += MINUTE
    await plain.stop()
    await general.stop()

    assert await everything(house) == await everything(other_house)
    (session,) = await house.sessions()
    assert (session["energy_wh"], session["state"], session["quality"]) == (600, "ended", [])


@EACH
async def test_a_reading_is_answered_after_its_commit_only(house: House, version: OcppVersion) -> None:
    """`done` hears of it when the row is there, and not before."""
    session = await charging(house, version)
    house.at += MINUTE

    waiting = Waiting(session.talk, session.action, session.reading(50))
    assert isinstance(waiting.taken, Taken)
    assert waiting.heard == []
    before = len((await everything(house))["timeline"])
    assert await waiting.commit() is None

    assert len((await everything(house))["timeline"]) == before + 1
    assert len(waiting.heard) == 1


@EACH
@pytest.mark.parametrize("refusal", [StaleEpoch, StoreUnavailable, RowRefused])
async def test_a_refused_reading_advances_nothing(
    house: House, version: OcppVersion, refusal: type[StoreError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session is what it was, and the same message may be said again."""
    session = await charging(house, version)
    before = session.talk.state.sessions[session.key]
    house.at += MINUTE
    payload = session.reading(50)

    if refusal is StaleEpoch:
        session.talk.state.epoch -= 1
    else:
        monkeypatch.setattr(house.database, "put", failing(refusal))
        monkeypatch.setattr(house.database, "run", failing(refusal))
    heard = await Waiting(session.talk, session.action, payload).commit()
    monkeypatch.undo()

    assert isinstance(heard, refusal)
    assert session.talk.state.sessions[session.key] == before
    assert len((await everything(house))["timeline"]) == 2
    if refusal is RowRefused:
        assert await plainly(session.talk, session.action, payload)
        assert len((await everything(house))["timeline"]) == 3


def failing(refusal: type[StoreError]) -> Any:
    """A door of the database behind which everything fails."""

    async def fail(job: object) -> None:
        raise StoreUnavailable("away") if refusal is StoreUnavailable else ValueError("bad row")

    return fail


@EACH
async def test_what_a_reading_measures_must_be_known(house: House, version: OcppVersion) -> None:
    """A new kind goes the way on which its words are stored; after that it is plain."""
    session = await charging(house, version)
    soc: Payload = {"value": "80" if session.talk.is_16 else 80, "measurand": "SoC", "location": "EV"}
    ways = []
    for _ in range(2):
        house.at += MINUTE
        ways.append(await plainly(session.talk, session.action, session.reading(10, soc)))

    assert ways == [False, True]
    readings = (await everything(house))["readings"].items
    assert [one["value"] for one in readings if one["measurand"] == "soc"] == [80, 80]


@EACH
async def test_a_process_that_has_just_started_knows_no_kinds(house: House, version: OcppVersion) -> None:
    """Kinds are learnt from commits of its own."""
    session = await charging(house, version)
    house.writer.kinds.clear()
    house.at += MINUTE

    assert Waiting(session.talk, session.action, session.reading(10)).taken is None


@EACH
async def test_sessions_at_two_evses_run_side_by_side(house: House, version: OcppVersion) -> None:
    """Each its own course."""
    first = await charging(house, version, 1)
    second = await charging(house, version, 2, first.talk)
    for n in range(4):
        house.at += MINUTE
        for session, wh in ((first, 10), (second, 100 * n)):
            assert await plainly(session.talk, session.action, session.reading(wh))
    await at_rest(house)

    assert [one["energy_wh"] for one in await house.sessions()] == [140, 700]
    for number, session in enumerate((first, second)):
        found = await everything(house, number)
        assert found["session"] == session.talk.state.sessions[session.key]
        assert {one["evse"] for one in found["readings"].items} == {number + 1}


@EACH
async def test_asking_for_the_sessions_in_between_loses_nothing(house: House, version: OcppVersion) -> None:
    """Before, while and after a reading is on its way to the store."""
    session = await charging(house, version)
    state = session.talk.state
    heard = state.sessions[session.key].heard
    for n in range(6):
        house.at += MINUTE
        waiting = Waiting(session.talk, session.action, session.reading(50))
        assert waiting.taken is not None
        if n % 3 == 1:
            assert state.sessions[session.key].heard == heard
        assert await waiting.commit() is None
        heard += 1
        if n % 3 == 2:
            assert state.sessions[session.key].heard == heard
    await at_rest(house)

    assert state.sessions[session.key].energy_wh == 400
    assert (await everything(house))["session"] == state.sessions[session.key]


@EACH
async def test_other_messages_between_plain_readings(house: House, version: OcppVersion) -> None:
    """A status, an odd reading and a plain one again: what was said plainly counts in what follows."""
    session = await charging(house, version)
    house.at += MINUTE
    assert await plainly(session.talk, session.action, session.reading(50))
    await session.talk.status("Charging" if session.talk.is_16 else "Occupied")
    house.at += MINUTE
    assert await plainly(session.talk, session.action, session.reading(50))
    house.at += 60 * MINUTE
    assert not await plainly(session.talk, session.action, session.reading(50))
    house.at += MINUTE
    assert await plainly(session.talk, session.action, session.reading(50))
    await at_rest(house)

    found = await everything(house)
    assert found["shown"]["energy_wh"] == 300
    assert found["session"] == session.talk.state.sessions[session.key]
    assert len(found["messages"]) == 6


@EACH
async def test_the_same_reading_again_is_answered_and_stored_once(house: House, version: OcppVersion) -> None:
    """T06, E01: it is no next reading, and the other way knows it by what was stored plainly."""
    session = await charging(house, version)
    house.at += MINUTE
    payload = session.reading(50)

    assert await plainly(session.talk, session.action, payload)
    assert not await plainly(session.talk, session.action, payload)

    found = await everything(house)
    assert len(found["messages"]) == 3
    assert found["session"].flags == ()
    assert session.talk.state.sessions[session.key].heard == 3


@EACH
async def test_a_new_connection_goes_on_where_the_last_one_was(house: House, version: OcppVersion) -> None:
    """Though the session's row does not know yet what was said."""
    session = await charging(house, version)
    house.at += MINUTE
    assert await plainly(session.talk, session.action, session.reading(50))
    known = session.talk.state.sessions[session.key]

    talk = await house.connect(version)

    assert talk.state.sessions[session.key] == known
    assert known.energy_wh == 150


@EACH
async def test_a_reading_that_starts_an_hour_makes_it_due(house: House, version: OcppVersion) -> None:
    """Plain ones within the hour do not."""
    session = await charging(house, version)

    async def version_of_mark() -> int:
        (row,) = await house.database.read(session_due.select())
        return int(row.version)

    marked = await version_of_mark()
    house.at += MINUTE
    assert await plainly(session.talk, session.action, session.reading(50))
    assert await version_of_mark() == marked
    house.at += 60 * MINUTE
    assert not await plainly(session.talk, session.action, session.reading(50))
    assert await version_of_mark() == marked + 1


@EACH
@pytest.mark.parametrize("why", ["pending", "no-session", "ended", "odd", "full", "closed"])
async def test_what_is_not_taken(
    house: House, version: OcppVersion, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is done then, and nobody will hear of it."""
    session = await charging(house, version)
    state = session.talk.state
    house.at += MINUTE
    if why == "pending":
        state.station = replace(state.station, boot_status=BootStatus.PENDING)
    if why == "no-session":
        state.sessions.clear()
    if why == "ended":
        await session.stop()
        house.at += MINUTE
    if why == "full":
        monkeypatch.setattr(house.writer, "_max_waiting", 0)
    if why == "closed":
        monkeypatch.setattr(house.writer, "healthy", False)
    payload = session.reading(10, *[{"value": "?", "measurand": "SoC"}] * (why == "odd"))

    waiting = Waiting(session.talk, session.action, payload)

    assert waiting.taken is None
    await asyncio.sleep(0)
    assert waiting.heard == []
    assert house.writer.waiting == 0


@pytest.mark.parametrize("nameless", ["0", "-1"])
async def test_an_id_that_names_nothing_is_no_plain_reading(house: House, nameless: str) -> None:
    """Errata 3.18: 1.6 stations send it for whatever runs."""
    session = await charging(house, OcppVersion.V16)
    house.at += MINUTE

    payload = session.reading(10) | {"transactionId": int(nameless)}

    assert Waiting(session.talk, session.action, payload).taken is None


@EACH
async def test_the_message_is_in_the_stations_log(house: House, version: OcppVersion) -> None:
    """Its row is its entry: action, payload as sent, an empty answer."""
    session = await charging(house, version)
    house.at += MINUTE
    payload = session.reading(50)
    assert await plainly(session.talk, session.action, payload)

    page = await house.services.devices.messages(session.talk.state.station.station_id)

    latest = page.items[0]
    assert (latest["action"], latest["answer"], latest["outcome"]) == (session.action, "{}", "answered")
    assert json.loads(latest["request"]) == payload
    assert latest["message_id"] == f"m{session.talk.said}"
    assert latest["at"].startswith(text(house.at)[:19])


async def test_a_store_over_files_takes_them_too(database: Database) -> None:
    """Both databases: a session whose readings came plainly is read back whole."""
    async with Writer(database, fence=True) as writer:
        house = House(database, writer)
        await house.services.registry.put_token(IdToken("A1", concurrent_limit=10), T0)
        sessions = [await charging(house, OcppVersion.V16)]
        for n in range(20):
            house.at += MINUTE / 2
            assert await plainly(sessions[0].talk, "MeterValues", sessions[0].reading(n))
        known = sessions[0].talk.state.sessions[sessions[0].key]
        assert (await everything(house))["session"] == known

    found = await everything(house)
    assert found["session"] == known
    assert found["shown"]["energy_wh"] == known.energy_wh == 290
    assert len(found["messages"]) == 22
