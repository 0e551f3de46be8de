"""The form of a tariff's version: days as bands with prices, seasons, fees; what was filled in as the API's
body and back; complaints of the API beside the field they are about. Pure, times apart.

Fields of a day begin with `d`, its number and a hyphen: 0 is the day outside all seasons.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from csms.console.forms import Problems, complaint, input_field
from csms.console.markup import Content, Html, joined, tag
from csms.console.visit import on_clock

Fields = Mapping[str, Any]
Words = dict[str, str]

PERIODS = ("sharp", "peak", "flat", "valley")
BAND = ("start", "period", "elec_price", "service_price")
SEASON = ("name", "first", "last")
FEES = ("idle_fee", "parking_fee")
FEE = ("per_minute", "free_minutes", "cap")
NEW_DAY = {"d0-start": "00:00", "d0-period": "flat", "d0-elec_price": "", "d0-service_price": ""}


def many(fields: Fields, name: str) -> list[str]:
    """All values of fields of this name, in their order."""
    value = fields.get(name, [])
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def days_of(fields: Fields) -> int:
    """How many days there are: the common one and the seasons."""
    return max(1, sum(f"d{day}-start" in fields for day in range(100)))


def rows_of(fields: Fields, day: int) -> list[dict[str, str]]:
    """The bands of a day that hold anything. The period alone is nothing: it is always chosen."""
    columns = [many(fields, f"d{day}-{name}") for name in BAND]
    rows = [dict(zip(BAND, (one.strip() for one in row), strict=True)) for row in zip(*columns, strict=False)]
    return [row for row in rows if row["start"] or row["elec_price"] or row["service_price"]]


def body_of_version(fields: Fields, zone: ZoneInfo) -> dict[str, Any]:
    """As the API wants it; what cannot be read goes as it is, for the API to say why."""
    seasons = [
        {**{name: str(fields.get(f"d{day}-{name}", "")) for name in SEASON}, "bands": rows_of(fields, day)}
        for day in range(1, days_of(fields))
    ]
    body: dict[str, Any] = {
        "valid_from": on_clock(str(fields.get("valid_from", "")), zone),
        "bands": rows_of(fields, 0),
        "seasons": seasons,
    }
    if fields.get("valid_until"):
        body["valid_until"] = on_clock(str(fields["valid_until"]), zone)
    for fee in FEES:
        if str(fields.get(f"{fee}-per_minute", "")).strip():
            body[fee] = _fee(fields, fee)
    return body


def _fee(fields: Fields, fee: str) -> dict[str, Any]:
    free = str(fields.get(f"{fee}-free_minutes", "")).strip()
    made: dict[str, Any] = {"per_minute": str(fields[f"{fee}-per_minute"]).strip()}
    made["free_minutes"] = int(free) if free.isdecimal() else free or 0
    cap = str(fields.get(f"{fee}-cap", "")).strip()
    return made | ({"cap": cap} if cap else {})


def fields_of(version: Mapping[str, Any]) -> dict[str, Any]:
    """A version as it stands in the form; when it is valid is for the new one to say."""
    fields: dict[str, Any] = {}
    for day, one in enumerate([version, *version["seasons"]]):
        fields |= {f"d{day}-{name}": [band[name] for band in one["bands"]] for name in BAND}
        fields |= {f"d{day}-{name}": one[name] for name in SEASON if day}
    for fee in FEES:
        fields |= {f"{fee}-{name}": version[fee][name] for name in FEE if version[fee] and version[fee][name]}
    return fields


def with_row(fields: Fields, day: int) -> dict[str, Any]:
    """The same with one more empty band in a day."""
    rows = [*rows_of(fields, day), {**dict.fromkeys(BAND, ""), "period": "flat"}]
    return {**fields, **{f"d{day}-{name}": [row[name] for row in rows] for name in BAND}}


def with_season(fields: Fields) -> dict[str, Any]:
    """The same with one more season, which begins as the common day."""
    day = days_of(fields)
    bands = {f"d{day}-{name}": [row[name] for row in rows_of(fields, 0)] for name in BAND}
    return {**fields, **bands, **{f"d{day}-{name}": "" for name in SEASON}}


def without_season(fields: Fields, gone: int) -> dict[str, Any]:
    """The same without one season; those behind it move up."""
    made = {name: value for name, value in fields.items() if not _is_of(name, range(gone, 100))}
    for day in range(gone + 1, days_of(fields)):
        for name in (*SEASON, *BAND):
            made[f"d{day - 1}-{name}"] = fields.get(f"d{day}-{name}", "")
    return made


def _is_of(name: str, days: range) -> bool:
    number = name[1:].partition("-")[0]
    return name.startswith("d") and number.isdecimal() and int(number) in days


def version_fields(fields: Fields, problems: Problems, words: Words, clock: str) -> Html:
    """Every field of a version. `clock`: the name of the time zone that days and times are in."""
    when = [
        input_field("valid_from", "datetime-local", fields, words, problems.get("valid_from"), required=""),
        input_field("valid_until", "datetime-local", fields, words, problems.get("valid_until")),
    ]
    hint = tag("p", words["on_the_clock_of"].format(zone=clock), cls="quiet")
    days = joined(_day(fields, day, problems, words) for day in range(days_of(fields)))
    season = _button("season-add", words["add_season"])
    fees = joined(_fee_fields(fields, fee, problems, words) for fee in FEES)
    return joined((tag("div", joined(when), cls="filters"), hint, days, tag("p", season), fees))


def _button(act: str, text: str, **more: Content) -> Html:
    return tag("button", text, type="button", data_act=act, data_form="tariff-form", **more)


def _day(fields: Fields, day: int, problems: Problems, words: Words) -> Html:
    where = f"seasons.{day - 1}." if day else ""
    title = words["season"] if day else words["day_outside_seasons"]
    columns = [tag("th", words[_word(name)], scope="col") for name in BAND]
    rows = rows_of(fields, day) or [dict.fromkeys(BAND, "")]
    if _has_empty(fields, day):
        rows.append({**dict.fromkeys(BAND, ""), "period": "flat"})
    body = [_row(row, n, day, where, problems, words) for n, row in enumerate(rows)]
    table = tag("table", tag("thead", tag("tr", *columns)), tag("tbody", *body), cls="table bands-form")
    span = tag("div", *_season_fields(fields, day, where, problems, words), cls="filters") if day else ""
    drop = _button("season-drop", words["drop_season"], cls="danger", data_day=day) if day else ""
    buttons = tag("p", _button("band-add", words["add_band"], data_day=day), " ", drop)
    wrong = joined(
        complaint(problems.get(key), "") for key in (f"{where}bands", *(("seasons",) if day else ()))
    )
    hint = tag("p", words["empty_bands"], cls="quiet")
    return tag("fieldset", tag("legend", title), span, tag("div", table, cls="scroll"), wrong, hint, buttons)


def _has_empty(fields: Fields, day: int) -> bool:
    return len(many(fields, f"d{day}-start")) > len(rows_of(fields, day)) > 0


def _season_fields(fields: Fields, day: int, where: str, problems: Problems, words: Words) -> list[Html]:
    hints = {"name": None, "first": "07-01", "last": "08-31"}
    return [
        input_field(
            f"d{day}-{name}", "text", fields, {f"d{day}-{name}": words[f"season_{name}"]},
            problems.get(where + name), required="", placeholder=hints[name],
        )
        for name in SEASON
    ]  # fmt: skip


def _word(name: str) -> str:
    return {"start": "from"}.get(name, name)


def _row(row: Mapping[str, str], n: int, day: int, where: str, problems: Problems, words: Words) -> Html:
    cells = []
    for name in BAND:
        id_ = f"d{day}-{name}-{n}"
        problem = problems.get(f"{where}bands.{n}.{name}")
        common: dict[str, Content] = {
            "id": id_,
            "name": f"d{day}-{name}",
            "aria_label": f"{words[_word(name)]} {n + 1}",
            "aria_invalid": "true" if problem else None,
            "aria_describedby": f"{id_}-wrong" if problem else None,
        }
        cells.append(tag("td", _cell(name, row[name], common, words), complaint(problem, f"{id_}-wrong")))
    return tag("tr", joined(cells))


def _cell(name: str, value: str, common: dict[str, Content], words: Words) -> Html:
    if name == "period":
        options = (
            tag("option", words[f"period_{one}"], value=one, selected="" if one == value else None)
            for one in PERIODS
        )
        return tag("select", joined(options), **common)
    if name == "start":
        return tag("input", type="text", value=value, size=6, placeholder="00:00", maxlength=5, **common)
    return tag("input", type="text", inputmode="decimal", value=value, size=9, maxlength=9, **common)


def _fee_fields(fields: Fields, fee: str, problems: Problems, words: Words) -> Html:
    made = [
        input_field(f"{fee}-{name}", "text", fields, {f"{fee}-{name}": words[f"fee_{name}"]},
               problems.get(f"{fee}.{name}"))
        for name in FEE
    ]  # fmt: skip
    wrong = complaint(problems.get(fee), "")
    return tag("fieldset", tag("legend", words[fee]), tag("div", joined(made), cls="filters"), wrong)


def local_now(now: datetime) -> str:
    """A time as its field wants it."""
    return f"{now:%Y-%m-%dT%H:%M}"
