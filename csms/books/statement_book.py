"""A statement as a workbook: a summary, what it is made of, and every session.

The lines come a page at a time and are added up on their way, so the summary is theirs to the fen, whatever
was priced while the file was written.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import IO, Any, NamedTuple

from csms.books.exporting import Records, opened_book
from csms.books.fields import (
    CONNECTOR,
    ENDED,
    EVSE,
    REVISION,
    SEQ,
    SESSION,
    SITE,
    STARTED,
    STATION,
    Field,
    Language,
    columns_of,
    energy,
    instant,
    money,
    whole,
)
from csms.books.statement import MONEY, shown_periods, shown_sums
from csms.books.words import Words, clock
from csms.domain.billing import NOTHING, Sums
from csms.domain.local_time import zone
from csms.sheets.books import BookWriter, SheetWriter
from csms.sheets.columns import Column, Kind, row_of

_PERIOD_NAMES = {
    "sharp": ("Sharp", "尖"),
    "peak": ("Peak", "峰"),
    "flat": ("Flat", "平"),
    "valley": ("Valley", "谷"),
}
LINES = (
    SESSION,
    SEQ,
    SITE,
    STATION,
    EVSE,
    CONNECTOR,
    Field("id_token", "Id token", "卡号/账号"),
    STARTED,
    ENDED,
    REVISION,
    instant("priced_at", "Priced", "计价时间"),
    energy("energy_wh", "Energy", "电量"),
    *(
        made
        for period, (en, zh) in _PERIOD_NAMES.items()
        for made in (
            energy(f"{period}_wh", f"{en} energy", f"{zh}电量"),
            money(f"{period}_fen", f"{en} money", f"{zh}金额"),
        )
    ),
    money("elec_money", "Electricity fee", "电费"),
    money("service_money", "Service fee", "服务费"),
    money("idle_money", "Idle fee", "占位费"),
    money("parking_money", "Parking fee", "停车费"),
    money("total", "Total", "总金额"),
)
SUMS = (
    whole("sessions", "Sessions", "充电次数"),
    whole("unpriced", "Without a price", "未计价"),
    energy("energy_wh", "Energy", "电量"),
    money("elec_money", "Electricity fee", "电费"),
    money("service_money", "Service fee", "服务费"),
    money("idle_money", "Idle fee", "占位费"),
    money("parking_money", "Parking fee", "停车费"),
    money("total", "Total", "总金额"),
)
BY_SITE = (Field("site", "Site", "充电站"), Field("name", "Name", "名称"), *SUMS)
BY_DAY = (Field("day", "Day", "日期", Kind.DAY), *SUMS)
BY_PERIOD = (
    Field("shown", "Period", "时段"),
    energy("energy_wh", "Energy", "电量"),
    money("elec_money", "Electricity fee", "电费"),
    money("service_money", "Service fee", "服务费"),
    money("money", "Money", "金额"),
)
SUMMARY = (Field("name", "Statement", "对账单"), Field("value", "Value", "内容"))
CORRECTIONS = (
    SESSION,
    SEQ,
    SITE,
    STARTED,
    REVISION,
    instant("priced_at", "Priced", "计价时间"),
    energy("energy_wh_before", "Energy before", "更正前电量"),
    energy("energy_wh", "Energy now", "更正后电量"),
    money("total_before", "Before", "更正前"),
    money("total", "Now", "更正后"),
    money("difference", "Difference", "差额"),
)
DISPUTES = (
    Field("platform", "Platform", "监管平台"),
    SEQ,
    Field("reason", "Reason", "原因"),
    instant("raised_at", "Raised", "提出时间"),
    instant("resolved_at", "Resolved", "解决时间"),
    Field("their_power", "Their energy (kWh)", "平台电量 (kWh)"),
    Field("their_money", "Their money (CNY)", "平台金额 (元)"),
    energy("our_energy_wh", "Our energy", "我方电量"),
    money("our_money", "Our money", "我方金额"),
)


class Added:
    """Sums of lines by site and by day, as they come."""

    def __init__(self, local: tzinfo) -> None:
        self._local = local
        self.total = NOTHING
        self.by_site: dict[str, Sums] = {}
        self.by_day: dict[str, Sums] = {}

    def add(self, line: Mapping[str, Any]) -> None:
        """One more line."""
        sums = line["sums"]
        day = _day(line["started_at"], self._local)
        self.total = self.total.plus(sums)
        self.by_site[line["site"] or ""] = self.by_site.get(line["site"] or "", NOTHING).plus(sums)
        self.by_day[day] = self.by_day.get(day, NOTHING).plus(sums)


def _day(at: str, local: tzinfo) -> str:
    return datetime.fromisoformat(at).astimezone(local).date().isoformat()


async def write_statement(
    file: IO[bytes], shown: Mapping[str, Any], lines: AsyncIterator[Records], language: Language
) -> Sums:
    """The workbook of a statement as `Statements.make` shows it; the sums of its lines."""
    time_zone = shown["time_zone"]
    local, say = zone(time_zone), Words(language)

    def sheet(book: BookWriter, name: str, fields: Sequence[Field]) -> _Sheet:
        columns = columns_of(fields, language, time_zone)
        return _Sheet(book.sheet(say(name), columns), columns, local)

    added = Added(local)
    async with opened_book(file) as book:
        sheets = {name: sheet(book, name, fields) for name, fields in SHEETS.items()}
        async for page in lines:
            await asyncio.to_thread(_add, page, added, sheets["sessions_sheet"])
        await asyncio.to_thread(_fill, sheets, shown, added, say)
    return added.total


class _Sheet(NamedTuple):
    """A sheet that takes records."""

    writer: SheetWriter
    columns: tuple[Column, ...]
    local: tzinfo

    def write(self, records: Iterable[Mapping[str, Any]]) -> None:
        """More rows."""
        self.writer.write([row_of(self.columns, record, self.local) for record in records])


SHEETS = {
    "summary": SUMMARY,
    "by_site": BY_SITE,
    "by_day": BY_DAY,
    "by_period": BY_PERIOD,
    "corrections": CORRECTIONS,
    "disputes": DISPUTES,
    "sessions_sheet": LINES,
}


def _add(page: Records, added: Added, sheet: _Sheet) -> None:
    for line in page:
        added.add(line)
    sheet.write(page)


def _fill(sheets: Mapping[str, _Sheet], shown: Mapping[str, Any], added: Added, say: Words) -> None:
    names = {one["site"]: one["name"] for one in shown["by_site"]}
    sites = sorted(added.by_site.items())
    sheets["summary"].writer.write(_summary(shown, added.total, say))
    sheets["by_site"].write(
        [{"site": site, "name": names.get(site), **shown_sums(sums)} for site, sums in sites]
    )
    sheets["by_day"].write([{"day": day, **shown_sums(sums)} for day, sums in sorted(added.by_day.items())])
    sheets["by_period"].write([one | {"shown": say(one["period"])} for one in shown_periods(added.total)])
    for name in ("corrections", "disputes"):
        sheets[name].write(shown[name])


def _summary(shown: Mapping[str, Any], total: Sums, say: Words) -> list[list[Any]]:
    person, local = shown["operator"], zone(shown["time_zone"])
    sums = shown_sums(total)
    pairs = [
        (say("operator"), person["name"]),
        (say("code"), person["code"]),
        (say("uscid"), person["uscid"]),
        (say("tel"), person["tel"]),
        (say("month"), shown["month"]),
        (say("time_zone"), shown["time_zone"]),
        (say("as_of"), clock(shown["as_of"], local)),
        (say("closes_at"), clock(shown["closes_at"], local)),
        *([] if shown["is_closed"] else [(say("open"), "")]),
        (say("sessions"), sums["sessions"]),
        (say("unpriced"), sums["unpriced"]),
        (say("energy"), Decimal(total.energy_wh).scaleb(-3)),
        *((say(name), Decimal(sums[name])) for name in MONEY),
        (say("corrected"), Decimal(shown["corrected"])),
        (say("total_when_closed"), Decimal(shown["total_when_closed"])),
    ]
    return [[name, value] for name, value in pairs]
