"""A day of prices as a picture: each band as wide as it lasts. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from csms.console.listing import Column, Listing, listing
from csms.console.markup import Html, joined, tag
from csms.console.notices import empty

DAY_MIN = 24 * 60
PERIODS = ("sharp", "peak", "flat", "valley")


def day_pictures(
    bands: Sequence[Mapping[str, Any]],
    seasons: Sequence[Mapping[str, Any]],
    words: dict[str, str],
    currency: str,
) -> Html | None:
    """Every day of a version that is being written; None while there is none to draw."""
    days = [(words["all_year"] if not seasons else words["otherwise"], bands)]
    days += [(f"{one['name']} {one['first']} – {one['last']}", one["bands"]) for one in seasons]
    drawn = [(name, [one for one in day if _can_be_drawn(one)]) for name, day in days]
    made = [
        joined((tag("h3", name), day_picture(sorted(day, key=_start), words, currency)))
        for name, day in drawn
        if day
    ]
    return joined(made) if made else None


def _start(band: Mapping[str, Any]) -> int:
    return minutes(band["start"])


def _can_be_drawn(band: Mapping[str, Any]) -> bool:
    hours, colon, rest = str(band["start"]).partition(":")
    is_clock = bool(colon) and hours.isascii() and rest.isascii() and hours.isdecimal() and rest.isdecimal()
    return is_clock and int(hours) < 24 and int(rest) < 60 and band["period"] in PERIODS


def minutes(start: str) -> int:
    """`10:30` as minutes of the day."""
    hours, _, rest = start.partition(":")
    return int(hours) * 60 + int(rest)


def day_picture(bands: Sequence[Mapping[str, Any]], words: dict[str, str], currency: str) -> Html:
    """A day from midnight to midnight: each band as wide as it lasts, with period and price; then a table."""
    starts = [minutes(one["start"]) for one in bands]
    ends = [*starts[1:], DAY_MIN]
    made = joined(
        _band(band, (end - start) / DAY_MIN, words)
        for band, start, end in zip(bands, starts, ends, strict=True)
    )
    columns = (
        Column(words["from"], "text", lambda one: one["start"]),
        Column(words["period"], "text", lambda one: words[f"period_{one['period']}"]),
        Column(f"{words['elec_price']} {currency}/kWh", "num", lambda one: one["elec_price"]),
        Column(f"{words['service_price']} {currency}/kWh", "num", lambda one: one["service_price"]),
    )
    table = listing(columns, bands, Listing("", empty(words["no_bands"])))
    numbers = tag("details", tag("summary", words["as_table"]), table)
    return joined((tag("div", made, cls="bands", role="img", aria_label=_spoken(bands, words)), numbers))


def _band(band: Mapping[str, Any], share: float, words: dict[str, str]) -> Html:
    name = words[f"period_{band['period']}"]
    hint = f"{band['start']} {name} {band['elec_price']} + {band['service_price']}"
    parts = (
        tag("span", name),
        tag("span", f"{band['start']} · {band['elec_price']}") if share > 0.07 else "",
    )
    return tag("div", *parts, cls=f"band {band['period']}", style=f"flex: {share:.4f} 0 0", title=hint)


def _spoken(bands: Sequence[Mapping[str, Any]], words: dict[str, str]) -> str:
    return ", ".join(
        f"{one['start']} {words['period_' + one['period']]} {one['elec_price']}" for one in bands
    )
