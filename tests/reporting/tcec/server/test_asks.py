"""Payloads as peers send them: numbers as text, own spellings, times of two kinds; and what is refused."""

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.reporting.tcec.server import asks
from csms.reporting.tcec.server.refusals import Refusal

SEQ = "123456789" + "0" * 18
NONE: dict[str, str] = {}


def test_a_page_is_read_leniently() -> None:
    """Numbers as text, null for nothing, fields nobody knows."""
    ask = asks.read(asks.PageAsk, {"PageNo": "2", "PageSize": None, "LastQueryTime": "", "X": 1}, NONE)

    assert ask == asks.PageAsk(last_query_time="", page_no=2)


def test_names_in_the_platforms_spelling() -> None:
    """What the profile spells in its own way is understood that way."""
    ask = asks.read(asks.StatusAsk, {"stationIds": ["S1"]}, {"StationIDs": "stationIds"})

    assert ask.station_ids == ["S1"]


@pytest.mark.parametrize(
    ("kind", "payload", "said"),
    [
        (asks.StatusAsk, {}, "StationIDs"),
        (asks.StatusAsk, {"StationIDs": []}, "StationIDs"),
        (asks.StatusAsk, {"StationIDs": "S1"}, "StationIDs"),
        (asks.StatusAsk, {"StationIDs": [{}]}, "StationIDs"),
        (asks.PageAsk, {"PageNo": 0}, "PageNo"),
        (asks.PageAsk, {"PageSize": "many"}, "PageSize"),
        (asks.StartAsk, {"StartChargeSeq": SEQ}, "ConnectorID"),
        (asks.StartAsk, {"StartChargeSeq": SEQ[1:], "ConnectorID": "C"}, "StartChargeSeq"),
        (asks.StartAsk, {"StartChargeSeq": SEQ + "0", "ConnectorID": "C"}, "StartChargeSeq"),
        (asks.StartAsk, {"StartChargeSeq": SEQ[1:] + "\n", "ConnectorID": "C"}, "StartChargeSeq"),
        (asks.FrequencyAsk, {"ParaFrequency": 0}, "ParaFrequency"),
    ],
)
def test_what_cannot_be_used_is_named(kind: type[Any], payload: dict[str, Any], said: str) -> None:
    """Ret 4004, with the field's name."""
    with pytest.raises(Refusal, match=said) as refused:
        asks.read(kind, payload, NONE)

    assert refused.value.ret == 4004


@pytest.mark.parametrize(
    ("start", "end", "since", "until"),
    [
        ("2026-01-05", "2026-01-05", datetime(2026, 1, 4, 16), datetime(2026, 1, 5, 16)),
        ("2026-1-5", "2026-01-06", datetime(2026, 1, 4, 16), datetime(2026, 1, 6, 16)),
        ("2026-01-05 08:00:00", "2026-01-05 09:30:00", datetime(2026, 1, 5), datetime(2026, 1, 5, 1, 30)),
        ("2026-01-05 8:0:0", "2026-01-05", datetime(2026, 1, 5), datetime(2026, 1, 5, 16)),
    ],
)
def test_spans(start: str, end: str, since: datetime, until: datetime) -> None:
    """Dates count whole days, the last one too; date-times are exact. China time, UTC+8."""
    ask = asks.StatsAsk(station_id="S1", start_time=start, end_time=end)

    assert asks.span_of(ask) == (since.replace(tzinfo=UTC), until.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("yesterday", "2026-01-05", "StartTime: expected yyyy-MM-dd"),
        ("2026-01-05", "2026-02-30", "EndTime: expected yyyy-MM-dd"),
        ("2026-01-05", "2026-01-04", "EndTime is not after StartTime"),
        ("2026-01-05 08:00:00", "2026-01-05 08:00:00", "EndTime is not after StartTime"),
    ],
)
def test_spans_that_are_none(start: str, end: str, said: str) -> None:
    """Named, with what was expected."""
    with pytest.raises(Refusal, match=said):
        asks.span_of(asks.StatsAsk(station_id="S1", start_time=start, end_time=end))


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    """Nothing else is raised."""
    with contextlib.suppress(Refusal):
        asks.moment_of(text, "StartTime")
