"""/api-keys: keys of programs. For administrators; one that is limited to an operator has its keys only."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field

from csms.api.audit import audit
from csms.api.auth import ADMINS, Who, new_key, operation
from csms.api.forms import Code, Form, Name, OperatorCode, View, with_examples
from csms.api.once import shown_once
from csms.api.parts import Parts
from csms.domain.scope import Scope
from csms.errors import NotFound

router = APIRouter(prefix="/api-keys", tags=["People"])

KeyPath = Annotated[int, Path(ge=1, le=2**63 - 1, description="The key's number.")]
EXAMPLE = {"name": "night report", "role": "viewer", "operator": "123456789", "sites": None}
SHOWN = EXAMPLE | {
    "key_id": 7, "created_at": "2026-01-01T10:00:00.000Z", "last_used_at": None, "revoked_at": None,
}  # fmt: skip


class KeyBody(Form):
    """A key to make."""

    name: Name
    role: Literal["admin", "operator", "viewer", "platform"]
    operator: OperatorCode | None = Field(default=None, description="The only one it sees; null for all.")
    sites: list[Code] | None = Field(default=None, max_length=1_000, description="Of it only these sites.")

    model_config = with_examples(EXAMPLE)


class Key(View):
    """A key; never the key itself."""

    key_id: int
    name: str
    role: str
    operator: str | None
    sites: list[str] | None
    created_at: str
    last_used_at: str | None
    revoked_at: str | None

    model_config = with_examples(SHOWN)


class Keys(View):
    """Every key."""

    items: list[Key]


class NewKey(View):
    """`key` is shown this once."""

    key_id: int
    key: str

    model_config = with_examples({"key_id": 7, "key": "csms_example_only"})


@router.get("", summary="List keys", response_model=Keys, **operation(ADMINS))
async def list_keys(parts: Parts, who: Who) -> Any:
    """In the order in which they were made, revoked ones too."""
    found = await parts.registry.api_keys()
    return {"items": [key for key in found if who.operator in (None, key["operator"])]}


@router.post("", summary="Make a key", response_model=NewKey, status_code=201, **operation(ADMINS, 404, 413))
async def add_key(request: Request, parts: Parts, who: Who, body: KeyBody) -> Any:
    """Nobody gives rights that they have not."""
    shown_once(request, "key")
    scope = Scope(body.operator, None if body.sites is None else frozenset(body.sites))
    if not who.scope.holds(scope):
        raise NotFound(f"operator {body.operator or 'of all'}")
    key, digest = new_key()
    key_id = await parts.registry.put_api_key(body.name, digest, body.role, scope, parts.now())
    await audit(parts, request, who, "api-key-made", str(key_id), body.model_dump())
    return {"key_id": key_id, "key": key}


@router.delete("/{key_id}", summary="Revoke a key", status_code=204, **operation(ADMINS, 404))
async def revoke_key(request: Request, parts: Parts, who: Who, key_id: KeyPath) -> None:
    """It opens nothing from now on."""
    known = [key for key in await parts.registry.api_keys() if key["key_id"] == key_id]
    is_seen = bool(known) and who.operator in (None, known[0]["operator"])
    if not is_seen or not await parts.registry.revoke_api_key(key_id, parts.now()):
        raise NotFound(f"key {key_id}")
    await audit(parts, request, who, "api-key-revoked", str(key_id), {})
