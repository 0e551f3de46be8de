"""Totals as a platform pulls them: every subject in every period, a page at a time, by start.

A row is there for every subject and period, also where nothing was charged: time passes all the same. Days,
months and years have time by state as far as days are computed (`minutes_until`); hours are read from the
histories when they are asked for. Knows how a page is put together: lines are of `platform_lines`, figures
of `platform_figures`, `platform_wide` and `platform_hours`.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection

from csms.domain.calendar import PERIODS, city_of
from csms.domain.rates import Figures, minutes, own_rates, shenzhen_rates
from csms.domain.timeline import Span, Usage
from csms.store.database import Database
from csms.store.paging import Page
from csms.store.platform_figures import Energy, Fold, Key, Peak, PlatformFigures, Use
from csms.store.platform_hours import PlatformHours
from csms.store.platform_lines import Line, PlatformFilter, cursor, page_of, span_of
from csms.store.platform_subjects import NARROW
from csms.store.platform_wide import Wide, wide_energy, wide_peaks, wide_uses
from csms.store.times import MICROSECOND, micros, text_of

BASES = (True, "measured"), (False, "energy")


class Found(NamedTuple):
    """Figures of a page, as they were read."""

    energy: Fold[Energy] = dict
    uses: Fold[Use] = dict
    peaks: Fold[Peak] = dict
    wide_peaks: Mapping[tuple[tuple[Any, ...], Span], Peak] = {}


class Figured(NamedTuple):
    """Figures of a page."""

    energy: dict[Key, Energy]
    uses: dict[Key, Use]
    peaks: dict[Key, Peak]
    wide_peaks: Mapping[tuple[tuple[Any, ...], Span], Peak]


class PlatformTotals:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._figures = PlatformFigures(database.dialect_of)
        self._hours = PlatformHours(database)

    async def find(
        self, wanted: PlatformFilter, now: datetime, after: str | None = None, most: int = 1000
    ) -> Page:
        """A page of totals as the API gives them. Raises InvalidInput for a bad filter or cursor."""
        span = span_of(wanted, now)
        lines, more = await self._database.browse(partial(page_of, wanted, span, after, most))
        found = await self._database.browse(partial(self._stored, wanted, lines))
        if wanted.by == "hour":
            uses = await self._hours.uses(wanted.scope, lines, now)
            found = found._replace(uses=lambda: uses)
        # A thousand rows are a twentieth of a second of computing: not on the loop of the stations.
        items = await asyncio.to_thread(_all_shown, wanted, lines, found)
        last = lines[-1] if more else None
        return Page(items, None if last is None else cursor(last))

    def _stored(self, wanted: PlatformFilter, lines: list[Line], connection: Connection) -> Found:
        keys = list(dict.fromkeys(key for line in lines for key in line.keys))
        if not keys:
            return Found()
        scope, unit = wanted.scope, PERIODS[wanted.by].unit
        found = Found()
        if scope.of not in ("district", "city"):
            found = Found(self._figures.energy(scope, unit, keys, connection))
        if scope.of in NARROW:
            if unit != "hour":
                found = found._replace(uses=self._figures.uses(scope, unit, keys, connection))
            if scope.of == "site":
                found = found._replace(peaks=self._figures.peaks(unit, keys, connection))
            return found
        wide = Wide(scope, unit, min(key.start for key in keys), max(key.start for key in keys) + 1)
        name = city_name if scope.of == "city" else tuple
        if scope.of != "operator":
            found = found._replace(energy=wide_energy(wide, name, connection))
        if unit != "hour":
            found = found._replace(uses=wide_uses(wide, name, connection))
        spans = dict.fromkeys(line.span for line in lines)
        of_spans = {
            (numbers, span): peak
            for span in spans
            for numbers, peak in wide_peaks(
                wide._replace(since=micros(span.start), until=micros(span.end)), name, connection
            ).items()
        }
        return found._replace(wide_peaks=of_spans)


def city_name(group: tuple[Any, ...]) -> tuple[Any, ...]:
    """Numbers of a city, of those of its district."""
    return (city_of(group[0]), *group[1:])


def _all_shown(wanted: PlatformFilter, lines: list[Line], found: Found) -> list[dict[str, Any]]:
    figured = Figured(found.energy(), found.uses(), found.peaks(), found.wide_peaks)
    return [_shown(wanted, line, figured) for line in lines]


def _shown(wanted: PlatformFilter, line: Line, found: Figured) -> dict[str, Any]:
    energy = Energy(*map(sum, zip(*(found.energy.get(key, Energy()) for key in line.keys), strict=True)))
    use: Use | None = None
    for key in line.keys:
        more = found.uses.get(key)
        if more is not None:
            use = more if use is None else use.plus(more)
    peak = _peak(wanted, line, found)
    figures = _figures(energy, use)
    if wanted.scope.of == "connector":  # is its own equipment here
        figures = replace(figures, equipment=figures.usage.total)
    subject = line.subject
    return {
        "by": wanted.by,
        "of": wanted.scope.of,
        "id": subject.id,
        "operator": subject.operator,
        "time_zone": subject.zone,
        "start": text_of(micros(line.span.start)),
        "end": text_of(micros(line.span.end)),
        "energy_wh": energy.energy_wh,
        "sessions": energy.sessions,
        "charging_s": energy.charging_s,
        "minutes": {name: minutes(length) for name, length in figures.usage._asdict().items()}
        | {"in_service": minutes(figures.usage.total)},
        "minutes_until": None if use is None else text_of(use.until),
        "peak_power_w": None if peak is None else peak.watts,
        "peak_power_basis": None if peak is None else dict(BASES)[peak.is_measured],
        "own": own_rates(figures)._asdict(),
        "shenzhen": shenzhen_rates(figures)._asdict(),
    }


def _peak(wanted: PlatformFilter, line: Line, found: Figured) -> Peak | None:
    if wanted.scope.of not in NARROW:
        return found.wide_peaks.get((line.subject.numbers, line.span))
    return highest(found.peaks.get(key) for key in line.keys)


def highest(peaks: Iterable[Peak | None]) -> Peak | None:
    """The highest of those there are."""
    known = [peak for peak in peaks if peak is not None]
    if not known:
        return None
    return Peak(max(peak.watts for peak in known), all(peak.is_measured for peak in known))


def _figures(energy: Energy, use: Use | None) -> Figures:
    sold = timedelta(seconds=energy.charging_s)
    if use is None:
        return Figures(energy_wh=energy.energy_wh, sessions=sold)
    return Figures(
        usage=Usage(*(length * MICROSECOND for length in use.lengths)),
        energy_wh=energy.energy_wh,
        capacity_wh=use.capacity_wh,
        sessions=sold,
        equipment=use.equipment_us * MICROSECOND,
        records=use.records,
        fault_records=use.fault_records,
    )
