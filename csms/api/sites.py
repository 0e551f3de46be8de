"""/sites: the places where charging stations stand. A code is unique within its operator."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, AskedOperator, Own, Who, operation
from csms.api.forms import Code, Form, Name, OperatorCode, View, with_examples
from csms.api.parts import Parts
from csms.errors import NotFound
from csms.store.registry import SiteForm

router = APIRouter(prefix="/sites", tags=["Registry"])

EXAMPLE = {"code": "S01", "operator": "123456789", "name": "North gate", "latitude": 39.9, "longitude": 116.4}
Latitude = Annotated[float, Field(ge=-90, le=90, description="Degrees north (WGS 84).")]
Longitude = Annotated[float, Field(ge=-180, le=180, description="Degrees east (WGS 84).")]


class SiteBody(Form):
    """A site."""

    code: Code
    operator: OperatorCode
    name: Name
    latitude: Latitude | None = None
    longitude: Longitude | None = None

    model_config = with_examples(EXAMPLE)


class Site(View):
    """A site."""

    code: str
    operator: str
    name: str
    latitude: float | None
    longitude: float | None

    model_config = with_examples(EXAMPLE)


class Sites(View):
    """Every site this key may see."""

    items: list[Site]


@router.get("", summary="List sites", response_model=Sites, **operation(READERS, 404))
async def list_sites(parts: Parts, operator: AskedOperator) -> Any:
    """All sites, by operator and code."""
    return {"items": [row for row in await parts.registry.sites() if operator in (None, row["operator"])]}


@router.post(
    "",
    summary="Register or change a site",
    response_model=Site,
    status_code=201,
    **operation(ADMINS, 404, 413),
)
async def put_site(
    request: Request, response: Response, parts: Parts, who: Who, own: Own, body: SiteBody
) -> Any:
    """By `operator` and `code`: 201 when it is new, 200 when it was changed."""
    if own not in (None, body.operator):
        raise NotFound(f"operator {body.operator}")
    is_new = await parts.registry.put_site(SiteForm(**body.model_dump()))
    await audit(parts, request, who, "site-put", f"{body.operator}/{body.code}", body.model_dump())
    response.status_code = 201 if is_new else 200
    return body.model_dump()
