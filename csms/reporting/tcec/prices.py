"""Prices in the platforms' words: by period of the day, and of a whole site with the days they hold for."""

from collections.abc import Iterable
from datetime import date
from itertools import zip_longest
from typing import Any

from csms.domain.price_days import PriceDays
from csms.domain.tariff import Band
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.wording import rounded

MIDNIGHT, LAST_SECOND = "000000", "235959"


def today(band: Band, profile: Profile) -> dict[str, Any]:
    """One of the PolicyInfos of query_equip_business_policy."""
    places = profile.decimals.price
    return {
        "StartTime": _clock(band.start),
        "ElecPrice": rounded(band.elec_price, places),
        "ServicePrice": rounded(band.service_price, places),
    }


def policies(prices: Iterable[PriceDays], profile: Profile) -> list[dict[str, Any]]:
    """PolicyInfos of a site: a period of the day ends where the next begins, the last at 23:59:59."""
    places = profile.decimals.price
    return [
        {
            "StartTime": _clock(band.start),
            "EndTime": LAST_SECOND if after is None else _clock(after.start),
            "ElecFee": rounded(band.elec_price, places),
            "ServiceFee": rounded(band.service_price, places),
            **_days(one.first, one.last),
        }
        for one in prices
        for band, after in zip_longest(one.bands, one.bands[1:])
    ]


def idle_fees(prices: Iterable[PriceDays], profile: Profile) -> list[dict[str, Any]]:
    """IdleFeeInfos of a site: CNY per minute after the free ones, at any time of the day."""
    places = profile.decimals.price
    told = []
    for one in prices:
        fee = one.idle_fee
        if fee is not None:
            cap = {} if fee.cap is None else {"MaxFee": rounded(fee.cap, places)}
            terms = {"IdleFee": rounded(fee.per_minute, places), **cap, "FreeTime": fee.free_minutes}
            hours = {"StartTime": MIDNIGHT, "EndTime": LAST_SECOND}
            told.append({**hours, **terms, **_days(one.first, one.last)})
    return told


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}{minute % 60:02d}00"


def _days(first: date, last: date | None) -> dict[str, str]:
    return {"StartDate": first.isoformat()} | ({} if last is None else {"EndDate": last.isoformat()})
