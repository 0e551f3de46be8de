"""Links to what a list shows as a file. The browser fetches it from the API itself: files are streamed."""

from collections.abc import Mapping
from urllib.parse import urlencode

from csms.console.desk import BASE
from csms.console.markup import Content, Html, joined, tag
from csms.console.visit import Visit

FORMATS = ("csv", "xlsx", "parquet")


async def export_links(visit: Visit, what: str, values: Mapping[str, str]) -> Content:
    """One link a format, with the filters of the list; nothing where the API makes no such file."""
    path = f"/exports/{what}"
    operation = await visit.desk.operation(path)
    if operation is None:
        return None
    taken = {one["name"] for one in operation.get("parameters", ())}
    asked = {name: value for name, value in values.items() if name in taken}
    look = {"lang": visit.language, "tz": visit.zone.key}  # as on the page
    asked |= {name: value for name, value in look.items() if name in taken}
    return joined(_link(visit, path, asked, form) for form in FORMATS)


def _link(visit: Visit, path: str, asked: Mapping[str, str], form: str) -> Html:
    href = f"{BASE}{path}?{urlencode({**asked, 'format': form})}"
    return tag("a", f"↓ {form.upper()}", href=href, cls="button", download="", title=visit.words["export"])
