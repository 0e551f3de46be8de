"""A station as its central system meets it: order, loss, repetition, refusal."""

import json
from typing import Any

import pytest

from simulators.facts import Stop
from simulators.station import Answered, Stray
from tests.simulators.talk import VERSIONS, Talk, station, visit

TRANSACTIONAL = {"StartTransaction", "MeterValues", "StopTransaction", "TransactionEvent"}


def transactional(talk: Talk) -> list[tuple[str, Any]]:
    """What was said of sessions."""
    return [(action, payload) for action, payload in talk.said if action in TRANSACTIONAL]


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_said_before_the_boot_is_accepted(version: str) -> None:
    """Pending: wait, boot again, and only then talk."""
    talk = Talk(station(version, visit()))
    boots = iter(["Pending", "Accepted"])
    accept = talk.accept
    talk.answer = lambda action, payload: (
        {"status": next(boots), "currentTime": "2026-01-01T10:00:00.000Z", "interval": 7}
        if action == "BootNotification"
        else accept(action, payload)
    )
    talk.connect()
    talk.flush()
    assert talk.actions() == ["BootNotification"]
    assert talk.station.pause_s == 7

    talk.station.pause_s = 0
    talk.flush()

    assert talk.actions()[:3] == ["BootNotification", "BootNotification", "StatusNotification"]
    assert talk.station.settings.heartbeat_s == 7


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("same_id", [True, False])
def test_lost_answers_are_made_up_for_by_repeating(version: str, same_id: bool) -> None:
    """Every third answer is lost with the socket; each message is repeated as it was, in order."""
    one = station(version, visit(minutes=4), same_id_on_retry=same_id)
    talk = Talk(one)
    count = 0

    def lossy(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        nonlocal count
        count += action in TRANSACTIONAL
        return None if action in TRANSACTIONAL and count % 3 == 0 else talk.accept(action, payload)

    talk.answer = lossy
    talk.play()
    for _ in range(20):
        talk.connect() if not one.online else None
        talk.flush()
        talk.step()

    said = [json.dumps(entry) for entry in transactional(talk)]
    ids = [name for name, (action, _) in zip(talk.ids, talk.said, strict=True) if action in TRANSACTIONAL]
    repeats = [n for n in range(1, len(said)) if said[n] == said[n - 1]]
    assert one.idle
    assert repeats
    assert {ids[n] == ids[n - 1] for n in repeats} == {same_id}
    clean = Talk(station(version, visit(minutes=4))).play()
    untold = [json.dumps(entry) for entry in transactional(clean)]
    assert len(dict.fromkeys(said)) == len(untold)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_without_connection_is_told_later(version: str) -> None:
    """Everything happened offline; after the connection the boot comes first, then the session in order."""
    one = station(version, visit(minutes=3))
    talk = Talk(one)
    while talk.step():
        pass
    assert one.outbox.transactional == 4

    talk.connect()
    talk.flush()

    assert talk.actions()[0] == "BootNotification"
    assert "Authorize" not in talk.actions()
    talk.assert_valid()
    if version == "1.6":
        assert {values["transactionId"] for values in talk.of("MeterValues")} == {7001}
    else:
        assert all(event["offline"] for event in talk.of("TransactionEvent"))
    assert one.idle


def test_16_session_waits_for_its_transaction_id() -> None:
    """The Start's answer is lost: nothing else of the session is said before it is answered."""
    talk = Talk(station("1.6", visit(minutes=3)))
    answers = iter([None])
    talk.answer = lambda action, payload: (
        next(answers, talk.accept(action, payload))
        if action == "StartTransaction"
        else talk.accept(action, payload)
    )
    talk.play()
    while talk.step():
        pass
    assert [action for action, _ in transactional(talk)] == ["StartTransaction"]

    talk.connect()
    talk.flush()

    actions = [action for action, _ in transactional(talk)]
    assert actions == [
        "StartTransaction",
        "StartTransaction",
        "MeterValues",
        "MeterValues",
        "StopTransaction",
    ]
    assert talk.of("StopTransaction")[0]["transactionId"] == 7002


@pytest.mark.parametrize("version", VERSIONS)
def test_refused_transaction_message_is_sent_again_after_a_pause(version: str) -> None:
    """CALLERROR does not end a transaction message's life; other messages are given up."""
    one = station(version, visit(minutes=1))
    talk = Talk(one)
    begin = "StartTransaction" if version == "1.6" else "TransactionEvent"
    refusals = iter(["InternalError", "GenericError"])

    def refusing(action: str, payload: dict[str, Any]) -> dict[str, Any] | str | None:
        return (
            next(refusals, talk.accept(action, payload))
            if action in ("Authorize", begin)
            else talk.accept(action, payload)
        )

    talk.answer = refusing
    talk.until("Authorize")
    assert one.pause_s == 1
    assert one.outgoing() is None
    for _ in range(3):
        one.pause_s = 0
        talk.flush()

    assert talk.of("Authorize") == talk.of("Authorize")[:1]
    assert talk.of(begin)[0] == talk.of(begin)[1]
    assert [heard.ok for heard in talk.heard if isinstance(heard, Answered)].count(False) == 2


def test_start_answer_without_a_transaction_id_is_no_answer() -> None:
    """The start is said again until it gets a number."""
    talk = Talk(station("1.6", visit()))
    accept = talk.accept
    talk.answer = lambda action, payload: {} if action == "StartTransaction" else accept(action, payload)
    talk.until("StartTransaction")
    assert talk.station.pause_s > 0

    talk.answer, talk.station.pause_s = accept, 0
    talk.flush()

    assert len(talk.of("StartTransaction")) == 2
    assert list(talk.station.transaction_ids.values()) == [7001]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_of_a_refused_token_ends_at_once(version: str) -> None:
    """StopTransactionOnInvalidId: deauthorized."""
    talk = Talk(station(version, visit(minutes=9)))
    refusal = {"idTagInfo": {"status": "Blocked"}, "idTokenInfo": {"status": "Blocked"}, "transactionId": 5}
    begins = ("StartTransaction", "TransactionEvent")
    talk.answer = lambda action, payload: refusal if action in begins else talk.accept(action, payload)
    talk.play()
    if version == "1.6":
        assert talk.of("StopTransaction")[0]["reason"] == "DeAuthorized"
    else:
        ended = talk.of("TransactionEvent")[-1]
        assert ended["transactionInfo"]["stoppedReason"] == "DeAuthorized"
        assert ended["seqNo"] == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_authorization_lost_on_the_way_becomes_an_offline_start(version: str) -> None:
    """The socket goes while the token is checked: the driver is let in."""
    talk = Talk(station(version, visit(minutes=2)))
    talk.answer = lambda action, payload: None if action == "Authorize" else talk.accept(action, payload)
    talk.until("Authorize")
    assert not talk.station.online
    assert talk.station.outbox.transactional == 1


@pytest.mark.parametrize("boots", [True, False])
def test_a_station_that_only_lost_its_connection_need_not_boot(boots: bool) -> None:
    """Either BootNotification again or the connectors' statuses."""
    talk = Talk(station("2.0.1", boot_on_reconnect=boots)).play()
    talk.station.disconnected(talk.at)
    talk.said.clear()
    talk.play()
    assert talk.actions() == (["BootNotification"] if boots else []) + ["StatusNotification"]


@pytest.mark.parametrize("version", VERSIONS)
def test_reset_ends_sessions_and_boots_again(version: str) -> None:
    """The answer leaves first, then the socket; the register survives."""
    talk = Talk(station(version, visit(minutes=30))).until(
        "MeterValues" if version == "1.6" else "TransactionEvent"
    )
    talk.step()
    kind = "Soft" if version == "1.6" else "Immediate"
    assert talk.order("Reset", {"type": kind})[2] == {"status": "Accepted"}
    assert talk.station.restart

    talk.station.reboot(talk.at)
    talk.station.disconnected(talk.at)
    register = talk.station.evses[1].meter_wh
    talk.said.clear()
    talk.connect()
    talk.flush()

    assert talk.actions()[0] == "BootNotification"
    assert "StopTransaction" in talk.actions() or talk.of("TransactionEvent")[-1]["eventType"] == "Ended"
    assert talk.station.evses[1].meter_wh == register
    talk.assert_valid()


def test_power_loss_is_told_as_such() -> None:
    """Sessions end for lack of power."""
    talk = Talk(station("1.6", visit(minutes=30))).until("MeterValues")
    talk.station.lose_power(talk.at)
    talk.station.disconnected(talk.at)
    talk.connect()
    talk.flush()
    assert talk.of("StopTransaction")[0]["reason"] == "PowerLoss"
    assert talk.actions().count("BootNotification") == 2


@pytest.mark.parametrize(
    "answer", [{}, {"status": "Accepted", "interval": None}, {"status": 3, "interval": "x"}]
)
def test_a_strange_answer_to_the_boot_is_asked_for_again(answer: dict[str, Any]) -> None:
    """The station pauses and boots once more."""
    talk = Talk(station("2.1"))
    talk.answer = lambda action, payload: answer
    talk.connect()
    talk.flush()
    assert talk.station.pause_s > 0

    talk.answer, talk.station.pause_s = talk.accept, 0
    talk.flush()

    assert talk.actions()[:2] == ["BootNotification"] * 2
    assert talk.station.booted


@pytest.mark.parametrize("text", ["", "{", "[]", "[3,5]", '[3,"x",{}]', '[4,"x","E","",{}]', "42"])
def test_strange_frames_are_stray(text: str) -> None:
    """Nothing that is no answer and no order moves a station."""
    talk = Talk(station("2.1")).play()
    assert isinstance(talk.station.receive(text, talk.at), Stray)


def test_past_is_told_without_asking_and_without_statuses() -> None:
    """History: only the sessions, marked as offline."""
    one = station("2.0.1", visit(minutes=3))
    one.past = True
    talk = Talk(one).play()
    assert talk.actions() == ["BootNotification", *["TransactionEvent"] * 4]
    assert all(event["offline"] for event in talk.of("TransactionEvent"))


def test_timed_out_message_is_sent_again_on_the_same_connection() -> None:
    """A transaction message goes again, a heartbeat does not."""
    talk = Talk(station("2.0.1", visit(minutes=3, stop=Stop.LOCAL))).until("Authorize")
    first = talk.station.evses[1].session
    assert first is not None
    talk.step()
    out = talk.station.outgoing()
    assert out is not None
    talk.station.timed_out(talk.at)
    again = talk.station.outgoing()
    assert again is not None
    assert again[1] == out[1]
