"""When a schedule's files are due, and which time each is about. Pure.

A day's file is about the local day before, a week's about Monday to Sunday, a month's about the month. It is
due some minutes after the local midnight that ends its period.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

_DAY = timedelta(days=1)


class Every(StrEnum):
    """How often."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Run(NamedTuple):
    """One period: its name, from when to when, and when its file is due."""

    label: str
    since: datetime
    until: datetime
    due_at: datetime


class Rhythm(NamedTuple):
    """How often, and at which minute of the local day."""

    every: Every
    at_minute: int
    local: tzinfo

    def next_after(self, at: datetime) -> Run:
        """The first run that is due after `at`."""
        # The period before that of yesterday was due before `at` in every zone.
        first = self._start(at.astimezone(self.local).date() - 2 * _DAY)
        first = self._start(first - _DAY)
        while (run := self._run(first)).due_at <= at:
            first = self._next(first)
        return run

    def due_at(self, at: datetime) -> Run:
        """The run that is due at `at`, as `next_after` gave it."""
        return self.next_after(at - timedelta(microseconds=1))

    def last_before(self, at: datetime) -> Run:
        """The latest period that has ended by `at`, whether its file is due yet or not."""
        today = self._start(at.astimezone(self.local).date())
        return self._run(self._start(today - _DAY))

    def _run(self, first: date) -> Run:
        end = self._next(first)
        label = first.strftime("%Y-%m") if self.every is Every.MONTH else first.isoformat()
        due = _instant(end, time(self.at_minute // 60, self.at_minute % 60), self.local)
        return Run(label, _instant(first, time(), self.local), _instant(end, time(), self.local), due)

    def _start(self, day: date) -> date:
        match self.every:
            case Every.MONTH:
                return day.replace(day=1)
            case Every.WEEK:
                return day - day.weekday() * _DAY
        return day

    def _next(self, first: date) -> date:
        match self.every:
            case Every.MONTH:
                return (first + 32 * _DAY).replace(day=1)
            case Every.WEEK:
                return first + 7 * _DAY
        return first + _DAY


def _instant(day: date, at: time, local: tzinfo) -> datetime:
    return datetime.combine(day, at, local).astimezone(UTC)
