"""`csms secrets`: what the database keeps encrypted, from the command line. Arguments only."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from csms.cli_options import ConfigFile, settings_of
from csms.errors import InvalidInput

secrets_app = typer.Typer(help="Secrets that the database keeps encrypted.", no_args_is_help=True)


@secrets_app.command("reseal")
def reseal(
    old_key_file: Annotated[
        Path, typer.Option("--old-key-file", help="Holds the key until now; - reads standard input.")
    ],
    config: ConfigFile = None,
) -> None:
    """Encrypt all with the new `database.secrets_key`, or nothing. Stop every `csms serve` first."""
    from csms import secrets_operations  # noqa: PLC0415 - other commands need not load it

    settings = settings_of(config)
    resealed = asyncio.run(secrets_operations.reseal(settings, _key_in(old_key_file)))
    typer.echo(f"re-sealed secrets: {resealed.done}; sealed with the new key already: {resealed.already}")


def _key_in(file: Path) -> str:
    try:
        return (sys.stdin.read() if str(file) == "-" else file.read_text()).strip()
    except OSError as exc:
        raise InvalidInput(f"the old key: {file}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise InvalidInput(f"the old key: {file} holds no text") from exc
