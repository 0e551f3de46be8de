"""`csms platform`: city platforms from the command line. Arguments only."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from csms.cli_options import ConfigFile, settings_of

platform_app = typer.Typer(help="City platforms: what they are told.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The platform's name in the settings.")]


@platform_app.command("list")
def list_platforms(config: ConfigFile = None) -> None:
    """Every platform: whether it is served, what waits, what was set aside, how timely it is."""
    from csms import platform_operations  # noqa: PLC0415 - other commands need not load the whole program

    table = Table("name", "profile", "state", "waiting", "dead", "disputes", "on time", "orders", box=None)
    for row in asyncio.run(platform_operations.listed(settings_of(config))):
        table.add_row(*row)
    Console().print(table)


@platform_app.command("pause")
def pause(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why; people will see it.")] = "paused by hand",
    config: ConfigFile = None,
) -> None:
    """Tell a platform nothing until it is resumed; what it is owed is kept."""
    from csms import platform_operations  # noqa: PLC0415 - as above

    asyncio.run(platform_operations.pause(settings_of(config), name, reason))
    typer.echo(f"{name} is paused")


@platform_app.command("resume")
def resume(name: Name, config: ConfigFile = None) -> None:
    """Tell a platform everything it is owed, now."""
    from csms import platform_operations  # noqa: PLC0415 - as above

    asyncio.run(platform_operations.resume(settings_of(config), name))
    typer.echo(f"{name} is resumed")


@platform_app.command("resend")
def resend(
    name: Name,
    record: Annotated[
        int | None, typer.Argument(help="A record's id; without it all that are set aside.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Tell a record again, or every one that was set aside."""
    from csms import platform_operations  # noqa: PLC0415 - as above

    owed, superseded = asyncio.run(platform_operations.resend(settings_of(config), name, record))
    typer.echo(f"{owed} record{'' if owed == 1 else 's'} of {name} owed again")
    if superseded:
        typer.echo(f"{superseded} stay set aside: the platform has taken a newer record of the same thing")
