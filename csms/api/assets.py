"""/assets: what cities ask about operators, sites, equipment and connectors, and where each was when.

The four levels have the same routes; they are made in a loop, each with its own models.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field

from csms.api import asset_transfer
from csms.api.asset_forms import form_of, record_of, refused, shown, shown_spell, view_of
from csms.api.audit import audit
from csms.api.auth import ADMINS, READERS, AskedOperator, OwnOperator, Who, operation
from csms.api.forms import Code, Form, Identity, Instant, OperatorCode, Page, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import Parts
from csms.domain.asset_fields import KEYS, LEVELS
from csms.domain.inventory import (
    AssetRecord,
    ChargerClass,
    ConnectorRecord,
    EquipmentRecord,
    OperatorRecord,
    SiteRecord,
)
from csms.domain.placing import Place, Spell
from csms.errors import NotFound
from csms.store.asset_queries import Key

router = APIRouter(prefix="/assets", tags=["Assets"])
router.include_router(asset_transfer.router)

OperatorPath = Annotated[OperatorCode, Path(description="The operator's code.", examples=["123456789"])]
NamePath = Annotated[Code, Path(description="Its code or name within the operator.", examples=["S01"])]


def operator_key(operator: OperatorPath, own: OwnOperator) -> Key:
    """The key of an operator's path. Raises NotFound for another operator than the caller's."""
    if own not in (None, operator):
        raise NotFound(f"operator {operator}")
    return (operator,)


def named_key(operator: OperatorPath, name: NamePath, own: OwnOperator) -> Key:
    """The key of what an operator has. Raises NotFound for another operator than the caller's."""
    return (*operator_key(operator, own), name)


SPELL: dict[str, Any] = {
    "since": "2016-01-01T00:00:00Z",
    "until": None,
    "operator": "123456789",
    "site": "S01",
    "charger_class": "social-public",
}


class SpellBody(Form):
    """One stay: where and as what it was counted, from `since` (included) to `until` (excluded)."""

    since: Instant
    until: Instant | None = None
    operator: OperatorCode
    site: Code | None = None
    charger_class: ChargerClass | None = None

    model_config = with_examples(SPELL)


class HistoryBody(Form):
    """The whole past of an asset, oldest first. The last stay is where it is now."""

    spells: Annotated[list[SpellBody], Field(min_length=1, max_length=100)]

    model_config = with_examples({"spells": [SPELL]})


class AssetSpell(View):
    """One stay."""

    since: str = Field(examples=["2016-01-01T00:00:00.000Z"])
    until: str | None
    operator: str = Field(examples=["123456789"])
    site: str | None = Field(examples=["S01"])
    charger_class: str | None = Field(examples=["social-public"])


class History(View):
    """Where an asset was, oldest first."""

    spells: list[AssetSpell]


class Gap(View):
    """A record of which something required is unknown."""

    operator: str = Field(examples=["123456789"])
    name: str = Field(examples=["S01"])
    missing: list[str] = Field(examples=[["area_code", "service_tel"]])


class Names(View):
    """What a connector is called in the city's words, and where it is in OCPP's."""

    operator: str = Field(examples=["123456789"])
    site: str = Field(examples=["S01"])
    station_id: str = Field(examples=["S01"])
    equipment_id: str = Field(examples=["CS-0001"])
    connector_id: str = Field(examples=["CS-00010101"])
    identity: str | None = Field(examples=["CS-0001"])
    evse: int | None = Field(examples=[1])
    connector: int | None = Field(examples=[1])


@router.get(
    "/missing",
    summary="What is missing of what a city requires",
    response_model=Page[Gap],
    **operation(READERS, 404),
)
async def list_missing(
    parts: Parts,
    operator: AskedOperator,
    limit: Limit,
    of: Annotated[Literal["sites", "equipment", "connectors", "operators"], Query(description="The level.")],
    required: Annotated[
        str,
        Query(
            pattern=r"^[a-z0-9_]{1,40}(,[a-z0-9_]{1,40}){0,80}$",
            description="Fields that must be known, with commas.",
            examples=["area_code,service_tel"],
        ),
    ],
    after: After = None,
) -> Any:
    """Records with gaps, by operator and name. A page may be short, even empty, before `next` is null."""
    kind = LEVELS[of]
    page = await parts.assets.missing(kind, required.split(","), operator, after, limit)
    items = [
        {"operator": each.operator, "name": getattr(each, KEYS[kind][-1]), "missing": list(gaps)}
        for each, gaps in page.items
    ]
    return {"items": items, "next": page.next}


@router.get(
    "/connector-names", summary="Names of a connector", response_model=Names, **operation(READERS, 404)
)
async def connector_names(
    parts: Parts,
    own: OwnOperator,
    identity: Annotated[Identity, Query(description="The charging station.", examples=["CS-0001"])],
    evse: Annotated[int, Query(ge=0, le=65_535, description="Its EVSE.", examples=[1])],
    connector: Annotated[int, Query(ge=0, le=65_535, description="The EVSE's connector.", examples=[1])],
) -> Any:
    """What a city calls a connector of a charging station, entered or made of its identity."""
    names = await parts.assets.names_of(identity, evse, connector)
    if names is None or own not in (None, names.operator):
        raise NotFound(f"charging station {identity}")
    return names._asdict()


