"""The typed decoders against the package's own validator, on valid and on spoilt payloads."""

import json
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ocpp.messages import get_validator

from csms.domain.assets import OcppVersion
from csms.protocol.schema import actions
from csms.protocol.structs import MOST_ELEMENTS, exact_type, loose_type

PACKAGE = {OcppVersion.V16: "1.6", OcppVersion.V201: "2.0.1", OcppVersion.V21: "2.1"}
SENT = {"NotifyPeriodicEventStream"}
MESSAGES = [
    (version, action, kind)
    for version in OcppVersion
    for action in sorted(actions(version))
    for kind in ((0,) if action in SENT else (2, 3))
]
LETTERS = "aZ0 -_<é😀\u202e"
LISTS: tuple[Any, ...] = ([], {}, [[]], {"vendorId": "v"})
ODDITIES = (None, True, 0, -1, 1.0, 2.5, 10**15, "", "12", "x" * 6000, "é" * 21, *LISTS)


@cache
def decoder_of(version: OcppVersion, action: str, kind: int) -> msgspec.json.Decoder[Any]:
    schema = get_validator(kind, action, PACKAGE[version], parse_float=Decimal).schema
    return msgspec.json.Decoder(exact_type(schema))


def payload_of(schema: dict[str, Any], root: dict[str, Any], chance: Random) -> Any:
    """A valid payload of a schema."""
    if "$ref" in schema:
        return payload_of(root["definitions"][schema["$ref"].rpartition("/")[2]], root, chance)
    if "enum" in schema:
        return chance.choice(schema["enum"])
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            parts = schema.get("properties", {}).items()
            chosen = [(name, part) for name, part in parts if name in required or chance.random() < 0.4]
            return {name: payload_of(part, root, chance) for name, part in chosen}
        case "array":
            count = schema.get("minItems", 0) + chance.randrange(2)
            return [payload_of(schema["items"], root, chance) for _ in range(count)]
        case kind:
            return scalar_of(kind, schema, chance)


def scalar_of(kind: str | None, schema: dict[str, Any], chance: Random) -> Any:
    if kind == "string":
        longest = schema.get("maxLength", 30)
        return "".join(chance.choices(LETTERS, k=chance.choice([0, 1, longest - 1, longest])))
    if kind == "integer":
        return number_of(schema, chance, -(2**63), 2**63 - 1)
    if kind == "number":
        low, share = number_of(schema, chance, -(10**9), 10**9), chance.random()
        return chance.choice([low, float(low), low + share if "maximum" not in schema else low])
    return chance.random() < 0.5 if kind == "boolean" else chance.choice([None, 1, "x", [True], {"a": 1.5}])


def number_of(schema: dict[str, Any], chance: Random, low: int, high: int) -> int:
    low, high = int(schema.get("minimum", low)), int(schema.get("maximum", high))
    return chance.choice([low, high, chance.randint(low, high), max(low, 0)])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a payload."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [place for step, part in inner for place in places(part, (*path, step))]


def spoil(payload: Any, chance: Random) -> Any:
    """Change one place: another value, one left out, one too many, a text too long."""
    path = chance.choice(places(payload))
    if not path:
        return chance.choice(ODDITIES)
    parent = payload
    for step in path[:-1]:
        parent = parent[step]
    match chance.choice(["replace", "remove", "add", "lengthen"]):
        case "remove":
            del parent[path[-1]]
        case "add" if isinstance(parent, dict):
            parent["surplus"] = chance.choice(ODDITIES)
        case "lengthen" if isinstance(parent[path[-1]], str):
            parent[path[-1]] += "x" * chance.choice([1, 20, 21, 50, 255, 2500])
        case _:
            parent[path[-1]] = chance.choice(ODDITIES)
    return payload


def is_taken(decoder: msgspec.json.Decoder[Any], raw: bytes) -> bool:
    try:
        decoder.decode(raw)
    except msgspec.ValidationError:
        return False
    return True


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(MESSAGES), st.integers(0, 2**32), st.booleans())
def test_typed_decoders_agree_with_the_package(
    message: tuple[OcppVersion, str, int], seed: int, is_spoilt: bool
) -> None:
    """A payload is taken by the typed decoder exactly when the package's validator takes it."""
    chance = Random(seed)
    validator = get_validator(message[2], message[1], PACKAGE[message[0]], parse_float=Decimal)
    payload = payload_of(validator.schema, validator.schema, chance)
    if is_spoilt:
        payload = spoil(payload, chance)
    raw = json.dumps(payload).encode()

    taken = is_taken(decoder_of(*message), raw)

    errors = validator.iter_errors(json.loads(raw, parse_float=Decimal))
    assert taken == all(error.validator == "multipleOf" for error in errors)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(MESSAGES), st.integers(0, 2**32))
def test_loose_types_take_every_valid_payload(message: tuple[OcppVersion, str, int], seed: int) -> None:
    """What the exact type takes, the loose one takes too, and with equal values."""
    schema = get_validator(message[2], message[1], PACKAGE[message[0]], parse_float=Decimal).schema
    raw = json.dumps(payload_of(schema, schema, Random(seed))).encode()

    loose = msgspec.json.decode(raw, type=loose_type(schema))

    assert msgspec.to_builtins(loose) == msgspec.to_builtins(decoder_of(*message).decode(raw))


@pytest.mark.parametrize(
    ("value", "taken"),
    [(2**63 - 1, True), (2**63, False), (-(2**63), True), (-(2**63) - 1, False)],
)
def test_integers_end_at_64_bits(value: int, taken: bool) -> None:
    """J03: what no database column holds is refused here."""
    decoder = msgspec.json.Decoder(exact_type({"type": "object", "properties": {"n": {"type": "integer"}}}))

    assert is_taken(decoder, json.dumps({"n": value}).encode()) is taken


def test_arrays_end_somewhere() -> None:
    """No schema bounds the samples of a message."""
    decoder = msgspec.json.Decoder(exact_type({"type": "array", "items": {"type": "integer"}}))

    assert is_taken(decoder, json.dumps([0] * MOST_ELEMENTS).encode())
    assert not is_taken(decoder, json.dumps([0] * (MOST_ELEMENTS + 1)).encode())


def test_null_is_not_absent() -> None:
    """An optional property left out is None; written as null it is a deviation."""
    decoder = msgspec.json.Decoder(exact_type({"type": "object", "properties": {"n": {"type": "integer"}}}))

    assert decoder.decode(b"{}").n is None
    assert not is_taken(decoder, b'{"n":null}')
