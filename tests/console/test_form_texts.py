"""Forms are made of the API's schemas; what they say is said in the reader's language."""

from typing import Any

from csms.console.forms import resolved, worded
from csms.console.pages.settings import RESOURCES
from csms.console.texts import TEXTS
from tests.api.conftest import Desk

Document = dict[str, Any]
PATHS = ("/id-tokens", *(one.path for one in RESOURCES.values()))


def forms(document: Document) -> list[tuple[str, Document]]:
    """Every schema of which the console makes a form, with what its texts are called after."""
    schemas = document["components"]["schemas"]
    found = []
    for path in PATHS:
        body = document["paths"][f"/api/v1{path}"]["post"]["requestBody"]["content"]["application/json"]
        found.append((path[1:], resolved(body["schema"], schemas)))
    commands = document["paths"]["/api/v1/charging-stations/{identity}/commands"]["post"]["requestBody"]
    mapping = commands["content"]["application/json"]["schema"]["discriminator"]["mapping"]
    for name, reference in mapping.items():
        found.append((f"command_{name}", resolved({"$ref": reference}, schemas)))
    return found


async def test_no_form_mixes_languages(desk: Desk) -> None:
    """Whatever has a hint has it in Chinese, and every field a Chinese name."""
    words = TEXTS["zh-CN"]
    wrong = [
        f"{of}.{name}"
        for of, schema in forms(desk.app.openapi())
        for name, one in worded(schema, of, words)["properties"].items()
        if "const" not in one and not is_chinese(name, one, words)
    ]

    assert wrong == []


def is_chinese(name: str, field: Document, words: dict[str, str]) -> bool:
    """Whether its name and what is said of it are."""
    hint = field.get("description") or ""
    return (f"field_{name}" in words or name in words) and not (hint and hint.isascii())
