"""`csms report`: figures for people, printed or into a file. Arguments only."""

import asyncio
import sys
from contextlib import nullcontext
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from csms import log
from csms.config import Settings

report_app = typer.Typer(help="Reports for people.", no_args_is_help=True)


class Format(StrEnum):
    """How a report is written."""

    text = "text"
    md = "md"
    csv = "csv"
    xlsx = "xlsx"


@report_app.callback()
def reports() -> None:
    """Reports for people."""


@report_app.command()
def yearbook(
    as_of: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The end of this day, by the city's clock.")
    ],
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.text,
    output: Annotated[
        Path | None, typer.Option(help="The file to write; without it standard output.")
    ] = None,
    polygon: Annotated[
        Path | None,
        typer.Option(help="GeoJSON (WGS-84): the mean service radius of the counted sites inside."),
    ] = None,
    operator: Annotated[str | None, typer.Option(help="Of this operator only (its code).")] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Settings; without it config.yaml here, or $CSMS_CONFIG."),
    ] = None,
) -> None:
    """Operators, sites and chargers connected, growth in a year, chargers by class, energy, utilisation."""
    if form is Format.xlsx and output is None and sys.stdout.isatty():
        raise typer.BadParameter("an XLSX file is not for a terminal: give --output")
    settings = Settings.load(config)
    log.configure(settings.log.level, settings.log.format)
    content = asyncio.run(_yearbook(settings, as_of.date(), form, operator, polygon))
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        output.write_bytes(content)
        typer.echo(f"{output}: {len(content)} bytes")


class StatementFormat(StrEnum):
    """How a statement is written."""

    xlsx = "xlsx"
    html = "html"
    json = "json"


class Language(StrEnum):
    """The language of titles."""

    zh = "zh-CN"
    en = "en"


@report_app.command()
def statement(
    operator: Annotated[str, typer.Option(help="Whose (the operator's code).")],
    month: Annotated[str, typer.Option(help="YYYY-MM, by the operator's clock.")],
    form: Annotated[StatementFormat, typer.Option("--format", help="xlsx holds every session.")] = (
        StatementFormat.xlsx
    ),
    lang: Annotated[Language, typer.Option(help="Language of titles.")] = Language.zh,
    output: Annotated[
        Path | None, typer.Option(help="The file to write; without it standard output.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Settings; without it config.yaml here, or $CSMS_CONFIG."),
    ] = None,
) -> None:
    """An operator's month: what was charged and billed, by site, day and time-of-use period."""
    if form is StatementFormat.xlsx and output is None and sys.stdout.isatty():
        raise typer.BadParameter("an XLSX file is not for a terminal: give --output")
    settings = Settings.load(config)
    log.configure(settings.log.level, settings.log.format)
    schedule = {"operator": operator, "month": month, "form": form.value, "language": lang.value}
    size = asyncio.run(_statement(settings, schedule, output))
    if output is not None:
        typer.echo(f"{output}: {size} bytes")


async def _statement(settings: Settings, asked: dict[str, str], output: Path | None) -> int:
    from csms.books.desk import Desk  # noqa: PLC0415 - as below
    from csms.books.making import statement as made  # noqa: PLC0415 - as below
    from csms.operations import opened  # noqa: PLC0415 - other commands need not load the database

    size = 0
    async with opened(settings) as database:
        with nullcontext(sys.stdout.buffer) if output is None else output.open("wb") as out:
            async for part in made(Desk(database, settings), now=datetime.now(UTC), **asked):
                size += out.write(part)
    return size


async def _yearbook(
    settings: Settings, as_of: date, form: Format, operator: str | None, polygon: Path | None
) -> bytes:
    from csms.operations import opened  # noqa: PLC0415 - other commands need not load the database
    from csms.reporting.geojson import polygons_of  # noqa: PLC0415 - as above
    from csms.reporting.yearbook import YearbookWriter, rules_of  # noqa: PLC0415 - as above
    from csms.reporting.yearbook_text import FORMATS  # noqa: PLC0415 - as above
    from csms.store.asset_counts import AssetCounts  # noqa: PLC0415 - as above

    polygons = polygons_of(polygon) if polygon is not None else []
    async with opened(settings) as database:
        writer = YearbookWriter(AssetCounts(database), rules_of(settings.yearbook))
        book = await writer.make(as_of, operator, polygons)
    return FORMATS[form.value](book)
