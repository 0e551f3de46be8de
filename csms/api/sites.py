"""/sites: the places where charging stations stand. A code is unique within its operator."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, AskedOperator, Own, Who, operation
from csms.api.forms import Code, Form, Name, OperatorCode, View, with_examples
from csms.api.parts import Parts
from csms.api.problems import invalid
from csms.errors import NotFound
from csms.store.registry import SiteForm

router = APIRouter(tags=["Registry"])

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


@router.get(
    "/sites",
    summary="List sites",
    response_model=Sites,
    **operation(READERS, 404, by_site=True),
)
async def list_sites(parts: Parts, operator: AskedOperator, own: Own) -> Any:
    """All sites, by operator and code."""
    found = await parts.registry.sites()
    seen = [row for row in found if own.sees(row["operator"], row["code"])]
    return {"items": [row for row in seen if operator in (None, row["operator"])]}


SitePath = Annotated[Code, Path(description="The site's code.", examples=["S01"])]
OperatorPath = Annotated[OperatorCode, Path(description="Its operator's code.", examples=["123456789"])]


class SitePatch(Form):
    """What is to be different; what is left out stays as it is."""

    name: Name | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None

    model_config = with_examples({"name": "North gate"})


async def site_of(parts: Parts, operator: OperatorPath, site: SitePath, own: Own) -> dict[str, Any]:
    """The site, if this key may see it. Raises NotFound."""
    found = await parts.places.site(operator, site) if own.sees(operator, site) else None
    if found is None:
        raise NotFound(f"site {site}")
    return found


Known = Annotated[dict[str, Any], Depends(site_of)]


@router.get(
    "/operators/{operator}/sites/{site}",
    summary="One site",
    response_model=Site,
    **operation(READERS, 404, by_site=True),
)
async def one_site(site: Known) -> Any:
    """A site by its operator and code."""
    return site


@router.patch(
    "/operators/{operator}/sites/{site}",
    summary="Change a site",
    response_model=Site,
    **operation(ADMINS, 404, 413),
)
async def patch_site(
    request: Request,
    parts: Parts,
    who: Who,
    before: Known,
    body: SitePatch,
) -> Any:
    """Its name or its place; the code stays, because reports name it."""
    asked = body.model_dump(exclude_unset=True)
    if "name" in asked and asked["name"] is None:
        raise invalid("body.name", "it is null", "Leave it out, or send a name.")
    before, after = await parts.places.change_site(before["operator"], before["code"], asked, parts.now())
    subject = f"{before['operator']}/{before['code']}"
    await audit(parts, request, who, "site-change", subject, after, before)
    return after


@router.delete(
    "/operators/{operator}/sites/{site}",
    summary="Remove a site",
    status_code=204,
    **operation(ADMINS, 404, 409),
)
async def remove_site(request: Request, parts: Parts, who: Who, before: Known) -> None:
    """One that was never used. 409 when stations stand there, or anything was charged there."""
    await parts.places.remove_site(before["operator"], before["code"])
    subject = f"{before['operator']}/{before['code']}"
    await audit(parts, request, who, "site-remove", subject, {}, before)


@router.post(
    "/sites",
    summary="Register or change a site",
    response_model=Site,
    status_code=201,
    **operation(ADMINS, 404, 413, also={200: Site}),
)
async def put_site(
    request: Request, response: Response, parts: Parts, who: Who, own: Own, body: SiteBody
) -> Any:
    """By `operator` and `code`: 201 when it is new, 200 when it was changed."""
    if not own.sees(body.operator, body.code):
        raise NotFound(f"operator {body.operator}")
    before = await parts.places.site(body.operator, body.code)
    is_new = await parts.registry.put_site(SiteForm(**body.model_dump()), parts.now())
    subject = f"{body.operator}/{body.code}"
    await audit(parts, request, who, "site-put", subject, body.model_dump(), before)
    response.status_code = 201 if is_new else 200
    return body.model_dump()
