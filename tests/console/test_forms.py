"""Forms from JSON schemas, and what was filled in as the API wants it."""

from typing import Any

from csms.console.desk import Refused
from csms.console.forms import body_of, changes_of, problems_of, resolved, schema_form, worded
from csms.console.texts import TEXTS

EN = TEXTS["en"]
SCHEMAS = {
    "Kind": {"enum": ["soft", "hard"], "type": "string"},
    "Reset": {
        "properties": {
            "command": {"const": "Reset", "type": "string"},
            "kind": {"$ref": "#/components/schemas/Kind"},
            "evse": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
            "operative": {"type": "boolean"},
            "price": {"type": "number"},
            "names": {"type": "array", "items": {"type": "string"}},
            "values": {"type": "array", "items": {"type": "object"}},
            "note": {"type": "string", "maxLength": 9, "description": "<b>why</b>"},
        },
        "required": ["command", "kind"],
    },
}


def test_fields() -> None:
    """One for each property but constants; choices, limits and descriptions as the schema has them."""
    made = schema_form(resolved({"$ref": "#/x/Reset"}, SCHEMAS), SCHEMAS, EN, {"note": '"><script>'})

    assert 'name="command"' not in made
    assert '<select id="field-kind" name="kind" required="">' in made
    assert 'type="number"' in made
    assert 'min="0"' in made
    assert 'maxlength="9"' in made
    assert "&lt;b&gt;why&lt;/b&gt;" in made
    assert "<script>" not in made


def test_records_and_words() -> None:
    """A field whose values are records is a choice of names; what the texts say replaces English."""
    schema = {"properties": {"site": {"type": "string", "description": "Where."}}}
    words = EN | {"about_stations_site": "Here"}

    made = schema_form(
        worded(schema, "stations", words), {}, words, {}, options={"site": [("S01", "<b>First</b>")]}
    )

    assert '<option value="S01">&lt;b&gt;First&lt;/b&gt;</option>' in made
    assert "Here" in made
    assert "Where." not in made
    assert worded(schema, "others", words) == schema


def test_body() -> None:
    """Texts become what the schema wants; what is left out is left out; what cannot be read is the API's."""
    fields = {
        "kind": "soft", "evse": "3", "operative": "false", "price": "1.5", "names": "a\n b \n",
        "values": '[{"name": "x"}]', "note": "  ", "other": "not asked for",
    }  # fmt: skip

    body = body_of(SCHEMAS["Reset"], SCHEMAS, fields)

    assert body == {
        "command": "Reset", "kind": "soft", "evse": 3, "operative": False, "price": 1.5, "names": ["a", "b"],
        "values": [{"name": "x"}],
    }  # fmt: skip
    assert body_of(SCHEMAS["Reset"], SCHEMAS, {"kind": "soft", "evse": "x"})["evse"] == "x"


KINDS: dict[str, Any] = {
    "properties": {
        "kinds": {
            "anyOf": [{"type": "array", "items": {"$ref": "#/components/schemas/Kind"}}, {"type": "null"}]
        },
        "name": {"type": "string"},
        "enabled": {"type": "boolean"},
    }
}
NAMED: dict[str, Any] = {"Kind": {"type": "string", "enum": ["a", "b", "c"]}}


def test_several_of_a_choice() -> None:
    """A box for each, those ticked that are chosen; none is left out."""
    made = schema_form(KINDS, NAMED, EN, {"kinds": ["b"]})

    assert made.count('type="checkbox"') == 3
    assert 'value="b" checked=""' in made
    assert body_of(KINDS, NAMED, {"kinds": ["a", "c"]}) == {"kinds": ["a", "c"]}
    assert body_of(KINDS, NAMED, {"kinds": "a"}) == {"kinds": ["a"]}
    assert body_of(KINDS, NAMED, {}) == {}


def test_what_is_wrong_with_a_field() -> None:
    """Stands beside it, as text, and is announced with it."""
    refusal = Refused(422, {"errors": [{"field": "body.name", "problem": "<b>odd</b>", "fix": "Change it."}]})

    made = schema_form(KINDS, NAMED, EN, {}, problems_of(refusal))

    assert 'id="field-name-wrong">&lt;b&gt;odd&lt;/b&gt; Change it.' in made
    assert 'aria-describedby="field-name-wrong" aria-invalid="true"' in made


def test_only_what_differs() -> None:
    """Is sent; what was emptied is null."""
    before = {"name": "x", "enabled": False, "kinds": []}

    assert changes_of(KINDS, {}, {"name": "x", "enabled": "false", "kinds": ""}, before) == {}
    assert changes_of(KINDS, {}, {"name": "", "enabled": "true"}, before) == {"name": None, "enabled": True}


def test_what_has_to_be_said_may_be_null() -> None:
    """A field that is left empty is told as null, where the API wants to hear of it."""
    schema = {
        "properties": {
            "operator": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "role": {"type": "string"},
        },
        "required": ["operator", "role"],
    }

    made = schema_form(schema, {}, EN, {})

    assert 'id="field-role" name="role" required=""' in made
    assert 'id="field-operator" name="operator" required' not in made
    assert body_of(schema, {}, {"operator": " ", "role": ""}) == {"operator": None}
