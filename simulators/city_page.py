"""The city's ledger as one plain page that reloads itself. Numbers in, HTML out."""

from html import escape
from typing import Any

from simulators.city_profile import Profile

STYLE = """body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222}
table{border-collapse:collapse;margin:.5em 0 1.5em}
td,th{border:1px solid #ccc;padding:.2em .7em;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}th{background:#f4f4f4}.bad{color:#a00}"""
LINKS = ("", "/orders", "/hours", "/connectors", "/states", "/violations", "/export")
NUMBERS = ("accepted", "received", "duplicates", "corrections", "disputed", "energy_wh")


def page(profile: Profile, summary: dict[str, Any]) -> str:
    """The page of `GET /`."""
    sorts = {"order": summary["orders"], "hour": summary["hours"], **summary["others"]}
    kept = [[sort, *(numbers[name] for name in NUMBERS)] for sort, numbers in sorts.items()]
    orders = [
        [one["operator"], one["key"], one["energy_wh"], one["revision"], one["received"], one["last_at"]]
        for one in summary["latest_orders"]
    ]
    states = summary["statuses"]
    wrong = summary["violations"]
    links = " ".join(f'<a href="/ledger{link}">{escape(link.strip("/") or "ledger")}</a>' for link in LINKS)
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>{escape(profile.title)}</title>
<meta http-equiv="refresh" content="5"><style>{STYLE}</style></head><body>
<h1>{escape(profile.title)}</h1>
<p>Profile {escape(profile.name)}; operators {escape(", ".join(summary["operators"]))};
faults in force: {escape(", ".join(summary["behave"]) or "none")}.
<span{' class="bad"' if wrong else ""}>{wrong} violations.</span></p>
<h2>Kept</h2>{_table(["what", *NUMBERS], kept)}
<p>{states["received"]} states of {states["connectors"]} connectors; connectors by status:
{escape(", ".join(f"{status}: {n}" for status, n in states["by_status"].items()) or "none")}.</p>
<h2>Latest orders</h2>{_table(["operator", "order", "Wh", "revision", "received", "last"], orders)}
<h2>Counters</h2>{_table(["what", "times"], [[name, n] for name, n in summary["counters"].items()])}
<p>As JSON: {links}</p></body></html>"""


def _table(head: list[str], rows: list[list[Any]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{lines}</table>"


def _cell(value: Any) -> str:
    return f'<td class="n">{value}</td>' if isinstance(value, int) else f"<td>{escape(str(value))}</td>"