@router.get(
    "/connector-places", summary="Place of a connector", response_model=Names, **operation(READERS, 404)
)
async def connector_places(
    parts: Parts,
    own: OwnOperator,
    operator: Annotated[OperatorCode, Query(description="Whose connector.", examples=["123456789"])],
    connector_id: Annotated[Code, Query(description="Its name.", examples=["CS-00010101"])],
) -> Any:
    """Which connector of which charging station a city means."""
    names = await parts.assets.named(operator, connector_id) if own in (None, operator) else None
    if names is None:
        raise NotFound(f"connector {connector_id}")
    return names._asdict()


def _add_level(level: str, kind: type[AssetRecord], key_of_path: Callable[..., Key]) -> None:
    """The routes of one level."""
    body_model, one = form_of(kind), view_of(kind)
    path = f"/{level}/{{operator}}" + ("" if kind is OperatorRecord else "/{name}")
    singular = kind.__name__.removesuffix("Record").lower()
    of_path = Annotated[Key, Depends(key_of_path)]

    @router.get(
        f"/{level}", name=f"list_{level}_assets", summary=f"List asset data of {level}",
        response_model=Page[one], **operation(READERS, 404),  # type: ignore[valid-type]  # made at run time
    )  # fmt: skip
    async def listed(
        parts: Parts,
        operator: AskedOperator,
        limit: Limit,
        after: After = None,
    ) -> Any:
        """By operator and name, in the order in which operators were registered."""
        page = await parts.assets.page(kind, operator, after=after, most=limit)
        return {"items": [shown(each) for each in page.items], "next": page.next}

    @router.get(
        path, name=f"one_{singular}_assets", summary=f"Asset data of one {singular}",
        response_model=_whole(kind), **operation(READERS, 404),
    )  # fmt: skip
    async def single(parts: Parts, key: of_path) -> Any:
        """The record. A site comes with everything that stands there."""
        if kind is SiteRecord:
            whole = await parts.assets.site(key[0], key[1])
            if whole is not None:
                equipment = [
                    {**shown(each.record), "connectors": [shown(plug) for plug in each.connectors]}
                    for each in whole.equipment
                ]
                return {**shown(whole.record), "equipment": equipment}
        record = await parts.assets.record(kind, key)
        if record is None:
            raise NotFound(f"{singular} {'/'.join(key)}")
        return shown(record)

    @router.put(
        path, name=f"put_{singular}_assets", summary=f"Enter or change asset data of one {singular}",
        response_model=one, **operation(ADMINS, 404, 409, 413, also={201: one}),
    )  # fmt: skip
    async def put(
        request: Request,
        response: Response,
        parts: Parts,
        who: Who,
        own: OwnOperator,
        key: of_path,
        body: body_model,  # type: ignore[valid-type]  # made at run time
    ) -> Any:
        """The whole record: what is left out is unknown. 201 when it is new. Another place than before is a
        move, and the past stays.
        """
        sent: Form = body
        record = record_of(kind, dict(zip(KEYS[kind], key, strict=True)), sent)
        done = await parts.assets.put([record], parts.now(), own=own)
        if done.problems:
            raise refused(done)
        await audit(parts, request, who, f"asset-{singular}-put", "/".join(key), sent.model_dump(mode="json"))
        for identity in done.moved:
            await parts.station_changed(identity)
        response.status_code = 201 if done.tally[level]["added"] else 200
        return shown(await parts.assets.record(kind, key))

    @router.get(
        f"{path}/history", name=f"{singular}_history", summary=f"Where and when the {singular} was connected",
        response_model=History, **operation(READERS, 404),
    )  # fmt: skip
    async def history(parts: Parts, key: of_path) -> Any:
        """Its stays, oldest first."""
        spells = await parts.assets.history(kind, key)
        if spells is None:
            raise NotFound(f"{singular} {'/'.join(key)}")
        return {"spells": list(map(shown_spell, spells))}

    @router.put(
        f"{path}/history", name=f"put_{singular}_history", summary=f"Put the past of the {singular} right",
        response_model=History, **operation(ADMINS, 404, 413),
    )  # fmt: skip
    async def put_history(
        request: Request,
        parts: Parts,
        who: Who,
        own: OwnOperator,
        key: of_path,
        body: HistoryBody,
    ) -> Any:
        """Replaces all stays: in order, none overlapping, the last one where it is now."""
        spells = [_spell(kind, each) for each in body.spells]
        if own is not None and any(each.place.operator != own for each in spells):
            raise NotFound("operator of a stay")
        await parts.assets.put_history(kind, key, spells, parts.now())
        details = body.model_dump(mode="json")
        await audit(parts, request, who, f"asset-{singular}-history-put", "/".join(key), details)
        return {"spells": list(map(shown_spell, spells))}


def _whole(kind: type[AssetRecord]) -> type[View]:
    if kind is not SiteRecord:
        return view_of(kind)
    plugs = view_of(ConnectorRecord)
    equipment = view_of(EquipmentRecord, connectors=(list[plugs], ...))  # type: ignore[valid-type]  # made at run time
    return view_of(SiteRecord, equipment=(list[equipment], ...))  # type: ignore[valid-type]  # made at run time


def _spell(kind: type[AssetRecord], body: SpellBody) -> Spell:
    place = Place(body.operator)
    if kind is EquipmentRecord:  # nothing else has a place and a class of its own
        place = Place(body.operator, body.site or "", body.charger_class or "")
    return Spell(body.since, body.until, place)


for _level, _kind in LEVELS.items():
    _add_level(_level, _kind, operator_key if _kind is OperatorRecord else named_key)
