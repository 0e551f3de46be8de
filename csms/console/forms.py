"""Forms made from the API's own JSON schemas, and what was filled in as the body the API wants. Pure.

The schema says which fields there are, their kinds, choices and limits; so a command the API learns has a
form at once. What is nested deeper than a list of texts is entered as JSON.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from csms.console.desk import Refused
from csms.console.markup import Content, Html, joined, tag

Schema = Mapping[str, Any]
Options = Mapping[str, Sequence[tuple[str, str]]]
TEXTS = "texts"  # beside `enum`: what people call its values
Problems = Mapping[str, str]
"""What is wrong with a field, by its name; under "" what is wrong with all of it."""
NO_PROBLEMS: Problems = {}
NUMBERS = {"integer": int, "number": float}


def resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """A schema behind its reference, and without the choice of null."""
    if "$ref" in schema:
        named = schemas.get(schema["$ref"].rpartition("/")[2], {})
        return resolved({**named, **{k: v for k, v in schema.items() if k != "$ref"}}, schemas)
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(choices) == 1:
        return resolved({**{k: v for k, v in schema.items() if k != "anyOf"}, **choices[0]}, schemas)
    return schema


def _whole(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """A field's schema behind its references, and of a list that of what it lists."""
    found = resolved(schema, schemas)
    return {**found, "items": resolved(found["items"], schemas)} if "items" in found else found


def _takes_null(schema: Schema) -> bool:
    """Whether leaving a field empty says something: null."""
    return {"type": "null"} in schema.get("anyOf", ())


def problems_of(refusal: Refused) -> Problems:
    """What the API said of each field of a body, so that it stands beside the field."""
    return {
        str(one.get("field", ""))
        .removeprefix("body")
        .removeprefix("."): f"{one.get('problem', '')} {one.get('fix', '')}"
        for one in refusal.errors
    }


def complaint(problem: str | None, id_: str) -> Html:
    """What is wrong with a field, beside it; nothing where nothing is."""
    return tag("div", problem, cls="wrong", id=id_ or None) if problem else Html("")


def input_field(
    name: str,
    kind: str,
    fields: Mapping[str, Any],
    words: Mapping[str, str],
    problem: str | None,
    **more: Content,
) -> Html:
    """A field that no schema describes. `kind`: the type of its input; `more`: other attributes of it."""
    id_ = f"t-{name}"
    box = tag(
        "input", id=id_, name=name, type=kind, value=str(fields.get(name, "")), autocomplete="off",
        aria_invalid="true" if problem else None, aria_describedby=f"{id_}-wrong" if problem else None,
        **more,
    )  # fmt: skip
    label = tag("label", words[name], **{"for": id_})
    return tag("div", label, box, complaint(problem, f"{id_}-wrong"), cls="field")


def choice_field(
    name: str,
    options: Sequence[tuple[str, str]],
    fields: Mapping[str, Any],
    words: Mapping[str, str],
    problem: str | None,
) -> Html:
    """A field whose values are records: (value, text) of each."""
    id_ = f"t-{name}"
    made = joined(
        tag("option", text, value=value, selected="" if value == fields.get(name) else None)
        for value, text in options
    )
    box = tag("select", made, id=id_, name=name, aria_describedby=f"{id_}-wrong" if problem else None)
    label = tag("label", words[name], **{"for": id_})
    return tag("div", label, box, complaint(problem, f"{id_}-wrong"), cls="field")


def schema_form(
    schema: Schema,
    schemas: Mapping[str, Schema],
    words: dict[str, str],
    values: Mapping[str, Any],
    problems: Problems = NO_PROBLEMS,
    options: Options | None = None,
) -> Html:
    """The fields of an object's schema. `values`: what is known already; constants are not asked for.
    `options`: of fields whose values are records, as (value, text).
    """
    required = schema.get("required", ())
    choices = options or {}
    return joined(
        _field(
            name,
            _offering(_whole(one, schemas), choices.get(name)),
            words,
            values.get(name),
            name in required and not _takes_null(one),
            problems.get(name),
        )
        for name, one in schema.get("properties", {}).items()
        if "const" not in one
    )


def worded(schema: Schema, of: str, words: dict[str, str]) -> Schema:
    """The schema with what the texts say of its fields (`about_OF_FIELD`) in place of the API's English."""
    told = {
        name: {**one, "description": words[f"about_{of}_{name}"]} if f"about_{of}_{name}" in words else one
        for name, one in schema.get("properties", {}).items()
    }
    return {**schema, "properties": told}


def _offering(schema: Schema, options: Sequence[tuple[str, str]] | None) -> Schema:
    return (
        schema
        if options is None
        else {**schema, "enum": [value for value, _ in options], TEXTS: dict(options)}
    )


