"""/reports/statement and /sessions/{id}/receipt: documents for people, as pages, workbooks and JSON."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from csms.api.attachments import attachment, disposition, place
from csms.api.audit import audit
from csms.api.auth import READERS, Own, OwnOperator, Who, operation
from csms.api.document_forms import ReceiptView, StatementView
from csms.api.downloads import AskedLanguage
from csms.api.forms import OperatorCode
from csms.api.parts import Parts
from csms.api.sessions import SessionId, shown_session
from csms.books.exporting import MEDIA_TYPES, file_name
from csms.books.page import POLICY
from csms.books.receipt import receipt_page
from csms.books.statement_page import statement_page
from csms.errors import NotFound

router = APIRouter(tags=["Documents"])


def _operation(*forms: str, by_site: bool = False) -> dict[str, Any]:
    """A route that answers JSON, or one of the other forms."""
    made = operation(READERS, 404, by_site=by_site)
    content = {MEDIA_TYPES[form]: {"schema": {"type": "string", "format": "binary"}} for form in forms}
    described = {"description": "The document, in the form that was asked for.", "content": content}
    return made | {"responses": {**made["responses"], 200: described}}


@router.get(
    "/reports/statement",
    summary="An operator's statement of a month",
    response_model=StatementView,
    **_operation("html", "xlsx"),
)
async def statement(
    request: Request,
    parts: Parts,
    who: Who,
    own: OwnOperator,
    language: AskedLanguage,
    operator: Annotated[OperatorCode, Query(description="Whose.", examples=["123456789"])],
    month: Annotated[
        str,
        Query(pattern=r"^[0-9]{4}-[0-9]{2}$", description="By the operator's clock.", examples=["2026-01"]),
    ],
    form: Annotated[
        Literal["json", "html", "xlsx"],
        Query(alias="format", description="xlsx holds every session; html is printable (A4)."),
    ] = "json",
) -> Any:
    """Sessions that started in the month and were billed, by site, day and time-of-use period; what was
    priced after closing, as corrections; what platforms dispute. Sums equal those of the session lines to
    the fen.
    """
    if own not in (None, operator):
        raise NotFound(f"operator {operator}")
    found = await parts.books.statements.month(operator, month)
    with place(parts) as held:
        made = await parts.books.statements.make(found, parts.now())
        if form == "json":
            return made.shown
        asked = {"operator": operator, "month": month, "format": form}
        await audit(parts, request, who, "export", "statement", asked)
        name = file_name("statement", form, parts.now(), made.shown["time_zone"], operator, month)
        if form == "xlsx":
            return attachment(parts.books.statement_book(made, language), form, name, held)
        return page(statement_page(made.shown, language), name)


@router.get(
    "/sessions/{session_id}/receipt",
    summary="A session's receipt",
    response_model=ReceiptView,
    **_operation("html", by_site=True),
)
async def receipt(
    parts: Parts,
    own: Own,
    language: AskedLanguage,
    session_id: SessionId,
    form: Annotated[
        Literal["json", "html"], Query(alias="format", description="html is printable (A4).")
    ] = "json",
) -> Any:
    """What was drawn in each time-of-use period and what it cost, meter readings at start and end, and the
    operator's data. One that was revised says so.
    """
    shown = await shown_session(parts, session_id, own)
    made = await parts.books.receipts.make(shown, parts.now())
    if form == "json":
        return made
    name = file_name("receipt", "html", parts.now(), made["time_zone"], shown["session_id"])
    return page(receipt_page(made, language), name)


def page(content: bytes, name: str) -> Response:
    """A page to be looked at, printed or saved: nothing in it runs or loads."""
    headers = disposition(name, "inline") | {"Content-Security-Policy": POLICY}
    return Response(content, 200, headers, MEDIA_TYPES["html"])
