"""`csms assets`: asset data in and out of files. Arguments only."""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from csms.cli_options import ConfigFile, settings_of

assets_app = typer.Typer(
    help="What cities ask about operators, sites, equipment and connectors.", no_args_is_help=True
)


class Format(StrEnum):
    """The kind of file."""

    csv = "csv"
    xlsx = "xlsx"


class Level(StrEnum):
    """What a CSV file is about."""

    operators = "operators"
    sites = "sites"
    equipment = "equipment"
    connectors = "connectors"


LevelOption = Annotated[Level, typer.Option("--of", help="For CSV; XLSX has a sheet for each.")]


@assets_app.command("import")
def import_assets(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or XLSX; see `template`.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
    config: ConfigFile = None,
) -> None:
    """Import asset data, all or nothing. Importing the same file again changes nothing."""
    from csms.handlers.asset_files import import_file  # noqa: PLC0415 - other commands need not load it
    from csms.operations import opened  # noqa: PLC0415 - as above
    from csms.store.assets import AssetStore  # noqa: PLC0415 - as above

    settings = settings_of(config)

    async def work() -> None:
        async with opened(settings) as database:
            report = await import_file(
                AssetStore(database), file.read_bytes(), datetime.now(UTC), dry_run=dry_run
            )
        for sheet, row, column, problem in report.problems:
            where = " ".join(filter(None, [sheet, f"row {row}" if row else "", column]))
            typer.echo(f"{where}: {problem}")
        if report.problems:
            typer.echo(f"{file}: {len(report.problems)} problems; nothing was imported")
            raise typer.Exit(1)
        for level, counts in report.tally.items():
            typer.echo(f"{level}: {', '.join(f'{n} {sort}' for sort, n in counts.items())}")
        typer.echo(f"{file}: would be imported" if dry_run else f"{file}: imported")

    asyncio.run(work())


@assets_app.command("template")
def write_template(
    output: Annotated[Path, typer.Argument(help="The file to write: .csv or .xlsx.")],
    of: LevelOption = Level.sites,
) -> None:
    """Write an empty file with every column, to be filled in and imported."""
    from csms.handlers.asset_files import template  # noqa: PLC0415 - as above

    output.write_bytes(template(of.value, _format_of(output)))
    typer.echo(f"{output}: written")


@assets_app.command("export")
def export_assets(
    output: Annotated[Path, typer.Argument(help="The file to write: .csv or .xlsx.")],
    of: LevelOption = Level.sites,
    operator: Annotated[str | None, typer.Option(help="Of this operator only (its code).")] = None,
    config: ConfigFile = None,
) -> None:
    """Write what is stored into a file that can be imported again."""
    from csms.domain.asset_fields import LEVELS  # noqa: PLC0415 - as above
    from csms.handlers.asset_files import exported  # noqa: PLC0415 - as above
    from csms.operations import opened  # noqa: PLC0415 - as above
    from csms.store.assets import AssetStore  # noqa: PLC0415 - as above

    settings, form = settings_of(config), _format_of(output)
    levels = [of.value] if form == "csv" else list(LEVELS)

    async def work() -> None:
        async with opened(settings) as database:
            store = AssetStore(database)
            records = {level: await store.everything(LEVELS[level], operator) for level in levels}
        output.write_bytes(exported(records, form))
        typer.echo(f"{output}: {sum(map(len, records.values()))} records")

    asyncio.run(work())


def _format_of(output: Path) -> str:
    try:
        return Format(output.suffix.removeprefix(".").lower()).value
    except ValueError as exc:
        raise typer.BadParameter("the file's name must end in .csv or .xlsx") from exc
