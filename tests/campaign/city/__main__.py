"""`make campaign`: does every city have what it is owed, and does a bad city cost the stations anything?

Bounded in count by its options and in time by the bounds of each step. Exit code 1 when anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.campaign.city.answers import WAYS, Load, answered, show_answers, slower, unanswered
from tests.campaign.city.ledgers import accounts, falsified, nights
from tests.campaign.city.load import Size, charge, drained, tell_late
from tests.campaign.city.town import Town
from tests.campaign.city.verdict import AWAY, PLATFORMS, RESTARTED, Verdict, show, show_accounts

AWAY_FROM_S = 15.0
DRAINED_WITHIN_S = 300.0
console = Console(width=140)


async def ledgers(options: argparse.Namespace, directory: Path, verdict: Verdict) -> dict[str, Any]:
    """The first part: charging, trouble, ledgers, nights. What was counted."""
    away = (AWAY, AWAY_FROM_S)
    town = Town(directory, PLATFORMS, day_s=options.day, away=away, database_url=options.database)
    size = Size(options.stations, options.sessions, options.late_each)
    try:
        with console.status("ledgers: charging"):
            await town.start()
            began = time.monotonic()
            codes = await charge(town, size, directory, RESTARTED)
            charging_s = time.monotonic() - began
        wrong = [f"the stations of {name} say otherwise: exit {code}" for name, code in codes.items() if code]
        verdict.that("csms's history is the stations' truth", wrong)
        with console.status("ledgers: waiting for the cities"):
            waited_s = await drained(town.csms, DRAINED_WITHIN_S + options.day)
            late = await tell_late(town.csms, size)
            waited_s += await drained(town.csms, DRAINED_WITHIN_S)
        found = await accounts(town)
        show_accounts(console, found)
        _judge_ledgers(verdict, town, found, size)
        with console.status("ledgers: nights"):
            for name, wrong in (await nights(town)).items():
                verdict.that(f"{name}: the night's check disputes nothing", wrong)
            what = f"{RESTARTED}: a falsified order is the one dispute there is"
            verdict.that(what, await falsified(town, RESTARTED))
        rows = (await town.csms.get("platforms"))["items"]
        verdict.that("nothing was set aside", [f"{r['name']}: {r['dead']}" for r in rows if r["dead"]])
        await town.csms.stop()
    finally:
        town.end()
    times = {"charging_s": charging_s, "drained_s": waited_s, "late": late, "day_s": options.day}
    return {**times, "accounts": [asdict(one) for one in found]}


def _judge_ledgers(verdict: Verdict, town: Town, found: list[Any], size: Size) -> None:
    for one in found:
        verdict.that(f"{one.platform}: every revision of every order, once, to the Wh and the fen", one.wrong)
    due = size.stations * size.sessions
    few = [f"{one.platform}: {one.sessions} of {due}" for one in found if one.sessions < due]
    verdict.that(f"{len(town.operators)} operators had {due} sessions each", few)
    idle = [one.platform for one in found if not (one.revised and one.faults and one.duplicates)]
    verdict.that("every city misbehaved, took orders twice and was told corrections", idle)


async def answers(options: argparse.Namespace, directory: Path, verdict: Verdict) -> list[dict[str, Any]]:
    """The second part: the stations' answer times with each way of being a city."""
    load = Load(options.paced_stations, 3, 200)
    found = []
    for way in WAYS:
        with console.status(f"answers: the city is {way}"):
            found.append(await answered(way, load, _folder(directory, way)))
    show_answers(console, found)
    verdict.that("every station was answered, whatever its city does", unanswered(found))
    verdict.that("a city that hangs, refuses or is gone slows no station", slower(found))
    return [asdict(one) for one in found]


async def run(options: argparse.Namespace) -> bool:
    """Both parts; whether all holds."""
    verdict, told = Verdict(), dict[str, Any]()
    directory = Path(tempfile.mkdtemp(prefix="csms-campaign-"))
    try:
        if options.part in ("all", "ledgers"):
            told["ledgers"] = await ledgers(options, _folder(directory, "ledgers"), verdict)
        if options.part in ("all", "answers"):
            told["answers"] = await answers(options, directory, verdict)
    finally:
        if options.keep:
            console.print(f"logs and ledgers: {directory}")
        else:
            shutil.rmtree(directory)
    told["statements"] = verdict.statements
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(told, indent=1, default=str) + "\n")
    show(console, verdict)
    console.print(f"figures: {options.output}")
    return verdict.holds


def _folder(directory: Path, name: str) -> Path:
    (made := directory / name).mkdir()
    return made


def main() -> None:
    """Entry of `python -m tests.campaign.city`."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.city", description=__doc__)
    parser.add_argument("--part", choices=("all", "ledgers", "answers"), default="all")
    parser.add_argument("--stations", type=int, default=67, help="of each of three operators")
    parser.add_argument("--sessions", type=int, default=10, help="of each station")
    parser.add_argument("--late-each", type=int, default=5, help="each so many sessions get a late reading")
    parser.add_argument("--day", type=float, default=86.4, help="seconds in which a city's day passes")
    parser.add_argument("--paced-stations", type=int, default=120, help="of the answer times")
    parser.add_argument("--database", default="", help="URL of an empty database; default: a SQLite file")
    parser.add_argument("--output", type=Path, default=Path("build/campaign-city.json"))
    parser.add_argument("--keep", action="store_true", help="keep the directory with logs and ledgers")
    sys.exit(0 if asyncio.run(run(parser.parse_args())) else 1)


if __name__ == "__main__":
    main()