def _field(
    name: str, schema: Schema, words: dict[str, str], value: Any, needed: bool, problem: str | None
) -> Html:
    id_ = f"field-{name}"
    star = tag("span", " *", aria_hidden="true") if needed else ""
    label = tag("label", words.get(f"field_{name}") or words.get(name) or name, star, **{"for": id_})
    about = schema.get("description")
    hint = tag("div", about, cls="hint", id=f"{id_}-hint") if about else ""
    common: dict[str, Content] = {
        "id": id_,
        "name": name,
        "required": "" if needed else None,
        "aria_describedby": f"{id_}-wrong" if problem else f"{id_}-hint" if hint else None,
        "aria_invalid": "true" if problem else None,
    }
    given = schema.get("default") if value is None else value
    wrong = complaint(problem, f"{id_}-wrong")
    return tag("div", label, _control(schema, words, given, common), wrong, hint, cls="field")


def _control(schema: Schema, words: dict[str, str], value: Any, common: dict[str, Content]) -> Html:
    kind = schema.get("type")
    if kind == "array" and "enum" in schema.get("items", {}):
        return _boxes(schema["items"]["enum"], words, value or (), common)
    if "enum" in schema or kind == "boolean":
        named = words | schema.get(TEXTS, {})
        return _choice(schema.get("enum") or ("true", "false"), named, _written(value), common)
    if kind in ("array", "object") or kind is None:
        return tag("textarea", _written(value), spellcheck="false", **common)
    if kind in NUMBERS:
        return tag(
            "input",
            type="number",
            value=_written(value),
            min=schema.get("minimum"),
            max=schema.get("maximum"),
            step="any" if kind == "number" else 1,
            **common,
        )
    secret = schema.get("writeOnly") or schema.get("format") == "password"
    return tag(
        "input",
        type="password" if secret else "text",
        value=_written(value),
        maxlength=schema.get("maxLength"),
        autocomplete="off",
        **common,
    )


def _boxes(values: Any, words: dict[str, str], chosen: Any, common: dict[str, Content]) -> Html:
    """A box for each that may be chosen; none of them is no choice at all."""
    made = (
        tag(
            "label",
            tag(
                "input",
                type="checkbox",
                name=common["name"],
                value=one,
                checked="" if one in chosen else None,
            ),
            tag("span", words.get(f"value_{one}", one)),
            cls="check",
        )
        for one in values
    )
    return tag("div", joined(made), cls="boxes", role="group", id=common["id"])


def _choice(values: Any, words: dict[str, str], value: str, common: dict[str, Content]) -> Html:
    options = [
        tag(
            "option",
            words.get(f"value_{one}") or words.get(str(one)) or one,
            value=one,
            selected="" if str(one) == value else None,
        )
        for one in values
        if one != ""
    ]
    return tag(
        "select",
        "" if common["required"] == "" else tag("option", words["not_set"], value=""),
        joined(options),
        **common,
    )


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "\n".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def body_of(schema: Schema, schemas: Mapping[str, Schema], fields: Mapping[str, Any]) -> dict[str, Any]:
    """What was filled in, as the API wants it. What cannot be read goes as it is: the API says why."""
    body: dict[str, Any] = {}
    required = schema.get("required", ())
    for name, raw in schema.get("properties", {}).items():
        one = _whole(raw, schemas)
        if "const" in one:
            body[name] = one["const"]
        elif isinstance(fields.get(name), list):
            body[name] = fields[name]
        elif str(fields.get(name, "")).strip():
            body[name] = _read(one, str(fields[name]).strip())
        elif name in required and _takes_null(raw):
            body[name] = None
    return body


def changes_of(
    schema: Schema, schemas: Mapping[str, Schema], fields: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """What was filled in that differs from what was there; null for what was emptied."""
    now = body_of(schema, schemas, fields)
    names = [name for name in schema.get("properties", {}) if name in fields]
    return {name: now.get(name) for name in names if now.get(name) != _or_none(before.get(name))}


def _or_none(value: Any) -> Any:
    return None if value in ("", [], {}) else value


def _read(schema: Schema, text: str) -> Any:
    kind = schema.get("type")
    if kind == "boolean":
        return text == "true"
    try:
        if kind in NUMBERS:
            return NUMBERS[kind](text)
        if kind == "array" and schema["items"].get("type") == "string" and not text.startswith("["):
            return [line.strip() for line in text.splitlines() if line.strip()]
        if kind in ("array", "object", None):
            return json.loads(text)
    except ValueError:
        return text
    return text
