"""`csms report uptime`: availability of connectors in a month by each regime. Arguments only."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from csms import log
from csms.config import Settings


class Regime(StrEnum):
    """Whose definition of "up"."""

    nevi = "nevi"
    uk = "uk"
    cn = "cn"
    all = "all"


class Format(StrEnum):
    """How the report is written."""

    text = "text"
    csv = "csv"
    json = "json"


def report_uptime(
    month: Annotated[str, typer.Option(help="By operators' clocks, for instance 2026-01.")],
    station: Annotated[str | None, typer.Option(help="Only this charging station.")] = None,
    operator: Annotated[str | None, typer.Option(help="Only this operator's (its code).")] = None,
    regime: Annotated[Regime, typer.Option(help="nevi, uk, cn, or all side by side.")] = Regime.all,
    form: Annotated[Format, typer.Option("--format", help="text, csv or json.")] = Format.text,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Settings; without it config.yaml here, or $CSMS_CONFIG."),
    ] = None,
) -> None:
    """Availability of connectors in a month, by NEVI's, the UK's and Chinese cities' definitions."""
    from csms import uptime_operations  # noqa: PLC0415 - other commands need not load the database
    from csms.store.uptime import REGIMES, UptimeFilter  # noqa: PLC0415 - as above

    settings = Settings.load(config)
    log.configure(settings.log.level, settings.log.format)
    regimes = REGIMES if regime is Regime.all else (regime.value,)
    items = asyncio.run(uptime_operations.ports(settings, UptimeFilter(month, regimes, station, operator)))
    uptime_operations.WRITERS[form.value](items, regimes)
