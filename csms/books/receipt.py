"""A session's receipt: what was drawn when and what it cost, line by line. Printable, and as JSON.

Knows sessions, prices and the operator's data; the session's own clock is its operator's.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from csms.books.fields import Language
from csms.books.page import Cell, document, facts, heading, number, paragraph, table, text
from csms.books.words import Words, clock, cny, kwh
from csms.domain.billing import fen, yuan
from csms.domain.inventory import OperatorRecord, SiteRecord
from csms.domain.local_time import zone
from csms.store.assets import AssetStore
from csms.store.billing_reads import BillReads
from csms.store.tariffs import TariffStore


class Receipts:
    """Makes receipts. Every method raises StoreUnavailable when the database is away."""

    def __init__(self, reads: BillReads, tariffs: TariffStore, assets: AssetStore, time_zone: str) -> None:
        """`time_zone`: that of sessions of no operator."""
        self._reads, self._tariffs, self._assets, self._zone = reads, tariffs, assets, time_zone

    async def make(self, session: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """The receipt of a session as the API shows it, JSON-ready."""
        code, site = session["operator"], session["site"]
        costs = await self._tariffs.costs(int(session["session_id"]))
        time_zone, name, person, place = self._zone, None, None, None
        if code is not None:
            known = await self._reads.operator(code)
            time_zone, name = known.time_zone, known.name
            person = await self._assets.record(OperatorRecord, (code,))
        if code is not None and site is not None:
            place = await self._assets.record(SiteRecord, (code, site))
        return _shown(session, costs, now) | {
            "time_zone": time_zone,
            "operator": {
                "code": code,
                "name": name,
                "uscid": None if person is None else person.uscid,
                "tel": None if person is None else person.tel,
            },
            "site": {
                "code": site,
                "name": None if place is None else place.name or None,
                "address": None if place is None else place.address,
            },
        }


SAME = (
    "session_id", "start_charge_seq", "charging_station", "evse", "connector", "id_token", "state",
    "started_at", "ended_at", "meter_start_wh", "meter_stop_wh", "energy_wh", "stop_reason", "quality",
)  # fmt: skip
PRICE = (
    "currency", "elec_money", "service_money", "idle_minutes", "idle_money", "parking_minutes",
    "parking_money", "total",
)  # fmt: skip


def _shown(session: Mapping[str, Any], costs: Sequence[Mapping[str, Any]], now: datetime) -> dict[str, Any]:
    cost = costs[-1] if costs else None
    revision = max(session["revision"], cost["revision"] if cost else 1)
    return {
        **{name: session[name] for name in SAME},
        "revision": revision,
        "session_revision": session["revision"],
        "price_revision": cost["revision"] if cost else None,
        "is_corrected": revision > 1,
        "priced_at": cost["priced_at"] if cost else None,
        "tariff": cost["tariff"] if cost else None,
        **{name: cost[name] if cost else None for name in PRICE},
        "lines": [line for line in cost["lines"] if line["energy_wh"]] if cost else [],
        "as_of": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def receipt_page(shown: Mapping[str, Any], language: Language) -> bytes:
    """HTML of a receipt as `Receipts.make` shows it; times by the operator's clock."""
    say, local = Words(language), zone(shown["time_zone"])
    person, site = shown["operator"], shown["site"]
    marks = []
    if shown["is_corrected"]:
        marks.append(paragraph(say("is_corrected", n=shown["revision"]), "mark"))
    if shown["state"] != "ended":
        marks.append(paragraph(say("running"), "mark"))
    parts = [
        heading(say("receipt"), 1),
        paragraph(person["name"] or ""),
        *marks,
        facts(
            [
                (say("operator"), person["name"]),
                (say("code"), person["code"]),
                (say("uscid"), person["uscid"]),
                (say("tel"), person["tel"]),
                (say("site"), " ".join(filter(None, (site["name"], site["code"])))),
                (say("address"), site["address"]),
                (say("station"), shown["charging_station"]),
                (say("connector"), f"{shown['evse']} / {shown['connector']}"),
                (say("session"), shown["session_id"]),
                (say("order"), shown["start_charge_seq"]),
                (say("token"), shown["id_token"]),
                (say("revision"), shown["revision"]),
                (say("started"), clock(shown["started_at"], local)),
                (say("ended"), clock(shown["ended_at"], local)),
                (say("duration"), _duration(shown["started_at"], shown["ended_at"])),
                (say("time_zone"), shown["time_zone"]),
                (say("meter_start"), kwh(shown["meter_start_wh"])),
                (say("meter_stop"), kwh(shown["meter_stop_wh"])),
                (say("energy"), kwh(shown["energy_wh"])),
                (say("stop_reason"), shown["stop_reason"]),
                (say("tariff"), shown["tariff"]),
                (say("priced"), clock(shown["priced_at"], local)),
            ]
        ),
        heading(say("summary")),
        _lines(say, shown),
        paragraph(
            f"{shown['start_charge_seq']} · {clock(shown['as_of'], local)} {shown['time_zone']}", "footer"
        ),
    ]
    return document(language, f"{say('receipt')} {shown['session_id']}", parts)


def _lines(say: Words, shown: Mapping[str, Any]) -> str:
    if shown["total"] is None:
        return paragraph(say("no_price"))
    local = zone(shown["time_zone"])
    names = ("energy", "elec_price", "elec_money", "service_price", "service_money", "money")
    titles = [text(say("from_to")), text(say("period")), *(number(say(name)) for name in names)]
    rows = [
        [
            text(f"{clock(line['start'], local)} – {clock(line['end'], local)[11:]}"),
            text(say(line["period"])),
            number(kwh(line["energy_wh"])),
            number(line["elec_price"]),
            number(cny(line["elec_money"])),
            number(line["service_price"]),
            number(cny(line["service_money"])),
            number(cny(_added(line["elec_money"], line["service_money"]))),
        ]
        for line in shown["lines"]
    ]
    for name in ("idle", "parking"):
        if fen(shown[f"{name}_money"]):
            rows.append(_fee(say(name, n=shown[f"{name}_minutes"]), shown[f"{name}_money"]))
    total = [
        text(say("sum")),
        text(""),
        number(kwh(shown["energy_wh"])),
        number(""),
        number(cny(shown["elec_money"])),
        number(""),
        number(cny(shown["service_money"])),
        number(cny(shown["total"])),
    ]
    return table(titles, rows, total)


def _fee(name: str, money: str) -> list[Cell]:
    return [text(name), *[text("")] * 6, number(cny(money))]


def _added(one: str, other: str) -> str:
    return yuan(fen(one) + fen(other))


def _duration(start: str, end: str | None) -> str:
    if end is None:
        return ""
    seconds = int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
