"""A city's ledger against what csms owes it, and the nights in which they are reconciled."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from csms.config import Settings
from csms.reporting.reconciliation import Reconciliation
from csms.reporting.service import Reporting
from csms.store.database import Database
from csms.store.disputes import DisputeStore
from csms.store.platforms import PlatformStore
from tests.campaign.city.load import CHINA, Session, costs_of
from tests.campaign.city.town import City, Town
from tests.campaign.fleet import every
from tests.campaign.kit import until

ENERGY_DIFFERS = 2
PLACES = {"simulated": 3}
SERVICE = ("TotalServiceMoney", "TotalSeviceMoney")
NIGHT_WITHIN_S = 60.0


class Figures(NamedTuple):
    """Of one revision: energy as the city writes it (kWh); electricity, service and both (CNY)."""

    energy: Decimal
    elec: Decimal
    service: Decimal
    money: Decimal


@dataclass(slots=True)
class Account:
    """What one platform should have and what it has."""

    platform: str
    profile: str
    sessions: int = 0
    revisions: int = 0
    revised: int = 0
    ours_wh: int = 0
    theirs_kwh: Decimal = Decimal(0)
    ours_fen: int = 0
    theirs_fen: int = 0
    duplicates: int = 0
    faults: int = 0
    wrong: list[str] = field(default_factory=list)


async def accounts(town: Town) -> list[Account]:
    """Every platform's account. `wrong` is empty where nothing is missing, doubled or different."""
    csms = town.csms
    sessions = await every(csms, "sessions")
    costs = await costs_of(csms, sessions)
    found = []
    for city in town.cities.values():
        mine = [one for one in sessions if one["start_charge_seq"].startswith(city.platform.operator)]
        found.append(await _account(city, mine, costs))
    return found


async def _account(city: City, sessions: list[Session], costs: dict[str, list[dict[str, Any]]]) -> Account:
    profile = city.platform.profile
    account = Account(city.platform.name, profile)
    ledger = {one["key"]: one for one in (await city.get("/ledger/orders"))["items"]}
    summary = await city.get("/ledger")
    counters = summary["counters"]
    account.faults = sum(n for name, n in counters.items() if name.startswith("fault:"))
    account.duplicates = summary["orders"]["duplicates"]
    account.wrong += await _refusals(city)
    for session in sessions:
        seq, told = session["start_charge_seq"], costs[session["start_charge_seq"]]
        if session["state"] != "ended":
            account.wrong.append(f"{seq} has not ended")
            continue
        account.sessions += 1
        account.revisions += len(told)
        account.revised += len(told) > 1
        entry = ledger.pop(seq, None)
        account.wrong += await _order(city, session, told, entry)
        if entry is not None and told:
            account.ours_wh += session["energy_wh"] or 0
            account.theirs_kwh += _theirs(entry["body"]).energy
            account.ours_fen += int(100 * _ours(told[-1], profile).money)
            account.theirs_fen += int(100 * _theirs(entry["body"]).money)
    account.wrong += [f"{seq}: nobody charged for this order" for seq in ledger]
    return account


async def _refusals(city: City) -> list[str]:
    """What the city found wrong with anything that it was told."""
    found = (await city.get("/ledger/violations"))["items"]
    kinds = Counter((one["interface"], one["field"], one["reason"]) for one in found)
    return [f"refused {n} times: {' '.join(kind)}" for kind, n in kinds.items()]


async def _order(
    city: City, session: Session, told: list[dict[str, Any]], entry: dict[str, Any] | None
) -> list[str]:
    seq, profile = session["start_charge_seq"], city.platform.profile
    if not told:
        return [f"{seq} was never priced"]
    if entry is None:
        return [f"{seq} is missing"]
    last, wrong = told[-1], []
    if (session["energy_wh"], session["cost"]) != (last["energy_wh"], last["total"]):
        wrong.append(f"{seq}: the session says {session['energy_wh']}, {session['cost']}, its cost {last}")
    if entry["disputed"]:
        wrong.append(f"{seq} is disputed")
    versions = [entry["body"]]
    if entry["versions"] > 1:
        versions = [one["body"] for one in (await city.get(f"/ledger/orders/{seq}"))["items"]]
    if len(versions) > len(told):
        wrong.append(f"{seq}: {len(told)} revisions, told in {len(versions)} ways")
    ours = _changes(_ours(one, profile) for one in told)
    if ours != (theirs := _changes(map(_theirs, versions))):
        wrong.append(f"{seq}: {ours} was told as {theirs}")
    if _theirs(entry["body"]) != ours[-1]:
        wrong.append(f"{seq}: it stands as {_theirs(entry['body'])}, not {ours[-1]}")
    if profile == "simulated":
        numbers = [body["Revision"] for body in versions]
        if numbers != [one["revision"] for one in told]:
            wrong.append(f"{seq}: revisions {numbers} of {len(told)}")
    return wrong


