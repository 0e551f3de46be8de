"""The journal: every operation and its state, readable by itself."""

from pathlib import Path

from simulators import journal as journals
from simulators.journal import Journal
from simulators.misbehaviours import Judged
from simulators.truth import from_journal
from tests.simulators.talk import Talk, station, visit


def run(path: Path, version: str, lose: int = 0) -> Talk:
    """A session whose messages are journalled; the first `lose` answers are lost."""
    journal = Journal(path)
    journal.station("CS-1", version, Judged.READINGS)
    talk = Talk(station(version, visit(minutes=3), transaction_data=True))
    talk.connect()
    going = True
    while going:
        while (out := talk.station.outgoing()) is not None:
            letter, _ = out
            journal.sent("CS-1", letter)
            if letter.kept and lose:
                lose -= 1
                journal.lost("CS-1", letter.message_id)
                talk.station.timed_out(talk.at)
                continue
            answer = talk.accept(letter.told.action, letter.told.payload)
            assert isinstance(answer, dict)
            text = f'[3,"{letter.message_id}",{journals.json.dumps(answer)}]'
            journal.acknowledged("CS-1", letter.message_id, answer, letter.kept)
            talk.station.receive(text, talk.at)
        going = talk.step()
    journal.close()
    return talk


def test_truth_can_be_read_back(tmp_path: Path) -> None:
    """Registers, times, the number the central system gave, and the values acknowledged."""
    talk = run(tmp_path / "j.jsonl", "1.6")
    truth = from_journal(journals.read(tmp_path / "j.jsonl"))

    (session,) = truth.sessions
    assert truth.stations == {"CS-1": Judged.READINGS}
    assert session.transaction_id == "7001"
    assert (session.token, session.evse) == ("TOKEN1", 1)
    assert session.meter_start_wh == 1000
    assert session.meter_stop_wh == talk.station.evses[1].meter_wh
    assert session.energy_wh == talk.station.evses[1].meter_wh - 1000
    assert session.complete
    # Two samples of register, power, three currents and three voltages; begin and end in transactionData.
    assert session.readings_count == 2 * 8 + 2


def test_lost_answers_are_unknown_until_a_repeat_is_acknowledged(tmp_path: Path) -> None:
    """Repeats count once."""
    run(tmp_path / "j.jsonl", "2.0.1", lose=2)
    records = list(journals.read(tmp_path / "j.jsonl"))
    assert [record["op"] for record in records].count("unknown") == 2
    assert [record.get("attempt") for record in records if record.get("kind") == "began"] == [1, 2, 3]

    (session,) = from_journal(records).sessions

    assert session.complete
    assert session.readings_count == 1 + 2 * 8 + 1
    assert session.transaction_id == session.key


def test_what_was_never_acknowledged_stays_open(tmp_path: Path) -> None:
    """Without its last answer the session is not complete."""
    run(tmp_path / "j.jsonl", "2.1")
    records = list(journals.read(tmp_path / "j.jsonl"))
    last = next(n for n, record in enumerate(records) if record.get("kind") == "finished")
    (session,) = from_journal(records[: last + 1]).sessions
    assert not session.complete
    assert session.ended_at is not None


def test_a_line_cut_short_is_left_out(tmp_path: Path) -> None:
    """A crash in the middle of a line does not spoil the rest."""
    path = tmp_path / "j.jsonl"
    path.write_text('{"op":"station","station":"A","version":"1.6","judged":3}\n{"op":"ca')
    assert len(list(journals.read(path))) == 1


def test_a_journal_may_be_kept_nowhere() -> None:
    """It still counts."""
    journal = Journal(None)
    journal.station("A", "1.6", 3)
    journal.refused("A", "1", "InternalError")
    journal.close()
    assert journal.refused_count == 1
