"""What must hold after a story, whatever went wrong in it. Each function tells what does not."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from csms.domain.orders import start_charge_seq
from csms.store.outbox import Outbox, OutboxFilter
from csms.store.reports import ReportStore, TotalFilter
from csms.store.sessions import SessionFilter, SessionStore
from simulators import journal as journals
from simulators import truth as truths
from simulators import verdict as verdicts
from simulators.facts import moment
from simulators.truth import Truth
from tests.stories.world import OPERATOR, World

Rows = list[dict[str, Any]]
MOST = 20
"""So many differences tell enough."""


async def find_wrongs(world: World) -> list[str]:
    """Every way in which the end is not as it must be."""
    assert world.journal.path is not None
    truth = truths.from_journal(journals.read(world.journal.path))
    store = SessionStore(world.database)
    sessions = [row async for row in store.stream(SessionFilter())]
    wrongs = [
        *_against_truth(truth, sessions),
        *await _messages(store, truth, sessions),
        *await _totals(ReportStore(world.database), sessions),
        *await _orders(world, sessions),
        *_of_nodes(world),
        *world.city.wrongs,
    ]
    return wrongs[:MOST]


def _against_truth(truth: Truth, sessions: Rows) -> Iterable[str]:
    """Energy to the Wh, times, tokens; each session once, and none that nobody had."""
    verdict = verdicts.compare(truth, sessions)
    if len(truth.sessions) < len(truth.stations):
        yield f"only {len(truth.sessions)} sessions were had"
    for one in verdict.differences:
        yield f"{one.station} {one.session}: {one.what} is {one.truth}, found {one.found}"


async def _messages(store: SessionStore, truth: Truth, sessions: Rows) -> list[str]:
    """Every acknowledged message has its effect, once."""
    wrongs: list[str] = []
    found = {(row["charging_station"], row["transaction_id"]): int(row["session_id"]) for row in sessions}
    for true in truth.sessions:
        session_id = found.get((true.station, true.transaction_id or ""))
        if session_id is None:
            continue
        messages = [m for m in await store.messages_of(session_id) if m.kind != "evidence"]
        kinds = [m.kind for m in messages if "#" not in m.key]
        if kinds.count("ended") != 1 or kinds.count("started") != 1:
            wrongs.append(f"{true.station} {true.transaction_id}: {kinds}")
        counted = len((await store.readings(session_id, most=100_000)).items)
        if counted != true.readings_count:
            wrongs.append(
                f"{true.station} {true.transaction_id}: {counted} of {true.readings_count} readings"
            )
    return wrongs


async def _totals(reports: ReportStore, sessions: Rows) -> list[str]:
    """Hours, days and months of every level are the sum of the sessions."""
    energy_wh = sum(row["energy_wh"] or 0 for row in sessions)
    wrongs = []
    for by in ("hour", "day", "month"):
        for of in ("connector", "station", "site", "operator"):
            page = await reports.totals(TotalFilter(by, of), most=1_000_000)
            total, starts = sum(row["energy_wh"] for row in page.items), page.items
            if total != energy_wh:
                wrongs.append(f"{by}s of {of}s are {total} Wh in all, sessions {energy_wh} Wh")
            if by != "hour" and not starts:
                wrongs.append(f"no {by}s of {of}s")
    return wrongs


async def _orders(world: World, sessions: Rows) -> list[str]:
    """The city has every revision of every order once, in order, and its figures are ours."""
    wrongs = []
    page = await Outbox(world.database).find(OutboxFilter(), most=1_000_000)
    wrongs += [
        f"{row['kind']} {row['about']} is {row['state']}: {row['last_error']}"
        for row in page.items
        if row["state"] != "sent"
    ]
    orders = {fact: payload for fact, payload in world.city.ledger.items() if fact[0] == "charge-order"}
    for row in sessions:
        seq = start_charge_seq(OPERATOR, int(row["session_id"]))
        if row["state"] != "ended" or {"orphan-stop", "provisional"} & set(row["quality"]):
            continue
        last = world.city.latest.get(("charge-order", seq))
        told = sorted(fact[2] for fact in orders if fact[1] == seq)
        if last is None or last["energy_wh"] != row["energy_wh"]:
            wrongs.append(f"order {seq}: the city has {last}, we {row}")
        elif told != list(range(1, last["revision"] + 1)):
            wrongs.append(f"order {seq}: the city has revisions {told}")
        else:
            wrongs += [f"order {seq}: {wrong}" for wrong in _money(last, row)]
    known = {start_charge_seq(OPERATOR, int(row["session_id"])) for row in sessions}
    wrongs += [f"order {fact} is of no session" for fact in orders if fact[1] not in known]
    hours = await ReportStore(world.database).totals(TotalFilter("hour", "site"), most=1_000_000)
    told = {
        (one["site_code"], moment(one["hour"])): one
        for (kind, _), one in world.city.latest.items()
        if kind == "hour-total"
    }
    for row in hours.items:
        last = told.pop((row["id"], moment(row["start"])), None)
        if last is None or last["energy_wh"] != row["energy_wh"]:
            wrongs.append(f"hour {row['id']} {row['start']}: the city has {last}, we {row['energy_wh']} Wh")
    wrongs += [f"the city has an hour we do not: {key}" for key in told]
    return wrongs


def _money(order: Mapping[str, Any], session: Mapping[str, Any]) -> Iterable[str]:
    """Details add up to the order, and the order is what the session costs."""
    if order["energy_wh"] is None:
        return
    for name in ("elec_money", "service_money"):
        if sum(Decimal(line[name]) for line in order["details"]) != Decimal(order[name]):
            yield f"{name} of the details is not {order[name]}"
    if sum(line["energy_wh"] for line in order["details"]) != order["energy_wh"]:
        yield f"the energy of the details is not {order['energy_wh']}"
    if order["money"] != session["cost"]:
        yield f"it costs {order['money']}, the session {session['cost']}"


def _of_nodes(world: World) -> Iterable[str]:
    """No message failed, none was refused."""
    for node in world.all_nodes:
        for (action, outcome), count in node.stats.messages.items():
            if outcome in ("failed", "refused"):
                yield f"{count} times {action} {outcome}"
        for what, count in node.stats.bad_frames.items():
            yield f"{count} bad frames: {what}"
