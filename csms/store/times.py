"""Times as the database keeps them: microseconds since 1970-01-01 UTC in a BIGINT. Knows no table."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Microseconds since the epoch; exact, unlike `timestamp()`. `at` must be aware."""
    return (at - EPOCH) // MICROSECOND


def micros_or_none(at: datetime | None) -> int | None:
    """The same where there may be no time."""
    return None if at is None else micros(at)


def instant(us: int) -> datetime:
    """The aware UTC datetime of so many microseconds."""
    return EPOCH + timedelta(microseconds=us)


def instant_or_none(us: int | None) -> datetime | None:
    """The same where there may be no time."""
    return None if us is None else instant(us)


def text_of(us: int | None) -> str | None:
    """As the HTTP API writes times: `2026-01-01T10:00:00.000Z`."""
    if us is None:
        return None
    return instant(us).isoformat(timespec="milliseconds").replace("+00:00", "Z")
