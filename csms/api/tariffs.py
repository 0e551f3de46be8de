"""/tariffs: what charging costs, by time of use; where each applies. A version is never changed."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field, model_validator

from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, AskedOperator, Own, OwnOperator, Who, operation
from csms.api.forms import Code, Form, Identity, Instant, Name, OperatorCode, View, with_examples
from csms.api.parts import ApiParts, Parts
from csms.api.stations import StationPath, station_of
from csms.api.tariff_forms import (
    VERSION,
    VERSION_SHOWN,
    TariffCode,
    VersionBody,
    VersionView,
    version_view,
)
from csms.domain.orders import time_text
from csms.errors import NotFound
from csms.store.tariffs import PlaceForm, VersionForm, shown_version

router = APIRouter(tags=["Tariffs"])

TariffPath = Annotated[TariffCode, Path(description="The tariff's code.", examples=["PUBLIC-2026"])]
When = Annotated[
    Instant | None,
    Query(description="When it applies; now without.", examples=["2026-01-01T00:00:00Z"]),
]
LISTED: dict[str, Any] = {
    "code": "PUBLIC-2026",
    "operator": "123456789",
    "name": "Public chargers",
    "currency": "CNY",
    "version": 1,
    "created_at": "2025-12-20T02:00:00.000Z",
}
ASSIGNED: dict[str, Any] = {
    "assignment_id": "7",
    "level": "site",
    "site": "S01",
    "charging_station": None,
    "evse": None,
    "connector": None,
    "valid_from": "2025-12-31T16:00:00.000Z",
}


class TariffBody(VersionBody):
    """A new tariff with its first version."""

    operator: OperatorCode
    code: TariffCode
    name: Name

    model_config = with_examples(
        {"operator": "123456789", "code": "PUBLIC-2026", "name": "Public chargers", **VERSION}
    )


class AssignmentBody(Form):
    """Where a tariff applies from a time on: at a site, at a connector, or with neither at all of its
    operator's. The closest wins; of two for the same place, the one that began last.
    """

    valid_from: Instant
    site: Code | None = None
    station: Identity | None = Field(default=None, description="Identity of a charging station.")
    evse: Annotated[int, Field(ge=1, le=65_535)] | None = None
    connector: Annotated[int, Field(ge=1, le=65_535)] | None = None

    model_config = with_examples(
        {"valid_from": "2026-01-01T00:00:00+08:00", "site": "S01"},
        {"valid_from": "2026-01-01T00:00:00+08:00", "station": "CS-0001", "evse": 1, "connector": 1},
    )

    @model_validator(mode="after")
    def _one_place(self) -> "AssignmentBody":
        if self.site is not None and self.station is not None:
            raise ValueError("name a site or a station, not both")
        connector = (self.station, self.evse, self.connector)
        if any(part is None for part in connector) and any(part is not None for part in connector):
            raise ValueError("a connector is named by station, evse and connector")
        return self


class Assignment(View):
    """Where a tariff applies from a time on."""

    assignment_id: str
    level: Literal["operator", "site", "connector"]
    site: str | None
    charging_station: str | None
    evse: int | None
    connector: int | None
    valid_from: str | None

    model_config = with_examples(ASSIGNED)


class TariffLine(View):
    """A tariff. `version` is the number of its latest one."""

    code: str
    operator: str
    name: str
    currency: str
    version: int
    created_at: str | None

    model_config = with_examples(LISTED)


class TariffView(TariffLine):
    """A tariff with all its versions and assignments, oldest first."""

    versions: list[VersionView]
    assignments: list[Assignment]

    model_config = with_examples({**LISTED, "versions": [VERSION_SHOWN], "assignments": [ASSIGNED]})


class Tariffs(View):
    """Every tariff this key may see."""

    items: list[TariffLine]

    model_config = with_examples({"items": [LISTED]})


class AppliedTariff(View):
    """What applies at a place and time; null where nothing does."""

    at: str
    tariff: str | None
    level: Literal["operator", "site", "connector"] | None = Field(description="To what it is assigned.")
    version: VersionView | None

    model_config = with_examples(
        {"at": "2026-01-01T00:00:00.000Z", "tariff": "PUBLIC-2026", "level": "site", "version": VERSION_SHOWN}
    )


@router.get("/tariffs", summary="List tariffs", response_model=Tariffs, **operation(READERS, 404))
async def list_tariffs(parts: Parts, operator: AskedOperator) -> Any:
    """All tariffs, by operator and code."""
    return {"items": await parts.tariffs.find(operator)}


@router.post(
    "/tariffs",
    summary="Make a tariff",
    response_model=TariffView,
    status_code=201,
    **operation(ADMINS, 404, 409, 413),
)
async def make_tariff(request: Request, parts: Parts, who: Who, own: OwnOperator, body: TariffBody) -> Any:
    """With its first version. It costs nobody anything before it is assigned."""
    if own not in (None, body.operator):
        raise NotFound(f"operator {body.operator}")
    form = VersionForm(body.tariff(), body.valid_from, body.valid_until)
    await parts.tariffs.add(body.operator, body.code, body.name, form, parts.now())
    subject = f"{body.operator}/{body.code}"
    await audit(parts, request, who, "tariff-make", subject, body.model_dump(mode="json"))
    return _shown(await parts.tariffs.one(body.code, body.operator))


@router.get("/tariffs/{tariff}", summary="One tariff", response_model=TariffView, **operation(READERS, 404))
async def one_tariff(parts: Parts, operator: AskedOperator, tariff: TariffPath) -> Any:
    """With all versions and assignments. Name the operator where two have a tariff of this code."""
    return _shown(await parts.tariffs.one(tariff, operator))


@router.put(
    "/tariffs/{tariff}",
    summary="Give a tariff a new version",
    response_model=TariffView,
    **operation(ADMINS, 404, 413),
)
async def put_version(
    request: Request, parts: Parts, who: Who, operator: AskedOperator, tariff: TariffPath, body: VersionBody
) -> Any:
    """From `valid_from` on it takes the place of earlier versions, which stay as they are: a session is
    priced with the version that is valid when it starts. Repeating the latest changes nothing.
    """
    form = VersionForm(body.tariff(), body.valid_from, body.valid_until)
    number = await parts.tariffs.add_version(tariff, operator, form, parts.now())
    shown = await parts.tariffs.one(tariff, operator)
    details = {"version": number, **body.model_dump(mode="json")}
    await audit(parts, request, who, "tariff-version", f"{shown['operator']}/{tariff}", details)
    return _shown(shown)


@router.post(
    "/tariffs/{tariff}/assignments",
    summary="Assign a tariff",
    response_model=TariffView,
    status_code=201,
    **operation(ADMINS, 404, 413),
)
async def assign_tariff(
    request: Request,
    parts: Parts,
    who: Who,
    operator: AskedOperator,
    tariff: TariffPath,
    body: AssignmentBody,
) -> Any:
    """To all of its operator's places, to a site, or to a connector, from a time on."""
    place = PlaceForm(body.site, body.station, body.evse, body.connector)
    number = await parts.tariffs.assign(tariff, operator, place, body.valid_from, parts.now())
    shown = await parts.tariffs.one(tariff, operator)
    details = {"assignment": number, **body.model_dump(mode="json")}
    await audit(parts, request, who, "tariff-assign", f"{shown['operator']}/{tariff}", details)
    return _shown(shown)


