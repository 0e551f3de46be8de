"""`python -m simulators city`: a city platform in the terminal, and its questions to an operator's system."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simulators.city import CITY_ID, CityPlatform
from simulators.city_faults import EVERY, MODES, BadFault
from simulators.city_profile import ProfileError, shipped
from simulators.city_queries import Answered, BadQuestion, OperatorSystem
from simulators.city_seal import DEMO_SECRET, Secrets, write_json

app = typer.Typer(add_completion=False)
console = Console(soft_wrap=True, highlight=False)
SHOWN = 20

ProfileName = Annotated[str, typer.Option(help=", ".join(shipped()))]
CityId = Annotated[str, typer.Option(help="The platform's own OperatorID.")]
Secret = Annotated[str, typer.Option(help="All four secrets, 16 characters.")]


@app.callback(invoke_without_command=True)
def city(
    context: typer.Context,
    *,
    profile: ProfileName = "simulated",
    host: str = "127.0.0.1",
    port: int = 9100,
    operator_id: Annotated[list[str] | None, typer.Option(help="OperatorIDs it knows.")] = None,
    city_id: CityId = CITY_ID,
    secret: Secret = DEMO_SECRET,
    ledger: Annotated[Path | None, typer.Option(help="SQLite file; default: memory.")] = None,
    behave: Annotated[list[str] | None, typer.Option(help="A fault, like busy=2 or lose~0.1.")] = None,
    faults: Annotated[list[str] | None, typer.Option(help=f"Modes: {', '.join(MODES)}.")] = None,
    seed: Annotated[int, typer.Option(help="Of faults by chance.")] = 0,
    falsify: Annotated[list[str] | None, typer.Option(help="Keep this order wrong on purpose.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="A line for every push.")] = False,
) -> None:
    """Run a city platform that keeps a ledger of what operators report, and misbehaves when told."""
    if context.invoked_subcommand is None:
        run_city(
            host=host,
            port=port,
            operator_id=operator_id,
            secret=secret,
            ledger=ledger,
            behave=[*(behave or ()), *(part for text in faults or () for part in text.split(","))],
            profile=profile,
            city_id=city_id,
            seed=seed,
            falsify=falsify,
            verbose=verbose,
        )


@app.command("query")
def query(
    interface: str,
    *,
    url: Annotated[
        str, typer.Option(help="What stands before the profile's paths.")
    ] = "http://127.0.0.1:8080",
    profile: ProfileName = "tcec102-2016",
    operator_id: Annotated[str, typer.Option(help="Whose system it is.")] = "123456789",
    city_id: CityId = CITY_ID,
    secret: Secret = DEMO_SECRET,
    operator_secret: str | None = None,
    data_secret: str | None = None,
    data_secret_iv: str | None = None,
    sig_secret: str | None = None,
    fields: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE; VALUE as JSON or text.")
    ] = None,
    body: Annotated[str, typer.Option(help="The whole question as JSON.")] = "{}",
    every_page: Annotated[bool, typer.Option("--every-page", help="Walk through all pages.")] = False,
) -> None:
    """Ask an operator's system as the city does, and judge its answer field by field.

    Serial numbers that are left out are made. Exit 1 when the answer is not well.
    """
    secrets = Secrets(
        operator_secret or secret, data_secret or secret, data_secret_iv or secret, sig_secret or secret
    )
    _need_keys(secrets)
    try:
        asked = json.loads(body) | dict(_pair(text) for text in fields or ())
        system = OperatorSystem(url, operator_id, secrets, profile=profile, city_id=city_id)
        told = asyncio.run(_ask(system, interface, asked, every_page))
    except (ProfileError, BadQuestion, ValueError, TypeError) as exc:
        console.print(f"[red]{escape(str(exc))}")
        raise typer.Exit(2) from exc
    raise typer.Exit(0 if all(one.well for one in told) else 1)


@app.command("faults")
def list_faults() -> None:
    """List the faults and modes that `--behave` and `--faults` take."""
    table = Table("fault", "what happens")
    for name, what in EVERY.items():
        table.add_row(name, what)
    for name, parts in MODES.items():
        table.add_row(f"[bold]{name}", " ".join(parts))
    console.print(table, soft_wrap=False)


def run_city(
    host: str = "127.0.0.1",
    port: int = 9100,
    operator_id: list[str] | None = None,
    secret: str = DEMO_SECRET,
    ledger: Path | None = None,
    behave: list[str] | None = None,
    profile: str = "simulated",
    city_id: str = CITY_ID,
    seed: int = 0,
    falsify: list[str] | None = None,
    verbose: bool = False,
) -> None:
    """Serve until Ctrl-C. Every operator has the same four secrets, `secret` (16 characters)."""
    secrets = Secrets(secret, secret, secret, secret)
    _need_keys(secrets)
    try:
        city = CityPlatform(
            dict.fromkeys(operator_id or ["123456789"], secrets),
            profile=profile,
            city_id=city_id,
            host=host,
            port=port,
            ledger=ledger,
            behave=behave,
            seed=seed,
            falsify=falsify,
            say=_Teller(verbose),
        )
    except BadFault as exc:
        raise SystemExit(f"--behave: {exc}") from exc
    except ProfileError as exc:
        raise SystemExit(f"--profile: {exc}") from exc
    try:
        asyncio.run(_serve(city))
    except OSError as exc:
        raise SystemExit(f"cannot listen on {host}:{port}: {exc.strerror}") from exc


class _Teller:
    """A line for what a person should see: refusals, disputes, faults, checks; with `verbose` every push."""

    def __init__(self, verbose: bool) -> None:
        self._verbose = verbose

    def __call__(self, interface: str, operator: str, key: str, became: str) -> None:
        bad = became.startswith(("4004", "disputed", "Ret"))
        if bad or self._verbose or became.startswith("fault") or interface == "check_charge_orders":
            colour = "red" if bad else "yellow" if became.startswith("fault") else "green"
            where = " ".join(filter(None, (operator, interface, key)))
            console.print(f"[dim]{datetime.now():%H:%M:%S}[/] {escape(where)} [{colour}]{escape(became)}[/]")


async def _serve(city: CityPlatform) -> None:
    ended = asyncio.Event()
    # A shell starts what it puts in the background with Ctrl-C ignored; asked for, it arrives all the same.
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with city:
        base = city.profile.base_path
        known = ", ".join(city.operators)
        print(f"city platform at {city.url}{base}/ for {known}; {city.url}/ledger", flush=True)
        console.print(f"[bold]{escape(city.profile.title)}[/]: page at {city.url}/")
        for fault in city.faults.told():
            console.print(f"[yellow]fault in force: {escape(fault)}[/]")
        await ended.wait()


async def _ask(
    system: OperatorSystem, interface: str, asked: dict[str, Any], every_page: bool
) -> list[Answered]:
    async with system:
        told = [await system.ask(interface, _with_serial(system, interface, asked))]
        _show(told[0])
        pages = (told[0].body or {}).get("PageCount", 1) if every_page else 1
        for number in range(asked.get("PageNo", 1) + 1, pages + 1):
            told.append(await system.ask(interface, asked | {"PageNo": number}))
            _show(told[-1])
    return told


def _with_serial(system: OperatorSystem, interface: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The question with the serial number it needs, and for a token with our credentials."""
    names = {
        "query_equip_auth": "EquipAuthSeq",
        "query_equip_business_policy": "EquipBizSeq",
        "query_start_charge": "StartChargeSeq",
    }
    if interface == "query_token":
        return system.credentials() | asked
    return ({names[interface]: system.serial()} if interface in names else {}) | asked


def _show(told: Answered) -> None:
    ret = "no answer" if told.ret is None else f"Ret {told.ret} {told.msg}".strip()
    colour = "green" if told.well else "red"
    console.print(
        f"[bold]{told.interface}[/] [{colour}]{escape(ret)}[/] [dim]{told.seconds * 1000:.0f} ms[/]"
    )
    console.print(f"asked  {escape(write_json(told.asked))}")
    if told.body is not None:
        console.print_json(write_json(told.body), ensure_ascii=False)
    for wrong in told.violations[:SHOWN]:
        console.print(f"[red]{escape(str(wrong))}[/]")
    if len(told.violations) > SHOWN:
        console.print(f"[red]and {len(told.violations) - SHOWN} more[/]")


def _pair(text: str) -> tuple[str, Any]:
    """NAME=VALUE; what is not JSON is text. Raises ValueError."""
    name, sign, value = text.partition("=")
    if not sign:
        raise ValueError(f"--set {text}: NAME=VALUE is needed")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _need_keys(secrets: Secrets) -> None:
    if any(len(key.encode()) != 16 for key in (secrets.data_secret, secrets.data_secret_iv)):
        raise SystemExit("--secret: 16 characters are needed, it is an AES-128 key")
