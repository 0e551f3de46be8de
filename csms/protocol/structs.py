"""JSON schema to msgspec types. Knows JSON schema as the `ocpp` package uses it; no message, no repair.

Exact types accept what the package's validator accepts, with three stated differences: integers end at
64 bits, arrays at 10,000 elements, and `multipleOf` (three 1.6 schemas) is left to the validator. Because
exact types refuse unknown properties, what they accept is nested no deeper than its schema; only free
JSON (`data` of DataTransfer) can be. Loose types have the same attributes, and keep only what a reader
needs: basic types and required properties.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
MOST_ELEMENTS = 10_000

Json = dict[str, Any]


def exact_type(schema: Json) -> Any:
    """A type whose decoder agrees with the schema."""
    return _Types(schema, loose=False).of(schema)


def loose_type(schema: Json) -> Any:
    """A type with the same attributes for a repaired payload: any text for an enum, any length."""
    return _Types(schema, loose=True).of(schema)


class _Types:
    """The types of one schema file; definitions are made once each."""

    def __init__(self, root: Json, loose: bool) -> None:
        self._definitions: Json = root.get("definitions", {})
        self._loose = loose
        self._made: dict[str, Any] = {}

    def of(self, schema: Json) -> Any:
        """The type of any part of the file."""
        if "$ref" not in schema:
            return _MAKERS.get(schema.get("type", ""), _Types._free)(self, schema)
        name = schema["$ref"].rpartition("/")[2]
        if name not in self._made:
            self._made[name] = self.of(self._definitions[name])
        return self._made[name]

    def _object(self, schema: Json) -> type[msgspec.Struct]:
        required = schema.get("required", ())
        fields: list[Any] = []
        for name, part in schema.get("properties", {}).items():
            # Null is not "absent": a default of None does not let an explicit null in.
            fields.append((name, self.of(part)) if name in required else (name, self.of(part), None))
        return msgspec.defstruct(
            schema.get("javaType") or schema.get("title") or "Payload",
            fields,
            kw_only=True,
            gc=False,
            omit_defaults=True,
            forbid_unknown_fields=not self._loose and schema.get("additionalProperties") is False,
        )

    def _array(self, schema: Json) -> Any:
        elements = list.__class_getitem__(self.of(schema["items"]))
        if self._loose:
            return elements
        most = min(schema.get("maxItems", MOST_ELEMENTS), MOST_ELEMENTS)
        return Annotated[elements, msgspec.Meta(min_length=schema.get("minItems"), max_length=most)]

    def _string(self, schema: Json) -> Any:
        if self._loose:
            return str
        if "enum" in schema:
            return Literal[tuple(schema["enum"])]
        if "maxLength" in schema:
            return Annotated[str, msgspec.Meta(max_length=schema["maxLength"])]
        return str

    def _integer(self, schema: Json) -> Any:
        low, high = self._bounds(schema)
        least = INT_MIN if low is None else int(low)
        return Annotated[int, msgspec.Meta(ge=least, le=INT_MAX if high is None else int(high))]

    def _number(self, schema: Json) -> Any:
        # The union keeps whole numbers whole, whatever their size; a float would round them.
        low, high = self._bounds(schema)
        return self._integer(schema) | Annotated[float, msgspec.Meta(ge=low, le=high)]

    def _boolean(self, schema: Json) -> Any:
        return bool

    def _free(self, schema: Json) -> Any:
        return Any

    def _bounds(self, schema: Json) -> tuple[float | None, float | None]:
        if self._loose:
            return None, None
        low, high = schema.get("minimum"), schema.get("maximum")
        return None if low is None else float(low), None if high is None else float(high)


_MAKERS: dict[str, Callable[[_Types, Json], Any]] = {
    "object": _Types._object,
    "array": _Types._array,
    "string": _Types._string,
    "integer": _Types._integer,
    "number": _Types._number,
    "boolean": _Types._boolean,
}
