"""Points in time as OCPP texts. Knows RFC 3339 and how stations miss it; reads no clock.

| text | time | text kept |
|---|---|---|
| 2026-01-01T10:00:00Z, .1 to .123456, any offset to +-23:59 | as it says, in UTC | no |
| more than six decimals | cut to microseconds | yes |
| no zone | taken as UTC | yes |
| second 60, hour 24 | the next second, the next day | yes |
| blank for T, comma for the point, no seconds, +0800, one-digit parts | as meant | yes |
| before 1900, after 2199 (clock not set, overflow when counted with) | none | yes |
| 30 February, week and ordinal dates, anything else | none | yes |
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_PLAIN = re.compile(
    r"(?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_LOOSE = re.compile(
    r"\s*([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})[Tt\s]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{0,18}))?)?"
    r"\s*(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2}))?\s*"
)


def parse_time(text: str | None) -> tuple[datetime | None, str | None]:
    """The time in UTC (None if unreadable or absent) and the text where it was repaired or unreadable."""
    if text is None:
        return None, None
    # Most common first: what the specification asks for.
    if _PLAIN.fullmatch(text):
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return _repaired(text), text
        if at.tzinfo is UTC:
            return at, None
        in_utc = _in_range(at)
        return in_utc, None if in_utc else text
    return _repaired(text), text


def format_time(at: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SS.mmmZ`: the one form every known station reads. `at` must be aware."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _in_range(at: datetime) -> datetime | None:
    try:
        utc = at.astimezone(UTC)
    except OverflowError:
        return None
    return utc if _FIRST_YEAR <= utc.year <= _LAST_YEAR else None


def _repaired(text: str) -> datetime | None:
    """What was meant, by the table above."""
    found = _LOOSE.fullmatch(text) if text.isascii() and len(text) <= 64 else None
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    if hour > 24 or (hour == 24 and (minute or second)) or second > 60:
        return None
    try:
        at = datetime(year, month, day, hour % 24, minute, min(second, 59), tzinfo=_zone(found))
        at += timedelta(days=hour // 24, seconds=second // 60, microseconds=_micros(found[7]))
    except (ValueError, OverflowError):
        return None
    return _in_range(at)


def _micros(fraction: str | None) -> int:
    return int(f"{fraction or '':0<6.6}")


def _zone(found: re.Match[str]) -> timezone:
    if found[9] is None:
        return UTC
    offset = timedelta(hours=int(found[10]), minutes=int(found[11]))
    return timezone(-offset if found[9] == "-" else offset)
