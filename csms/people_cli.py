"""`csms user`: people who may sign in, from the command line. Arguments only."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from csms.cli_options import ConfigFile, settings_of

user_app = typer.Typer(help="People who may sign in.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The person's name.")]


@user_app.command("add")
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="viewer, operator or admin.")] = "viewer",
    operator: Annotated[str | None, typer.Option(help="The only operator they see (its code).")] = None,
    site: Annotated[list[str] | None, typer.Option(help="Of it only this site; may be repeated.")] = None,
    config: ConfigFile = None,
) -> None:
    """Add a person; a one-time password is shown once."""
    from csms import people_operations as people  # noqa: PLC0415 - other commands need not load it

    form = people.PersonForm(name, role, operator, site or [])
    password = asyncio.run(people.add_person(settings_of(config), form))
    typer.echo(f"{name} may sign in; one-time password (shown once):\n{password}")


@user_app.command("password")
def password(
    name: Name,
    ask: Annotated[bool, typer.Option("--ask", help="Type it instead of having one made.")] = False,
    config: ConfigFile = None,
) -> None:
    """Another password; signs the person out everywhere."""
    from csms import people_operations as people  # noqa: PLC0415 - as above

    typed = typer.prompt("New password", hide_input=True, confirmation_prompt=True) if ask else None
    made = asyncio.run(people.set_password(settings_of(config), name, typed))
    typer.echo(
        f"one-time password of {name} (shown once):\n{made}" if made else f"{name} has another password"
    )


@user_app.command("disable")
def disable(name: Name, config: ConfigFile = None) -> None:
    """The person may not sign in any more."""
    from csms import people_operations as people  # noqa: PLC0415 - as above

    asyncio.run(people.disable(settings_of(config), name))
    typer.echo(f"{name} may not sign in any more")


@user_app.command("list")
def list_people(config: ConfigFile = None) -> None:
    """Everybody: role, what they may see, whether they may sign in."""
    from csms import people_operations as people  # noqa: PLC0415 - as above

    table = Table("name", "role", "operator", "sites", "enabled", "codes", "last signed in", box=None)
    for one in asyncio.run(people.listed(settings_of(config))):
        sites = "all" if one["sites"] is None else ", ".join(one["sites"])
        flags = ["yes" if one[name] else "no" for name in ("enabled", "one_time_codes")]
        seen = one["signed_in_at"] or "never"
        table.add_row(one["name"], one["role"], one["operator"] or "all", sites, *flags, seen)
    Console().print(table)