def _changes(figures: Iterable[Figures]) -> list[Figures]:
    """Without what says the same as the one before: a city without revision numbers cannot know of it."""
    return [one for one, _ in groupby(figures)]


def _ours(cost: dict[str, Any], profile: str) -> Figures:
    energy = Decimal(cost["energy_wh"] or 0).scaleb(-3)
    elec, service = Decimal(cost["elec_money"] or 0), Decimal(cost["service_money"] or 0)
    unit = Decimal(1).scaleb(-PLACES.get(profile, 2))
    return Figures(energy.quantize(unit, ROUND_HALF_UP), elec, service, elec + service)


def _theirs(body: dict[str, Any]) -> Figures:
    service = next(body[name] for name in SERVICE if name in body)
    told = (body["TotalPower"], body["TotalElecMoney"], service, body["TotalMoney"])
    return Figures(*(Decimal(str(one)) for one in told))


async def nights(town: Town) -> dict[str, list[str]]:
    """Run the reconciliation of every night that has orders, with the clock of the night; what is wrong."""
    sessions = await every(town.csms, "sessions", state="ended")
    for day in sorted({local_day(one) for one in sessions}):
        await _check(town, day)
    wrong = {}
    for name, city in town.cities.items():
        mine = [one for one in sessions if one["start_charge_seq"].startswith(city.platform.operator)]
        days = Counter(local_day(one).isoformat() for one in mine)
        await until(partial(_answered, town, name, days), NIGHT_WITHIN_S)
        wrong[name] = await _unlike(town, name, days)
    return wrong


def local_day(session: Session) -> date:
    """The day of China on which a session ended."""
    return (datetime.fromisoformat(session["ended_at"]) + CHINA).date()


async def _check(town: Town, day: date) -> None:
    """The night after `day`, half an hour after midnight, by the code that csms runs."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - CHINA + timedelta(days=1)
    night = midnight + timedelta(minutes=30)
    settings = Settings.load(town.csms.config_file)
    database = await Database.open(settings.database.url)
    try:
        routes = Reporting(settings.reporting, database, {}, lambda: night).routes
        work = Reconciliation(routes, PlatformStore(database), DisputeStore(database))
        for route in routes:
            assert await work.look(route), f"{route.name} was not told to check {day}"
    finally:
        await database.close()


async def _answered(town: Town, name: str, days: Counter[str]) -> bool:
    checks = (await town.csms.get(f"platforms/{name}"))["order_checks"]
    answered = {one["day"] for one in checks if one["answered_at"]}
    return answered >= days.keys()


async def _unlike(town: Town, name: str, days: Counter[str]) -> list[str]:
    checks = {one["day"]: one for one in (await town.csms.get(f"platforms/{name}"))["order_checks"]}
    wrong = [
        f"{day}: {checks[day]['orders']} orders checked, {n} sessions ended"
        for day, n in days.items()
        if checks[day]["orders"] != n
    ]
    return wrong + [f"disputed: {one}" for one in await open_disputes(town, name)]


async def open_disputes(town: Town, name: str) -> list[dict[str, Any]]:
    """What the API says that a platform disputes."""
    found: list[dict[str, Any]] = (await town.csms.get(f"platforms/{name}/disputes", open="true"))["items"]
    return found


async def falsified(town: Town, name: str) -> list[str]:
    """Make one order of a city wrong, check its day again, and see that it is the one dispute of all."""
    city = town.cities[name]
    entries = (await city.get("/ledger/orders"))["items"]
    entry = entries[len(entries) // 2]
    seq, before = entry["key"], _theirs(entry["body"])
    await city.falsify(seq)
    day = entry["body"]["EndTime"][:10]
    rows = await every(town.csms, "outbox", platform=name, kind="order-check")
    (row,) = [one for one in rows if one["about"] == f"{day}/0"]
    await town.csms.post(f"platforms/{name}/outbox/{row['id']}/resend", {})
    await until(lambda: open_disputes(town, name), NIGHT_WITHIN_S)
    await asyncio.sleep(1)  # for disputes that should not be there
    wrong = []
    for other in town.cities:
        told = [
            (one["start_charge_seq"], one["reason"], one["about"], one["source"], Decimal(one["their_power"]))
            for one in await open_disputes(town, other)
        ]
        due = [(seq, ENERGY_DIFFERS, day, "order-check", before.energy + 1)] if other == name else []
        if told != due:
            wrong.append(f"{other} disputes {told}, not {due}")
    return wrong
