"""What a record for a city platform is about, as people read it, with a link to it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from csms.console.blocks import station_href
from csms.console.markup import Content, joined, tag
from csms.console.symbols import state_mark
from csms.console.visit import Visit


def about_text(visit: Visit, kind: str, about: str) -> Content:
    """The session, connector or hour that is meant. What is worded otherwise is shown as it is."""
    read = READ.get(kind)
    try:
        return about if read is None else read(visit, about)
    except ValueError:
        return about


def _session(visit: Visit, about: str) -> Content:
    number, _, revision = about.partition("/")
    again = f" · {visit.words['revision']} {revision}" if revision not in ("", "1") else ""
    return joined((tag("a", f"{visit.words['session']} {int(number)}", href=f"/sessions/{number}"), again))


def _connector(visit: Visit, about: str) -> Content:
    identity, evse, connector, micros, status = about.split("/")
    at = visit.time(datetime.fromtimestamp(int(micros) / 1e6, UTC))
    link = tag("a", identity, href=station_href(identity))
    return joined((link, f" {evse}/{connector} ", state_mark(status, visit.words), " ", at))


def _hour(visit: Visit, about: str) -> Content:
    site, hour, revision = about.rsplit("/", 2)
    start = datetime.fromisoformat(hour).astimezone(visit.zone)
    again = f" · {visit.words['revision']} {revision}" if revision != "1" else ""
    return f"{site} {start:%Y-%m-%d %H:%M}{again}"


READ: Mapping[str, Callable[[Visit, str], Content]] = {
    "charge-order": _session,
    "charge-status": _session,
    "connector-status": _connector,
    "hour-total": _hour,
}
