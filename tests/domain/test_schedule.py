"""When files are due and what they are about, through months, leap days and changes of summer time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.schedule import Every, Rhythm, Run

SHANGHAI, BERLIN, APIA = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("rhythm", "now", "run"),
    [
        (
            Rhythm(Every.MONTH, 360, SHANGHAI),
            "2026-01-15T00:00",
            ("2026-01", "2025-12-31T16:00", "2026-01-31T16:00", "2026-01-31T22:00"),
        ),
        (
            Rhythm(Every.MONTH, 360, SHANGHAI),
            "2026-01-31T21:59:59",
            ("2026-01", "2025-12-31T16:00", "2026-01-31T16:00", "2026-01-31T22:00"),
        ),
        (
            Rhythm(Every.MONTH, 360, SHANGHAI),
            "2026-01-31T22:00",
            ("2026-02", "2026-01-31T16:00", "2026-02-28T16:00", "2026-02-28T22:00"),
        ),
        (
            Rhythm(Every.WEEK, 0, SHANGHAI),
            "2026-01-07T00:00",
            ("2026-01-05", "2026-01-04T16:00", "2026-01-11T16:00", "2026-01-11T16:00"),
        ),
        (
            Rhythm(Every.DAY, 150, BERLIN),  # 02:30 is left out on that morning
            "2026-03-28T12:00",
            ("2026-03-28", "2026-03-27T23:00", "2026-03-28T23:00", "2026-03-29T01:30"),
        ),
        (
            Rhythm(Every.DAY, 0, BERLIN),  # a day of 23 hours
            "2026-03-29T12:00",
            ("2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00", "2026-03-29T22:00"),
        ),
    ],
)
def test_the_next_run(rhythm: Rhythm, now: str, run: tuple[str, str, str, str]) -> None:
    """Its name, its time, and when it is due."""
    assert rhythm.next_after(at(now)) == Run(run[0], *map(at, run[1:]))


@given(
    st.sampled_from(list(Every)),
    st.integers(0, 1439),
    st.sampled_from([SHANGHAI, BERLIN, APIA]),
    st.datetimes(datetime(2005, 1, 1), datetime(2040, 1, 1)).map(lambda found: found.replace(tzinfo=UTC)),
)
def test_runs_follow_each_other(every: Every, minute: int, local: ZoneInfo, now: datetime) -> None:
    """No period is left out, none comes twice, and what is due can be found again by when it is due."""
    rhythm = Rhythm(every, minute, local)
    run = rhythm.next_after(now)

    following = rhythm.next_after(run.due_at)
    assert run.due_at > now
    assert run.due_at >= run.until > run.since
    assert following.since == run.until
    assert rhythm.due_at(run.due_at) == run
    before = rhythm.last_before(now)
    assert before.until <= now < rhythm.last_before(now + timedelta(days=40)).until
    assert before.until - before.since <= timedelta(days=32)
