"""/assets/import, /assets/export, /assets/template: asset data in files. Knows no field."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, AskedOperator, OwnOperator, Who, operation
from csms.api.exports import MEDIA_TYPE as CSV
from csms.api.forms import View, with_examples
from csms.api.parts import Parts
from csms.domain.asset_fields import LEVELS
from csms.handlers.asset_files import exported, import_file, template
from csms.sheets.writing import MEDIA_TYPE as XLSX

router = APIRouter()

MEDIA_TYPES = {"csv": CSV, "xlsx": XLSX}
Format = Annotated[
    Literal["csv", "xlsx"],
    Query(alias="format", description="CSV has one level, XLSX a sheet for each."),
]
Level = Annotated[
    Literal["operators", "sites", "equipment", "connectors"], Query(description="The level of a CSV file.")
]
FILE = {"content": {media: {"schema": {"type": "string", "format": "binary"}} for media in (CSV, XLSX)}}


def _with_file_body(route: dict[str, Any]) -> dict[str, Any]:
    extra = route["openapi_extra"] | {"requestBody": {"required": True, **FILE}}
    refused = route["responses"][422] | {"model": ImportReport}  # or a problem, before the file was read
    return route | {"openapi_extra": extra, "responses": route["responses"] | {422: refused}}


def _with_file_answer(route: dict[str, Any]) -> dict[str, Any]:
    return route | {"responses": route["responses"] | {200: FILE | {"description": "The file."}}}


class ImportProblem(View):
    """What is wrong, and where in the file; row 1 is the header, 0 the whole sheet."""

    sheet: str
    row: int
    column: str
    problem: str


class ImportReport(View):
    """What an import did. With problems it is `refused` and nothing was written."""

    outcome: Literal["imported", "would-be-imported", "refused"]
    counts: dict[str, dict[str, int]] = Field(
        description="Added, changed and unchanged records of each level."
    )
    problems: list[ImportProblem] = Field(description="At most a thousand.")

    model_config = with_examples(
        {
            "outcome": "refused",
            "counts": {"sites": {"added": 12, "changed": 0, "unchanged": 3}},
            "problems": [
                {"sheet": "sites", "row": 7, "column": "area_code", "problem": "'x' is not: six digits"}
            ],
        }
    )


@router.post(
    "/import",
    summary="Import asset data from CSV or XLSX",
    response_model=ImportReport,
    **_with_file_body(operation(ADMINS, 409, 413)),
)
async def import_assets(
    request: Request,
    response: Response,
    parts: Parts,
    who: Who,
    own: OwnOperator,
    dry_run: Annotated[bool, Query(description="Only say what would come of it.")] = False,
) -> Any:
    """The body is the file. All or nothing: with any problem the answer is 422 and lists every one by row
    and column (a dry run lists them with 200). Importing the same file again changes nothing.
    """
    report = await import_file(parts.assets, await request.body(), parts.now(), own=own, dry_run=dry_run)
    outcome = "refused" if report.problems else "would-be-imported" if dry_run else "imported"
    if outcome == "imported":
        await audit(parts, request, who, "assets-import", own or "all", {"counts": report.tally})
        for identity in report.moved:
            await parts.station_changed(identity)
    response.status_code = 422 if report.problems and not dry_run else 200
    problems = [problem._asdict() for problem in report.problems]
    return {"outcome": outcome, "counts": report.tally, "problems": problems}


@router.get(
    "/export",
    summary="Asset data as CSV or XLSX",
    response_class=Response,
    **_with_file_answer(operation(READERS, 404)),
)
async def export_assets(
    parts: Parts, operator: AskedOperator, form: Format = "csv", of: Level = "sites"
) -> Response:
    """Can be imported again. No cell can be taken for a formula."""
    levels = [of] if form == "csv" else list(LEVELS)
    records = {level: await parts.assets.everything(LEVELS[level], operator) for level in levels}
    return _file(exported(records, form), form, f"assets-{of}" if form == "csv" else "assets")


@router.get(
    "/template",
    summary="An empty file to fill in",
    response_class=Response,
    **_with_file_answer(operation(READERS)),
)
async def asset_template(form: Format = "csv", of: Level = "sites") -> Response:
    """Every column; in XLSX each is explained in a comment."""
    return _file(template(of, form), form, f"template-{of}" if form == "csv" else "template")


def _file(content: bytes, form: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(content, media_type=MEDIA_TYPES[form], headers=headers)
