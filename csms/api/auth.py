"""Who asks, and what they may do: API keys, roles, and the one operator a key may be limited to.

A key is random and long, so its SHA-256 is what is stored and looked up. Roles and scope come from the key
alone, never from the request. What belongs to another operator does not exist for a limited key: 404.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from csms.api.forms import OperatorCode
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem, described
from csms.errors import NotFound

NOTED_EVERY = timedelta(minutes=5)
KEY_LONGEST = 200
KEY_PREFIX = "csms_"  # so that a key can be recognised where it should not be


class Role(StrEnum):
    """What a key is for."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"
    PLATFORM = "platform"


ADMINS = (Role.ADMIN,)
OPERATORS = (Role.ADMIN, Role.OPERATOR)
READERS = (Role.ADMIN, Role.OPERATOR, Role.VIEWER)
EVERYONE = tuple(Role)


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever holds a key. `operator`: the code of the only operator it may see; None for all."""

    key_id: int
    name: str
    role: Role
    operator: str | None

    @property
    def actor(self) -> str:
        """How this key stands in the audit log."""
        return f"key:{self.key_id}:{self.name}"


bearer = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="A key made by `csms api-key create`, as bearer token.",
)


def new_key() -> tuple[str, bytes]:
    """A new key (256 random bits), and what is stored of it."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    return key, key_digest(key)


def key_digest(key: str) -> bytes:
    """What is stored of a key. It is random and long: a slow hash would protect nothing more."""
    return hashlib.sha256(key.encode()).digest()


async def principal_of(parts: ApiParts, key: str) -> Principal | None:
    """Whose key this is; None when it is unknown or was revoked."""
    if not 0 < len(key) <= KEY_LONGEST:
        return None
    digest = key_digest(key)
    found = await parts.registry.api_key(digest)
    # The index has compared the hash already; this comparison takes the same time for every key.
    if found is None or not hmac.compare_digest(found.key_hash, digest):
        return None
    await _note_use(parts, found.key_id)
    return Principal(found.key_id, found.name, Role(found.role), found.operator)


async def _note_use(parts: ApiParts, key_id: int) -> None:
    """One small write every few minutes per key, not one per request."""
    now = parts.now()
    before = parts.last_used.get(key_id)
    if before is None or now - before >= NOTED_EVERY:
        parts.last_used[key_id] = now
        await parts.registry.note_key_used(key_id, now)


async def page_visitor(parts: ApiParts, key: str) -> Principal | None:
    """Who may look at the status page with this key: everyone who may read the API."""
    principal = await principal_of(parts, key)
    return principal if principal is not None and principal.role in READERS else None


async def authenticated(
    parts: Parts, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Principal:
    """The holder of the request's key. Raises Problem 401."""
    principal = None if credentials is None else await principal_of(parts, credentials.credentials)
    if principal is None:
        detail = "Send `Authorization: Bearer KEY` with a key that is registered and not revoked."
        raise Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="csms"'})
    return principal


Who = Annotated[Principal, Depends(authenticated)]


def _allowed(roles: tuple[Role, ...], *, whole_network: bool) -> Callable[[Principal], None]:
    def check(who: Who) -> None:
        if who.role not in roles:
            needed = " or ".join(roles)
            raise Problem(403, f"The role {who.role} may not do this; it needs {needed}.")
        if whole_network and who.operator is not None:
            raise Problem(403, "This is shared by all operators; a key limited to one may not do it.")

    return check


def operation(roles: tuple[Role, ...], *errors: int, whole_network: bool = False) -> dict[str, Any]:
    """Keyword arguments of a route: who may call it, and the errors it may give besides 401, 403 and 500.

    `whole_network`: only for keys that are not limited to one operator.
    """
    return {
        "dependencies": [Depends(_allowed(roles, whole_network=whole_network))],
        "responses": described(401, 403, 422, 500, 503, *errors),
        "openapi_extra": {"x-roles": [str(role) for role in roles], "x-whole-network": whole_network},
    }


def own_operator(who: Who) -> str | None:
    """The operator whose records alone exist for this key."""
    return who.operator


def asked_operator(
    who: Who,
    operator: Annotated[
        OperatorCode | None, Query(description="Only of this operator (9 characters).")
    ] = None,
) -> str | None:
    """The operator to select by. Raises NotFound when the key may not see the one that was asked for."""
    if who.operator is not None and operator not in (None, who.operator):
        raise NotFound(f"operator {operator}")
    return who.operator or operator


Own = Annotated[str | None, Depends(own_operator)]
AskedOperator = Annotated[str | None, Depends(asked_operator)]


def client_address(request: Request) -> str:
    """Where a request comes from, as the socket says; proxies are the server's matter."""
    return request.client.host if request.client else ""
