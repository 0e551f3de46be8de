"""What a connection remembers of its station's sessions."""

from csms.domain.assets import OcppVersion
from csms.domain.charging_session import SessionState, evolve
from csms.handlers.context import MOST_ENDED, StationState
from csms.protocol import DIALECTS
from csms.protocol.repairs import STANDARD
from csms.vendors import profile_for
from tests.handlers.kit import House


async def _state(house: House) -> tuple[StationState, StationState]:
    """A state that knows one session, and an empty one."""
    talk = await house.connect()
    await talk.start()
    return talk.state, StationState(talk.state.station, DIALECTS[OcppVersion.V16], 1)


async def test_a_session_is_found_by_its_transaction_id(house: House) -> None:
    """And by no other."""
    known, state = await _state(house)
    (session,) = known.sessions.values()

    state.remember(session)

    assert state.recall(session.transaction_id) is session
    assert state.recall("77") is None


async def test_sessions_whose_ids_say_nothing_are_kept_apart(house: House) -> None:
    """Two stops of transaction -1 are two sessions."""
    known, state = await _state(house)
    (session,) = known.sessions.values()

    for n in (1, 2):
        state.remember(evolve(session, session_id=n, transaction_id="-1", start_key=f"stop:{n}"))

    assert len(state.sessions) == 2
    assert state.recall("-1") is None


async def test_a_session_has_one_name(house: House) -> None:
    """An orphan stop that found its start is not known by its old transaction id any more."""
    known, state = await _state(house)
    (session,) = known.sessions.values()
    state.remember(evolve(session, transaction_id="11", start_key="stop:11"))

    state.remember(session)

    assert list(state.sessions.values()) == [session]


async def test_the_oldest_ended_sessions_are_forgotten(house: House) -> None:
    """A connection of weeks does not grow; what still runs stays."""
    known, state = await _state(house)
    (running,) = known.sessions.values()
    state.remember(running)

    for n in range(1, 3 * MOST_ENDED):
        ended = evolve(running, session_id=n, transaction_id=f"t{n}", state=SessionState.ENDED)
        state.remember(ended)

    assert state.recall(running.transaction_id) is running
    assert len(state.sessions) == MOST_ENDED + 1
    assert state.recall(f"t{3 * MOST_ENDED - 1}") is not None
    assert state.recall("t1") is None


async def test_few_ended_sessions_are_all_kept(house: House) -> None:
    """Nothing is forgotten before there are too many."""
    known, state = await _state(house)
    (running,) = known.sessions.values()

    for n in range(1, MOST_ENDED):
        state.remember(evolve(running, session_id=n, transaction_id=f"t{n}", state=SessionState.ENDED))

    assert len(state.sessions) == MOST_ENDED - 1


async def test_a_make_brings_its_repairs(house: House) -> None:
    """From the boot on, and after a reconnect, what is known of the make decides what is put right."""
    talk = await house.connect()
    make = {"chargePointVendor": "Schneider Electric", "chargePointModel": "EVlink"}
    assert talk.state.repairs == STANDARD

    await talk.say("BootNotification", make)

    known = profile_for("Schneider Electric", "EVlink", "").repairs
    assert talk.state.repairs == (await house.connect()).state.repairs == known != STANDARD
