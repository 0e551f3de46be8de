"""What `csms report uptime` prints: availability by each regime, as a table, CSV or JSON."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from csms.config import Settings
from csms.domain import rates, uptime
from csms.errors import NotFound
from csms.operations import opened
from csms.sheets.cells import csv_lines
from csms.store.uptime import UptimeFilter, UptimeReports, flat_port


async def ports(settings: Settings, wanted: UptimeFilter) -> list[dict[str, Any]]:
    """Every port of the filter. Raises InvalidInput for a month, NotFound for a station without ports."""
    found, after, now = list[dict[str, Any]](), None, datetime.now(UTC)
    async with opened(settings) as database:
        reports = UptimeReports(database)
        while True:
            page = await reports.find(wanted, now, after)
            found += page.items
            after = page.next
            if after is None:
                break
    if not found and wanted.station is not None:
        raise NotFound(f"connector of {wanted.station} in service in {wanted.month}")
    return found


def _json(items: list[dict[str, Any]], regimes: tuple[str, ...]) -> None:
    definitions = {"cn": rates.DEFINITIONS, **uptime.DEFINITIONS}
    shown = {"items": items, "definitions": {name: definitions[name] for name in regimes}}
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))


def _csv(items: list[dict[str, Any]], _: tuple[str, ...]) -> None:
    lines = [flat_port(item) for item in items]
    columns = list(lines[0]) if lines else []
    typer.echo(csv_lines([columns, *([line.get(name) for name in columns] for line in lines)]), nl=False)


# Column, regime, and where the figure is.
FIGURES = (
    ("online %", "cn", ("own", "online_rate")),
    ("fault %", "cn", ("own", "fault_rate")),
    ("available %", "cn", ("own", "available_rate")),
    ("SZ fault %", "cn", ("shenzhen", "fault_rate")),
    ("NEVI month %", "nevi", ("month", "uptime")),
    ("NEVI year %", "nevi", ("twelve_months", "uptime")),
    ("UK month %", "uk", ("month", "reliability")),
    ("UK year %", "uk", ("year", "reliability")),
)


def _text(items: list[dict[str, Any]], regimes: tuple[str, ...]) -> None:
    shown = [figure for figure in FIGURES if figure[1] in regimes]
    table = Table("connector", "off-line min", "fault min", *(name for name, _, _ in shown), box=None)
    for item in items:
        place = f"{item['charging_station']}/{item['evse']}/{item['connector']}"
        spent = item["minutes"]
        figures = [_cell(item[regime][group][name]) for _, regime, (group, name) in shown]
        table.add_row(place, _cell(spent["offline"]), _cell(spent["fault"]), *figures)
    Console(width=None if Console().is_terminal else 160).print(table)
    for line in _summary(items, regimes):
        typer.echo(line)


def _summary(items: list[dict[str, Any]], regimes: tuple[str, ...]) -> Iterable[str]:
    """What the rules demand of many ports together, and what each regime means by "up"."""
    yield f"{len(items)} connectors in service"
    if "nevi" in regimes:
        below = [item for item in items if (item["nevi"]["twelve_months"]["uptime"] or 0) <= 97]
        yield f"NEVI: {len(below)} ports at 97 % or less. {uptime.DEFINITIONS['nevi']}"
    if "uk" in regimes:
        rapid = [
            item["uk"]["year"]["reliability"]
            for item in items
            if item["uk"]["rapid"] and item["uk"]["year"]["reliability"] is not None
        ]
        mean = f"{sum(rapid) / len(rapid):.2f} % on average this year" if rapid else "no rapid charge point"
        yield f"UK: {mean} ({len(rapid)} rapid). {uptime.DEFINITIONS['uk']}"
    if "cn" in regimes:
        for family, of in rates.DEFINITIONS.items():
            yield from (f"{family} {name}: {text}" for name, text in of.items())


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


WRITERS = {"text": _text, "csv": _csv, "json": _json}