@router.get(
    "/sites/{site}/tariff",
    summary="Which tariff applies at a site",
    response_model=AppliedTariff,
    **operation(READERS, 404, by_site=True),
)
async def tariff_of_site(
    parts: Parts,
    own: Own,
    operator: AskedOperator,
    site: Annotated[Code, Path(description="The site's code.", examples=["S01"])],
    at: When = None,
) -> Any:
    """Where no connector has its own. Name the operator where two have a site of this code."""
    if not own.sees(operator, site):
        raise NotFound(f"site {site}")
    return await _applied(parts, operator, PlaceForm(site), at)


@router.get(
    "/charging-stations/{identity}/tariff",
    summary="Which tariff applies at a connector",
    response_model=AppliedTariff,
    **operation(READERS, 404, by_site=True),
)
async def tariff_of_connector(
    parts: Parts,
    own: Own,
    identity: StationPath,
    evse: Annotated[int, Query(ge=1, le=65_535, description="EVSE of the station.")] = 1,
    connector: Annotated[int, Query(ge=1, le=65_535, description="Connector of the EVSE.")] = 1,
    at: When = None,
) -> Any:
    """The connector's own, else that of its site, else of its operator."""
    await station_of(parts, identity, own)
    return await _applied(parts, own.operator, PlaceForm(None, identity, evse, connector), at)


async def _applied(
    parts: ApiParts, operator: str | None, place: PlaceForm, at: datetime | None
) -> dict[str, Any]:
    when = at or parts.now()
    applied = await parts.tariffs.applies(operator, place, when)
    if applied is None:
        return {"at": time_text(when), "tariff": None, "level": None, "version": None}
    return {
        "at": time_text(when),
        "tariff": applied.version.code,
        "level": applied.assignment.place[0].value,
        "version": version_view(shown_version(applied.version)),
    }


def _shown(tariff: dict[str, Any]) -> dict[str, Any]:
    return {**tariff, "versions": [version_view(one) for one in tariff["versions"]]}
