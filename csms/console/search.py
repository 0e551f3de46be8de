"""The search of every page: pages, charging stations, sessions, tokens, sites. Asks the API, all at once."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from csms.console.desk import Desk, Refused
from csms.console.frame import Entry, Hit
from csms.console.visit import Visit

MOST = 12
SESSION_DIGITS = 6  # shorter numbers are rather part of a name


async def found(visit: Visit, entries: Sequence[Entry], text: str) -> list[Hit]:
    """What fits `text`, pages first. Parts the person may not see are left out."""
    wanted = text.strip()
    folded = wanted.casefold()
    pages = [
        Hit(one.path, visit.words[one.name], "kind_page")
        for one in entries
        if folded in visit.words[one.name].casefold() or folded in one.name
    ]
    if not wanted or not visit.person.is_signed_in:
        return pages[:MOST]
    parts = await visit.several(
        _stations(visit, wanted), _sites(visit, folded), _sessions(visit, wanted), _tokens(visit, wanted)
    )
    hits = [hit for part in parts if not isinstance(part, Refused) for hit in part]
    return [*pages, *hits][:MOST]


async def text_parameter(desk: Desk, path: str) -> str | None:
    """The parameter of a list that looks for a part of a text; None while the list has none."""
    for name in ("text", "search", "prefix"):
        if await desk.offers(path, name):
            return name
    return None


async def _stations(visit: Visit, text: str) -> list[Hit]:
    parameter = await text_parameter(visit.desk, "/charging-stations")
    if parameter is not None:
        listed = (await visit.desk.get("/charging-stations", limit=6, **{parameter: text}))["items"]
    else:
        listed = [await visit.desk.get(f"/charging-stations/{quote(text, safe='')}")]
    return [Hit(f"/stations/{quote(one['identity'], safe='')}", one["identity"], "station") for one in listed]


async def _sites(visit: Visit, folded: str) -> list[Hit]:
    sites: list[dict[str, Any]] = (await visit.desk.get("/sites"))["items"]
    fitting = [one for one in sites if folded in f"{one['name']} {one['code']}".casefold()]
    return [
        Hit(f"/stations?site={quote(one['code'])}", one["name"] or one["code"], "site") for one in fitting[:4]
    ]


async def _sessions(visit: Visit, text: str) -> list[Hit]:
    if not (text.isascii() and text.isdecimal() and len(text) >= SESSION_DIGITS):
        return []
    session = await visit.desk.get(f"/sessions/{text}")
    return [
        Hit(
            f"/sessions/{session['session_id']}",
            f"{session['session_id']} · {session['charging_station']}",
            "session",
        )
    ]


async def _tokens(visit: Visit, text: str) -> list[Hit]:
    parameter = await text_parameter(visit.desk, "/id-tokens")
    asked = {"limit": 200} if parameter is None else {"limit": 4, parameter: text}
    listed = (await visit.desk.get("/id-tokens", **asked))["items"]
    fitting = [one for one in listed if text.casefold() in one["token"].casefold()]
    return [Hit(f"/tokens?text={quote(one['token'], safe='')}", one["token"], "token") for one in fitting[:4]]
