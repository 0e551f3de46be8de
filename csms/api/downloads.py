"""/exports: what lists show, as files: CSV, XLSX, Parquet. Everything a filter selects, streamed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import StreamingResponse

from csms.api.attachments import attachment, keep_record, place
from csms.api.auth import ADMINS, EVERYONE, READERS, Principal, Who, operation
from csms.api.forms import Name, ZoneName
from csms.api.paging import TimeSpan
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem
from csms.api.reports import AskedTotals
from csms.api.session_search import AskedSessions
from csms.books.exporting import MEDIA_TYPES, Export, Form, Look, file_name
from csms.books.fields import Language, language_of
from csms.sheets.books import has_parquet
from csms.store.audit_queries import AuditFilter

router = APIRouter(prefix="/exports", tags=["Exports"])

FILE = {
    200: {
        "description": "The file, under a name that tells what it is.",
        "content": {
            MEDIA_TYPES[form]: {"schema": {"type": "string", "format": "binary"}}
            for form in ("csv", "xlsx", "parquet")
        },
    }
}


def asked_zone(
    parts: Parts,
    tz: Annotated[
        ZoneName | None,
        Query(
            description="Time zone of times in the file (IANA); the network's by default.",
            examples=["Asia/Shanghai"],
        ),
    ] = None,
) -> str:
    """The time zone of a file."""
    return tz or parts.settings.documents.time_zone


def asked_language(
    request: Request,
    parts: Parts,
    lang: Annotated[
        Language | None,
        Query(description="Language of titles; by default what Accept-Language says, then the network's."),
    ] = None,
) -> Language:
    """The language of a file."""
    return (
        lang or language_of(request.headers.get("accept-language", "")) or parts.settings.documents.language
    )


AskedZone = Annotated[str, Depends(asked_zone)]
AskedLanguage = Annotated[Language, Depends(asked_language)]


def asked_look(
    zone: AskedZone,
    language: AskedLanguage,
    form: Annotated[Form, Query(alias="format", description="The kind of file.")] = "csv",
    bom: Annotated[bool, Query(description="CSV begins with a byte order mark, for Excel.")] = True,
) -> Look:
    """How a file is written. Raises Problem 501 for Parquet where it is not installed."""
    if form == "parquet" and not has_parquet():
        raise Problem(501, "Parquet needs one more package on the server: pip install 'csms[parquet]'.")
    return Look(form, language, zone, bom)


AskedLook = Annotated[Look, Depends(asked_look)]


def _operation(
    roles: Any, *errors: int, whole_network: bool = False, by_site: bool = False
) -> dict[str, Any]:
    made = operation(roles, 501, *errors, whole_network=whole_network, by_site=by_site)
    return made | {"responses": {**made["responses"], **FILE}, "response_class": StreamingResponse}


@router.get("/sessions", summary="Export charging sessions", **_operation(READERS, 404, by_site=True))
async def export_sessions(
    request: Request, parts: Parts, who: Who, wanted: AskedSessions, look: AskedLook
) -> Any:
    """Newest first, with the filters of `/sessions`. Energies in kWh, money in CNY, times of `tz`."""
    export = parts.books.sessions(wanted)
    return await _answer(request, parts, who, export, look, wanted)


@router.get("/totals", summary="Export totals", **_operation(EVERYONE, 404, by_site=True))
async def export_totals(
    request: Request, parts: Parts, who: Who, wanted: AskedTotals, look: AskedLook
) -> Any:
    """By start, with the filters of `/totals`. Periods are of the operators' clocks, whatever `tz` is."""
    export = parts.books.totals(wanted)
    return await _answer(request, parts, who, export, look, wanted)


@router.get("/orders", summary="Export orders", **_operation(READERS, 404, by_site=True))
async def export_orders(
    request: Request, parts: Parts, who: Who, wanted: AskedSessions, look: AskedLook
) -> Any:
    """What was billed, revision by revision, and what city platforms were told of it; by the sessions'
    filters, newest session first. `told` is empty where the record was told so long ago that only the price
    is kept.
    """
    export = parts.books.orders(wanted)
    return await _answer(request, parts, who, export, look, wanted)


def audit_filter(
    span: TimeSpan,
    actor: Annotated[Name | None, Query(description="Only by this one, as the log names it.")] = None,
    action: Annotated[Name | None, Query(description="Only this kind of action.")] = None,
    subject: Annotated[Name | None, Query(description="Only of this record.")] = None,
) -> AuditFilter:
    """The entries that are asked for."""
    return AuditFilter(actor, action, subject, *span)


@router.get("/audit", summary="Export the audit log", **_operation(ADMINS, whole_network=True))
async def export_audit(
    request: Request,
    parts: Parts,
    who: Who,
    wanted: Annotated[AuditFilter, Depends(audit_filter)],
    look: AskedLook,
) -> Any:
    """Who did what to what, latest first. This export is in it, too."""
    return await _answer(request, parts, who, parts.books.audit(wanted), look, wanted)


async def _answer(
    request: Request, parts: ApiParts, who: Principal, export: Export, look: Look, wanted: Any
) -> StreamingResponse:
    with place(parts) as held:
        # What is wrong with the filter, or the database, is told while there can be an answer that says so.
        await export.find(None, 1)
        asked = await keep_record(parts, request, who, export.name, look.form, wanted)
        name = file_name(
            export.name, look.form, parts.now(), look.time_zone, asked.get("operator"), asked.get("site")
        )
        return attachment(parts.books.stream(export, look), look.form, name, held)
