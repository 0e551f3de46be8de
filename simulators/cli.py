"""The simulators' command line. Turns arguments into plans, and what happened into tables."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from simulators.city_cli import app as city_app
from simulators.fleet import Fleet, Plan
from simulators.management import ApiError, Management, find_key
from simulators.misbehaviours import MISBEHAVIOURS, Judged
from simulators.roster import Size
from simulators.scenario import Scenario, ScenarioError, load, shipped
from simulators.scripts import NoRoom
from simulators.single import Single, run_single
from simulators.traits import SUBPROTOCOLS
from simulators.verdict import Verdict

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(city_app, name="city")
console = Console()
SHOWN = 20

Url = Annotated[str, typer.Option(help="Where stations connect, without their identity.")]
Password = Annotated[
    str | None, typer.Option(help="Basic password; by default a fleet's stations have their own.")
]
Speed = Annotated[float | None, typer.Option(help="Station clocks run this many times as fast as real ones.")]


@app.command()
def fleet(
    *,
    stations: Annotated[int, typer.Option(min=1)] = 200,
    sessions: Annotated[int, typer.Option(min=0, help="Sessions of each station.")] = 2,
    seed: int = 7,
    verify: Annotated[bool, typer.Option("--verify", help="Compare the history with the truth.")] = False,
    url: Url = "ws://127.0.0.1:9000/ocpp",
    api: str = "http://127.0.0.1:8080",
    api_key: Annotated[str | None, typer.Option(help="Default: CSMS_API_KEY, else a new one.")] = None,
    scenario: Annotated[str, typer.Option(help=f"{', '.join(shipped())}, or a file.")] = "default",
    speed: Speed = None,
    versions: str = "1.6,2.0.1,2.1",
    journal: Annotated[Path | None, typer.Option(help="Default: build/ for a run that ends.")] = None,
    prefix: str = "SIM",
    password: Password = None,
    operator: Annotated[str, typer.Option(help="Nine characters.")] = "123456789",
    sites: Annotated[int, typer.Option(min=1)] = 10,
    patience: Annotated[float, typer.Option(help="Seconds without any acknowledgement.")] = 120,
    forever: Annotated[bool, typer.Option("--forever", help="Live on until Ctrl-C.")] = False,
    backfill_days: Annotated[float, typer.Option(min=0)] = 0,
) -> None:
    """Run a fleet of charging stations; with --verify exit 1 unless the history equals the truth."""
    if verify and forever:
        raise typer.BadParameter("--verify needs a run that ends")
    if journal is None and not forever:
        journal = Path("build") / f"fleet-{prefix}-{int(time.time())}.jsonl"
    try:
        chosen = load(scenario)
        size = Size(stations, sites, _versions(versions), prefix, operator)
        plan = Plan(
            url=url,
            api=api,
            api_key=find_key(api_key),
            size=size,
            sessions=sessions,
            seed=seed,
            speed=speed,
            forever=forever,
            backfill_days=backfill_days,
            password=password,
            patience_s=patience,
            journal=journal,
        )
        code = _run(_fleet(plan, chosen, verify))
    except (ScenarioError, ApiError, NoRoom) as exc:
        console.print(f"[red]{exc}")
        code = 2
    raise typer.Exit(code)


@app.command()
def station(
    *,
    identity: str = "SIM-ONE",
    version: str = "2.0.1",
    url: Url = "ws://127.0.0.1:9000/ocpp",
    password: Password = None,
    misbehave: Annotated[list[str] | None, typer.Option(help="Any of `python -m simulators quirks`.")] = None,
    speed: Speed = None,
    sessions: Annotated[int | None, typer.Option(help="Default: until Ctrl-C.")] = None,
    evses: Annotated[int, typer.Option(min=1)] = 1,
    kw: float = 22,
    dc: bool = False,
    token: Annotated[list[str] | None, typer.Option(help="Who charges; several take turns.")] = None,
    sample: Annotated[float, typer.Option(help="Seconds of its clock between meter values.")] = 10,
    minutes: Annotated[float, typer.Option(help="Length of a session on its clock.")] = 3,
    seed: int = 1,
) -> None:
    """Run one station that says what it does, charges cars one after the other and obeys commands."""
    _versions(version)
    unknown = sorted(set(misbehave or ()) - set(MISBEHAVIOURS))
    if unknown:
        raise typer.BadParameter(f"unknown misbehaviour {', '.join(unknown)}")
    one = Single(
        identity=identity,
        version=version,
        url=url,
        password=password,
        misbehave=tuple(misbehave or ()),
        speed=speed or 1.0,
        sessions=sessions,
        evses=evses,
        kw=kw,
        dc=dc,
        tokens=tuple(token or ("SIMTOKEN1",)),
        sample_s=sample,
        minutes=minutes,
        seed=seed,
    )
    raise typer.Exit(_run(run_single(one, console)))


@app.command()
def quirks() -> None:
    """List the misbehaviours that a station can have."""
    table = Table("name", "what it does", "versions", "seen with")
    for one in MISBEHAVIOURS.values():
        table.add_row(one.name, one.what, " ".join(one.versions), one.seen)
    console.print(table)


def main() -> None:
    """Entry of `python -m simulators`."""
    app()


def _versions(text: str) -> tuple[str, ...]:
    versions = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = [version for version in versions if version not in SUBPROTOCOLS]
    if unknown or not versions:
        raise typer.BadParameter(f"versions are {', '.join(SUBPROTOCOLS)}")
    return versions


def _run(work: Coroutine[Any, Any, int]) -> int:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def _fleet(plan: Plan, scenario: Scenario, verify: bool) -> int:
    fleet = Fleet(plan, scenario, say=lambda line: console.print(f"[dim]provisioning {line}"))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, fleet.stop)
    async with Management(plan.api, plan.api_key, plan.patience_s) as api:
        await fleet.provision(api)
        began = time.monotonic()
        finished = await _watched(fleet)
        seconds = time.monotonic() - began
        _tell_run(fleet, seconds)
        if fleet.stopped:
            return 0
        if not verify:
            return 0 if finished else 1
        verdict = await fleet.judge(api)
    _tell_verdict(verdict, fleet)
    return 0 if verdict.holds and finished else 1


async def _watched(fleet: Fleet) -> bool:
    columns = (
        SpinnerColumn(),
        TextColumn("stations done"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("stations", total=len(fleet.links), counts="")
        ticking = asyncio.create_task(_tick(fleet, progress, task))
        try:
            return await fleet.run()
        finally:
            ticking.cancel()


async def _tick(fleet: Fleet, progress: Progress, task: Any) -> None:
    while True:
        journal = fleet.journal
        counts = (
            f"{journal.ok_count} acknowledged, {journal.lost_count} lost, {journal.refused_count} refused"
        )
        progress.update(task, completed=fleet.over, counts=counts)
        await asyncio.sleep(0.2)


def _tell_run(fleet: Fleet, seconds: float) -> None:
    journal = fleet.journal
    rate = journal.ok_count / max(seconds, 0.001)
    console.print(
        f"{fleet.over} of {len(fleet.links)} stations done in {seconds:.1f} s: "
        f"{journal.sent_count} messages sent, {journal.ok_count} acknowledged ({rate:.0f}/s), "
        f"{journal.lost_count} lost and sent again, "
        f"{journal.refused_count} refused"
    )


def _tell_verdict(verdict: Verdict, fleet: Fleet) -> None:
    table = Table("compared", "count", title="history against truth", title_justify="left")
    exact = sum(count for level, count in verdict.judged.items() if level is Judged.READINGS)
    table.add_row("stations", f"{sum(verdict.judged.values())} ({exact} of them to the last reading)")
    table.add_row("sessions", str(verdict.sessions))
    table.add_row("energy", f"{verdict.energy_wh} Wh")
    table.add_row("readings", f"{verdict.readings} of {verdict.readings_of} sessions")
    table.add_row("differences", str(len(verdict.differences)))
    console.print(table)
    if verdict.holds:
        console.print("[green]The history equals the truth.")
        return
    wrong = Table(
        "station", "transaction", "what", "truth", "history", title=f"first {SHOWN}", title_justify="left"
    )
    for one in verdict.differences[:SHOWN]:
        wrong.add_row(one.station, one.session, one.what, one.truth, one.found)
    console.print(wrong)
    console.print(f"[red]The history differs from the truth. Journal: {fleet.journal.path}")
