"""A platform as producers see it: whose records it wants, how, and what it is told of. Knows no database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from csms.reporting.places import Places
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.schema import Repeat

CHINA = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class Route:
    """One platform of the settings."""

    name: str
    operator_code: str
    profile: Profile
    places: Places
    now: Callable[[], datetime]


def tick_of(now: datetime, repeat: Repeat) -> int:
    """Which turn of `repeat` it is: turns begin at its offset after midnight in China."""
    return int((now.timestamp() + CHINA.total_seconds() - repeat.offset_s) // repeat.every_s)


def frequency_of(platform: str) -> str:
    """Where it is kept how often a platform wants every status: the name of a cursor that holds seconds."""
    return f"{platform}/status-frequency-s"
