"""Figures of a station's connectors for periods of time, from the evidence of their states. Pure.

Energy and the length of sessions are not known here: they come from totals of sessions.
"""

from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from csms.domain.rates import Figures
from csms.domain.timeline import ZERO, Evidence, Span, records, service, timeline, usage

K = TypeVar("K", bound=Hashable)
_HOUR = timedelta(hours=1)


class Served(NamedTuple):
    """A connector: what is known of its states, its rated power (W), and when it was in service."""

    evidence: Evidence
    rated_w: int | None = None
    joined: datetime | None = None
    retired: datetime | None = None


def figures(connectors: Mapping[K, Served], windows: Sequence[Span]) -> list[dict[K, Figures]]:
    """For each window the figures of those connectors of one station that were in service in it.

    The station's own time in service, the longest of its connectors', stands at the first of them.
    """
    found: list[dict[K, Figures]] = [{} for _ in windows]
    for name, connector in connectors.items():
        for place, of in enumerate(_of(connector, windows)):
            if of is not None:
                found[place][name] = of
    return [_with_equipment(window) for window in found]


def _of(connector: Served, windows: Sequence[Span]) -> list[Figures | None]:
    evidence, rated_w, joined, retired = connector
    steps = timeline(evidence)
    told = records(evidence, steps)
    moments = [at for at, _ in told]
    found: list[Figures | None] = []
    for window in windows:
        span = service(evidence, window, joined, retired)
        if not span.length:
            found.append(None)
            continue
        some = told[bisect_left(moments, span.start) : bisect_left(moments, span.end)]
        found.append(
            Figures(
                usage=usage(steps, span),
                capacity_wh=None if rated_w is None else rated_w * span.length // _HOUR,
                records=len(some),
                fault_records=sum(is_fault for _, is_fault in some),
            )
        )
    return found


def _with_equipment(found: dict[K, Figures]) -> dict[K, Figures]:
    if not found:
        return found
    longest = max((of.usage.total for of in found.values()), default=ZERO)
    first = next(iter(found))
    return found | {first: replace(found[first], equipment=longest)}
