"""A platform as producers see it: whose records it wants, how, and what it is told of. Knows no database."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from csms.errors import StoreUnavailable
from csms.reporting.places import Places
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.schema import Repeat

CHINA = timedelta(hours=8)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Route:
    """One platform of the settings."""

    name: str
    operator_code: str
    profile: Profile
    places: Places
    now: Callable[[], datetime]


async def look_for_ever(
    what: str, routes: Sequence[Route], look: Callable[[Route], Awaitable[object]], every_s: float
) -> None:
    """`look` at each platform every `every_s`; ends where there is none. Trouble with one is no other's."""
    while routes:
        for route in routes:
            try:
                await look(route)
            except StoreUnavailable as exc:
                # The writer reports the outage; here there is nothing to do but to wait.
                log.debug(f"{what}_unavailable", platform=route.name, error=str(exc))
            except Exception:
                # The next look may do better, and the other platforms are owed theirs.
                log.exception(f"{what}_failed", platform=route.name)
        await asyncio.sleep(every_s)


def tick_of(now: datetime, repeat: Repeat) -> int:
    """Which turn of `repeat` it is: turns begin at its offset after midnight in China."""
    return int((now.timestamp() + CHINA.total_seconds() - repeat.offset_s) // repeat.every_s)


def frequency_of(platform: str) -> str:
    """Where it is kept how often a platform wants every status: the name of a cursor that holds seconds."""
    return f"{platform}/status-frequency-s"
