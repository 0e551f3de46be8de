"""Who asks, and what they may do: people's visits and API keys, roles, and the scope each is limited to.

A key is random and long, so its SHA-256 is what is stored and looked up. Roles and scope come from the key or
the person alone, never from the request. What belongs to another operator does not exist for them: 404.
Whoever comes with a cookie proves with each change that our own page asks for it (`X-CSRF-Token`).
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Header, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from csms.api.entry import COOKIE, visit_of
from csms.api.forms import OperatorCode
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem, described
from csms.config import PlatformSettings
from csms.domain.scope import Scope
from csms.errors import NotFound
from csms.store.scoping import sites_of
from csms.store.users import Visit

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
    """A person or the holder of a key. `actor`: how it stands in the audit log. `visit`: a person's."""

    actor: str
    name: str
    role: Role
    scope: Scope
    visit: Visit | None = None

    @property
    def operator(self) -> str | None:
        """The code of the only operator it may see; None for all."""
        return self.scope.operator


bearer = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="A key made by `csms api-key create`, as bearer token.",
)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


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
    actor = f"key:{found.key_id}:{found.name}"
    return Principal(actor, found.name, Role(found.role), Scope(found.operator, sites_of(found.sites)))


async def _note_use(parts: ApiParts, key_id: int) -> None:
    """One small write every few minutes per key, not one per request."""
    now = parts.now()
    before = parts.last_used.get(key_id)
    if before is None or now - before >= NOTED_EVERY:
        parts.last_used[key_id] = now
        await parts.registry.note_key_used(key_id, now)


async def person_of(parts: ApiParts, cookie: str | None) -> Principal | None:
    """Whose browser this cookie is of; None when it is not signed in."""
    visit = await visit_of(parts, cookie)
    if visit is None:
        return None
    user = visit.user
    return Principal(f"user:{user.name}", user.name, Role(user.role), Scope(user.operator, user.sites), visit)


async def authenticated(
    request: Request,
    parts: Parts,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    csrf: Annotated[str | None, Header(alias="X-CSRF-Token", include_in_schema=False)] = None,
) -> Principal:
    """Who asks. Raises Problem 401, and 403 for a change that our page did not ask for."""
    principal = await _asker(request, parts, credentials)
    if principal is None:
        detail = "Sign in, or send `Authorization: Bearer KEY` with a key that is registered and not revoked."
        raise Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="csms"'})
    if principal.visit is not None and request.method not in SAFE_METHODS:
        _demand_own_page(request, principal.visit, csrf)
    return principal


async def _asker(
    request: Request, parts: ApiParts, credentials: HTTPAuthorizationCredentials | None
) -> Principal | None:
    if credentials is not None:
        return await principal_of(parts, credentials.credentials)
    return await person_of(parts, request.cookies.get(COOKIE))


async def still_holds(request: Request, parts: ApiParts, who: Principal) -> bool:
    """Whether who asked, some time ago, is still let in with the same rights."""
    now = await _asker(request, parts, await bearer(request))
    return now is not None and (now.actor, now.role, now.scope) == (who.actor, who.role, who.scope)


def _demand_own_page(request: Request, visit: Visit, csrf: str | None) -> None:
    origin = request.headers.get("origin")
    is_ours = origin is None or origin.partition("://")[2] == request.headers.get("host", "")
    if not is_ours or csrf is None or not hmac.compare_digest(csrf.encode(), visit.csrf.encode()):
        raise Problem(403, "Send the `csrf` of GET /api/v1/me as `X-CSRF-Token` with every change.")


Who = Annotated[Principal, Depends(authenticated)]


def _allowed(roles: tuple[Role, ...], *, whole_network: bool, by_site: bool) -> Callable[[Principal], None]:
    def check(who: Who) -> None:
        if who.visit is not None and who.visit.user.must_change:
            raise Problem(403, "Change the password first: POST /api/v1/me/password.")
        if who.role not in roles:
            needed = " or ".join(roles)
            raise Problem(403, f"The role {who.role} may not do this; it needs {needed}.")
        if whole_network and not who.scope.is_whole:
            raise Problem(403, "This is shared by all operators; whoever is limited to one may not do it.")
        if who.scope.sites is not None and not by_site:
            raise Problem(403, "This is of a whole operator; whoever is limited to sites may not see it.")

    return check


ALSO = {
    200: "It was there; this is how it is now.",
    201: "It is new.",
    202: "It is under way; ask for its result later.",
}


def operation(
    roles: tuple[Role, ...],
    *errors: int,
    whole_network: bool = False,
    by_site: bool = False,
    also: Mapping[int, Any] | None = None,
) -> dict[str, Any]:
    """Keyword arguments of a route: who may call it, and the errors it may give besides 401, 403 and 500.

    `whole_network`: only for whoever is not limited to one operator. `by_site`: also for whoever is limited
    to some sites, which the route then heeds (`Own`); without it they are refused. `also`: models of answers
    by other statuses than the route's own.
    """
    others = {status: {"model": model, "description": ALSO[status]} for status, model in (also or {}).items()}
    return {
        "dependencies": [Depends(_allowed(roles, whole_network=whole_network, by_site=by_site))],
        "responses": described(401, 403, 422, 500, 503, *errors) | others,
        "openapi_extra": {
            "x-roles": [str(role) for role in roles],
            "x-whole-network": whole_network,
            "x-by-site": by_site,
        },
    }


def for_people(*errors: int) -> dict[str, Any]:
    """Keyword arguments of a route about the person who asks: for whoever has signed in, and no key."""
    return {
        "dependencies": [Depends(_is_person)],
        "responses": described(401, 403, 422, 500, 503, *errors),
        "openapi_extra": {"x-roles": [], "x-whole-network": False, "x-by-site": True},
    }


def _is_person(who: Who) -> None:
    if who.visit is None:
        raise Problem(403, "This is for people who signed in; an API key has no such thing.")


def own_scope(who: Who) -> Scope:
    """What alone exists for whoever asks."""
    return who.scope


def own_operator(who: Who) -> str | None:
    """The operator whose records alone exist for whoever asks; for routes that know no sites."""
    return who.operator


def platforms_of(parts: ApiParts, who: Principal) -> list[PlatformSettings]:
    """The city platforms that exist for this key: all, or those of its operator.

    One of role `platform` sees the platform whose name it bears, where there is one.
    """
    seen = [one for one in parts.settings.reporting.platforms if who.operator in (None, one.operator)]
    own = [one for one in seen if one.name == who.name] if who.role is Role.PLATFORM else []
    return own or seen


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


Own = Annotated[Scope, Depends(own_scope)]
OwnOperator = Annotated[str | None, Depends(own_operator)]
AskedOperator = Annotated[str | None, Depends(asked_operator)]


def client_address(request: Request) -> str:
    """Where a request comes from, as the socket says; proxies are the server's matter."""
    return request.client.host if request.client else ""
