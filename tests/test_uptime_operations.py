"""How availability is printed, of figures given here; with a database see `test_report_uptime_cli`."""

import json

import pytest

from csms.uptime_operations import WRITERS

PORT = {
    "charging_station": "CS-0001",
    "evse": 1,
    "connector": 2,
    "minutes": {"offline": 1440.0, "fault": None},
    "uk": {"rapid": True, "month": {"reliability": 93.5}, "year": {"reliability": 99.25}},
}


def test_a_table_of_one_regime(capsys: pytest.CaptureFixture[str]) -> None:
    """Only its columns, a dash for what is not known, and the mean that the rule asks for."""
    WRITERS["text"]([PORT], ("uk",))

    shown = capsys.readouterr().out
    line = next(line for line in shown.splitlines() if line.strip().startswith("CS-0001/1/2"))
    assert line.split() == ["CS-0001/1/2", "1440", "-", "93.5", "99.25"]
    assert "UK: 99.25 % on average this year (1 rapid)." in shown
    assert "NEVI" not in shown


def test_json_with_the_definitions_of_what_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """The figures as they are."""
    WRITERS["json"]([PORT], ("uk",))

    shown = json.loads(capsys.readouterr().out)
    assert shown["items"] == [PORT]
    assert list(shown["definitions"]) == ["uk"]


def test_no_connector_is_an_empty_file(capsys: pytest.CaptureFixture[str]) -> None:
    """CSV of nothing has no header: its columns are those of the figures."""
    WRITERS["csv"]([], ("cn",))

    assert capsys.readouterr().out.strip() == ""
