"""Request and response models of assets, made of the records' fields. Knows no route.

Types and names come from the records, so that a field a city asks for is added in one place; limits are the
domain's (`asset_fields.faults`), the same as for imported files.
"""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from datetime import UTC, date, datetime
from typing import Any, get_type_hints

from pydantic import Field, create_model

from csms.api.forms import Form, View, with_examples
from csms.api.problems import FieldProblem, Problem
from csms.domain.asset_fields import KEYS, fields_of
from csms.domain.city_names import station_id as default_station_id
from csms.domain.inventory import AssetRecord, ConnectorRecord, EquipmentRecord, OperatorRecord, SiteRecord
from csms.domain.placing import Spell
from csms.store.assets import PutResult

EXAMPLES: dict[type[AssetRecord], dict[str, Any]] = {
    OperatorRecord: {
        "name": "Example Charging Co.",
        "uscid": "91350100M000100Y43",
        "tel": "010-65550000",
        "joined_at": "2016-01-01T00:00:00Z",
    },
    SiteRecord: {
        "name": "North gate",
        "area_code": "110105",
        "address": "Jianguo Road 1",
        "service_tel": "400-555-0000",
        "kind": "public",
        "status": "in-use",
        "place": "office",
        "latitude": 39.9087,
        "longitude": 116.4605,
        "parking_spaces": 24,
        "joined_at": "2016-01-01T00:00:00Z",
    },
    EquipmentRecord: {
        "site": "S01",
        "identity": "CS-0001",
        "kind": "dc",
        "charger_class": "social-public",
        "power_w": 120000,
        "produced_on": "2015-11-02",
        "joined_at": "2016-01-01T00:00:00Z",
    },
    ConnectorRecord: {
        "equipment_id": "CS-0001",
        "identity": "CS-0001",
        "evse": 1,
        "connector": 1,
        "kind": "dc-plug",
        "voltage_upper_v": 750,
        "voltage_lower_v": 200,
        "current_a": 250,
        "power_w": 120000,
        "national_standard": "2015",
    },
}
KEY_EXAMPLES = {
    "operator": "123456789",
    "site": "S01",
    "equipment_id": "CS-0001",
    "connector_id": "CS-00010101",
}
DATES = {
    "joined_at": "Since when the platform counts it; kept when left out, now for a new one.",
    "placed_at": "Since when it is in this place; only read where the place is another than before.",
    "retired_at": "Until when the platform counts it. Without it, what had retired joins again.",
}


def form_of(kind: type[AssetRecord]) -> type[Form]:
    """The body of a PUT: every field but those of the path. What is left out is unknown."""
    hints, by_name = get_type_hints(kind), {each.name: each for each in fields(kind)}
    made: dict[str, Any] = {}
    for each in fields_of(kind):
        if each.is_key:
            continue
        default = by_name[each.name].default
        optional = default is MISSING and each.name == "station_id"
        hint = hints[each.name] | None if optional else hints[each.name]
        given = None if optional else ... if default is MISSING else default
        made[each.name] = (hint, Field(given, description=DATES.get(each.name)))
    base = type("_Form", (Form,), {"model_config": with_examples(EXAMPLES[kind])})
    return create_model(
        f"{kind.__name__.removesuffix('Record')}AssetBody", __base__=base, __doc__=_doc(kind), **made
    )


def view_of(kind: type[AssetRecord], **more: Any) -> type[View]:
    """What is answered: the whole record."""
    hints = get_type_hints(kind)
    made: dict[str, Any] = {each.name: (_shown(hints[each.name]), ...) for each in fields(kind)}
    example = {name: KEY_EXAMPLES[name] for name in KEYS[kind]} | EXAMPLES[kind]
    base = type("_View", (View,), {"model_config": with_examples(example)})
    name = f"{kind.__name__.removesuffix('Record')}Asset{'s' if more else ''}"
    return create_model(name, __base__=base, __doc__=_doc(kind), **made, **more)


def _shown(hint: Any) -> Any:
    return str | None if hint == datetime | None else hint


def _doc(kind: type[AssetRecord]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def record_of(kind: type[AssetRecord], key: Mapping[str, str], body: Form) -> Any:
    """The record a PUT says."""
    values = body.model_dump()
    if kind is SiteRecord:
        values["station_id"] = values["station_id"] or default_station_id(key["site"])
    make: Any = kind
    return make(**key, **values)


def shown(record: AssetRecord) -> dict[str, Any]:
    """A record as the API gives it."""
    return {name: _value(value) for name, value in asdict(record).items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def shown_spell(spell: Spell) -> dict[str, Any]:
    """A stay as the API gives it."""
    return {
        "since": _value(spell.since),
        "until": _value(spell.until),
        "operator": spell.place.operator,
        "site": spell.place.site or None,
        "charger_class": spell.place.charger_class or None,
    }


def refused(done: PutResult) -> Problem:
    """The 422 that tells every problem of one record."""
    fix = "See the field's kinds and limits; `template` explains each."
    errors = [
        FieldProblem(field=f"body.{each.field}" if each.field else "body", problem=each.text, fix=fix)
        for each in done.problems
    ]
    return Problem(422, "; ".join(f"{each.field}: {each.problem}" for each in errors), errors=errors)
