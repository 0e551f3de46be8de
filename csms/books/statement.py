"""A month's statement for an operator: what was charged and billed, by site, day and time-of-use period.

Sums are exact: those of the session lines, to the Wh and the fen. What was priced after the month was closed
is in the sums, and listed as a correction with its difference. Knows figures; no format.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from csms.domain.billing import PERIODS, Sums, summed, yuan
from csms.domain.calendar import PERIODS as CALENDAR
from csms.domain.inventory import OperatorRecord
from csms.domain.local_time import zone
from csms.errors import InvalidInput
from csms.store.assets import AssetStore
from csms.store.billing import Day
from csms.store.billing_reads import BillReads, Figures, Month, Site
from csms.store.times import instant, micros, text_of

FIRST_YEAR, LAST_YEAR = 2000, 2200
NO_SITE = Site("", "")
MONEY = ("elec_money", "service_money", "idle_money", "parking_money", "total")


class Statement(NamedTuple):
    """A month's statement, JSON-ready in `shown`; `month` says which sessions are its lines."""

    month: Month
    shown: dict[str, Any]


class Statements:
    """Makes statements. Every method raises StoreUnavailable when the database is away."""

    def __init__(self, reads: BillReads, assets: AssetStore, closes: timedelta) -> None:
        self._reads, self._assets, self._closes = reads, assets, closes

    async def month(self, operator: str, month: str) -> Month:
        """`YYYY-MM` by the operator's clock. Raises NotFound for the operator, InvalidInput for the month."""
        found = await self._reads.operator(operator)
        year, number = _month_of(month)
        local = zone(found.time_zone)
        since = datetime(year, number, 1, tzinfo=local)
        until = CALENDAR["month"].next_of(CALENDAR["month"].start_of(since, local), local)
        return Month(found, CALENDAR["month"].start_of(since, local), until, until + self._closes)

    async def make(self, month: Month, now: datetime) -> Statement:
        """The statement as of now."""
        figures = await self._reads.figures(month)
        person = await self._assets.record(OperatorRecord, (month.operator.code,))
        return Statement(month, _shown(month, figures, person, now))


def _month_of(text: str) -> tuple[int, int]:
    year, dash, month = text.partition("-")
    if not (len(year) == 4 and len(month) == 2 and dash and year.isdecimal() and month.isdecimal()):
        raise InvalidInput(f"month: {text!r} is no month such as 2026-01")
    if not (FIRST_YEAR <= int(year) <= LAST_YEAR and 1 <= int(month) <= 12):
        raise InvalidInput(f"month: there is no month {text}")
    return int(year), int(month)


def _shown(month: Month, found: Figures, person: OperatorRecord | None, now: datetime) -> dict[str, Any]:
    local = zone(month.operator.time_zone)
    by_day = _grouped((_date(day, local), day.sums) for day in found.days)
    by_site = _grouped((found.sites.get(day.key.site_id, NO_SITE), day.sums) for day in found.days)
    total = summed(day.sums for day in found.days)
    return {
        "operator": {
            "code": month.operator.code,
            "name": month.operator.name,
            "uscid": None if person is None else person.uscid,
            "tel": None if person is None else person.tel,
        },
        "month": month.since.astimezone(local).strftime("%Y-%m"),
        "time_zone": month.operator.time_zone,
        "from": text_of(micros(month.since)),
        "to": text_of(micros(month.until)),
        "closes_at": text_of(micros(month.closed)),
        "is_closed": now >= month.closed,
        "as_of": text_of(micros(now)),
        "currency": "CNY",
        "totals": shown_sums(total),
        "total_when_closed": yuan(total.total_fen - found.corrected_fen),
        "by_site": [{"site": site.code, "name": site.name, **shown_sums(sums)} for site, sums in by_site],
        "by_day": [{"day": day, **shown_sums(sums)} for day, sums in by_day],
        "by_period": shown_periods(total),
        "corrections": found.corrections,
        "corrections_in_all": found.corrections_in_all,
        "corrected": yuan(found.corrected_fen),
        "disputes": found.disputes,
    }


def _date(day: Day, local: tzinfo) -> str:
    return instant(day.key.start).astimezone(local).date().isoformat()


def _grouped(pairs: Iterable[tuple[Any, Sums]]) -> list[tuple[Any, Sums]]:
    found: dict[Any, Sums] = {}
    for key, sums in pairs:
        found[key] = found[key].plus(sums) if key in found else sums
    return sorted(found.items())


def shown_sums(sums: Sums) -> dict[str, Any]:
    """Sums as the API gives them: Wh, and CNY as decimal text."""
    return {
        "sessions": sums.sessions,
        "unpriced": sums.unpriced,
        "energy_wh": sums.energy_wh,
        "elec_money": yuan(sums.elec_fen),
        "service_money": yuan(sums.service_fen),
        "idle_money": yuan(sums.idle_fen),
        "parking_money": yuan(sums.parking_fen),
        "total": yuan(sums.total_fen),
    }


def shown_periods(sums: Sums) -> list[dict[str, Any]]:
    """What flowed in each time-of-use period, as the API gives it."""
    return [
        {
            "period": period,
            "energy_wh": part.wh,
            "elec_money": yuan(part.elec_fen),
            "service_money": yuan(part.service_fen),
            "money": yuan(part.fen),
        }
        for period in PERIODS
        for part in (sums.part(period),)
    ]
