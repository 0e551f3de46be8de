"""The command line: arguments only. Each command says what it did, or what is wrong and how to mend it."""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from csms.assets_cli import assets_app
from csms.cli_options import ConfigFile, settings_of
from csms.errors import ConfigError, CsmsError
from csms.people_cli import user_app
from csms.platform_cli import platform_app
from csms.report_cli import report_app
from csms.report_uptime_cli import report_uptime
from csms.secrets_cli import secrets_app

app = typer.Typer(
    help="A charging-station management system: OCPP 1.6J, 2.0.1 and 2.1.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
station_app = typer.Typer(help="Charging stations.", no_args_is_help=True)
token_app = typer.Typer(help="Id tokens: the cards and apps that may charge.", no_args_is_help=True)
key_app = typer.Typer(help="Keys for programs that use the HTTP API.", no_args_is_help=True)
app.add_typer(station_app, name="station")
app.add_typer(token_app, name="id-token")
app.add_typer(key_app, name="api-key")
app.add_typer(user_app, name="user")
app.add_typer(secrets_app, name="secrets")
app.add_typer(platform_app, name="platform")
app.add_typer(report_app, name="report")
report_app.command("uptime")(report_uptime)
app.add_typer(assets_app, name="assets")

console = Console(stderr=True)


class Role(StrEnum):
    """What a key may do."""

    admin = "admin"
    operator = "operator"
    viewer = "viewer"
    platform = "platform"


def main() -> None:
    """Run the command line; an error the program can name ends it with one clear line and code 1."""
    try:
        app()
    except CsmsError as exc:
        console.print(f"[bold red]error[/] {exc}", markup=True, highlight=False, soft_wrap=True)
        sys.exit(1)


@app.command()
def serve(config: ConfigFile = None) -> None:
    """Serve charging stations, the API and the city platforms, until Ctrl-C or SIGTERM."""
    from csms.app import run  # noqa: PLC0415 - other commands need not load the whole program

    settings = settings_of(config)
    run(settings)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path("data/demo"),
    days: Annotated[int, typer.Option(help="Days of history to fill in at the first start.")] = 30,
    port: Annotated[int, typer.Option(help="Gateway port.")] = 9000,
    http_port: Annotated[int, typer.Option(help="API and page port.")] = 8080,
    city_port: Annotated[int, typer.Option(help="Port of the simulated city platform.")] = 9100,
) -> None:
    """Show everything at once: a server, 24 simulated stations and a simulated city."""
    from csms.demo import Demo  # noqa: PLC0415 - as in `serve`

    Demo(folder, days, port, http_port, city_port).run()


@app.command()
def migrate(config: ConfigFile = None) -> None:
    """Bring the database's tables to this release. Running it again changes nothing."""
    from csms.operations import migrate as bring_up  # noqa: PLC0415 - as in `serve`

    typer.echo(bring_up(settings_of(config)))


@app.command()
def doctor(config: ConfigFile = None) -> None:
    """Check settings, ports, database, disk, clock and file limit, and say how to mend each."""
    from csms.doctor import Finding, examine  # noqa: PLC0415 - as in `serve`

    try:
        findings = [Finding("settings", True, "every key is known and valid"), *examine(settings_of(config))]
    except ConfigError as exc:
        findings = [Finding("settings", False, str(exc), "mend the line; config.yaml shows every setting")]
    table = Table("", "check", "seen", "how to mend it", box=None, pad_edge=False)
    for f in findings:
        table.add_row("[green]✓[/]" if f.well else "[red]✗[/]", f.check, f.seen, f.mend)
    Console().print(table)
    if not all(f.well for f in findings):
        raise typer.Exit(1)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A conversation as text; see tests/transcripts.")],
) -> None:
    """Play a recorded conversation against a fresh system in memory and compare its answers."""
    from csms.replay import replay_file  # noqa: PLC0415 - as in `serve`

    differences = asyncio.run(replay_file(file))
    for difference in differences:
        typer.echo(difference)
    typer.echo(f"{file}: {len(differences)} differences" if differences else f"{file}: as recorded")
    if differences:
        raise typer.Exit(1)


@station_app.command("add")
def add_station(
    identity: Annotated[
        str, typer.Argument(help="As in the station's URL; at most 48 characters, no colon.")
    ],
    password: Annotated[str | None, typer.Option(help="16 to 40 characters.")] = None,
    generate: Annotated[
        bool, typer.Option("--generate", help="Make a random password and print it.")
    ] = False,
    site: Annotated[str | None, typer.Option(help="Code of the site it stands at.")] = None,
    operator: Annotated[
        str | None, typer.Option(help="Operator's code, where sites of two share a code.")
    ] = None,
    max_power_w: Annotated[
        int | None, typer.Option(help="What it can deliver, W: bounds plausible energy.")
    ] = None,
    assume_version: Annotated[
        str | None, typer.Option(help="OCPP version if the station names none, e.g. ocpp1.6.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Register a charging station, or change one. Without a password it needs security profile 0."""
    from csms import operations  # noqa: PLC0415 - as in `serve`

    if password and generate:
        _refuse("give either --password or --generate")
    made = asyncio.run(
        operations.add_station(
            settings_of(config),
            identity,
            operations.StationForm(password, generate, site, operator, max_power_w, assume_version),
        )
    )
    typer.echo(f"charging station {identity} is registered")
    if made:
        typer.echo(made)


@token_app.command("add")
def add_token(
    token: Annotated[str, typer.Argument(help="The token's text; case does not matter.")],
    status: Annotated[str, typer.Option(help="accepted, blocked, expired or invalid.")] = "accepted",
    kind: Annotated[str, typer.Option("--type", help="ISO14443, eMAID, Central, ...")] = "ISO14443",
    group: Annotated[
        str | None, typer.Option(help="Tokens of one group may stop each other's sessions.")
    ] = None,
    concurrent_limit: Annotated[int, typer.Option(min=1, help="Sessions it may have at once.")] = 1,
    config: ConfigFile = None,
) -> None:
    """Register an id token, or change one."""
    from csms import operations  # noqa: PLC0415 - as in `serve`

    form = operations.TokenForm(token, status, kind, group, concurrent_limit)
    asyncio.run(operations.add_token(settings_of(config), form))
    typer.echo(f"id token {token} is {status}")


@key_app.command("create")
def create_key(
    role: Annotated[Role, typer.Option(help="What the key may do.")],
    operator: Annotated[
        str | None, typer.Option(help="Limit it to this operator's records (its code).")
    ] = None,
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    config: ConfigFile = None,
) -> None:
    """Make a key for the HTTP API. It is shown once, alone on the last line."""
    from csms import operations  # noqa: PLC0415 - as in `serve`

    key = asyncio.run(operations.create_key(settings_of(config), role.value, operator, name))
    typer.echo(
        f"role {role.value}{f', operator {operator}' if operator else ''}; keep it, it is not shown again:"
    )
    typer.echo(key)


def _refuse(text: str) -> NoReturn:
    raise typer.BadParameter(text)
