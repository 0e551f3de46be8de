"""/users: people who may sign in. For administrators; one limited to an operator has its people only."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field

from csms.api import passwords
from csms.api.audit import audit
from csms.api.auth import ADMINS, Principal, Who, operation
from csms.api.forms import Code, Form, Name, OperatorCode, OwnZoneName, Page, PersonName, View, with_examples
from csms.api.paging import After, Limit
from csms.api.parts import ApiParts, Parts
from csms.api.problems import Problem
from csms.domain.scope import Scope
from csms.errors import NotFound
from csms.store.users import User, UserForm

router = APIRouter(prefix="/users", tags=["People"])

UserPath = Annotated[Name, Path(description="The person's name.")]
EXAMPLE = {
    "name": "li", "role": "operator", "operator": "123456789", "sites": ["S01"], "language": "zh-CN",
    "time_zone": "Asia/Shanghai", "enabled": True,
}  # fmt: skip
SHOWN = EXAMPLE | {
    "must_change_password": True, "one_time_codes": False, "created_at": "2026-01-01T10:00:00.000Z",
    "signed_in_at": None,
}  # fmt: skip


ONLY_OPERATOR, ONLY_SITES = "The only one they see; null for all.", "Of it only these sites; null for all."


class UserChange(Form):
    """What an administrator says of a person. Limits are always said: nobody's are lifted in silence."""

    role: Literal["viewer", "operator", "admin"]
    operator: OperatorCode | None = Field(description=ONLY_OPERATOR)
    sites: list[Code] | None = Field(max_length=1_000, description=ONLY_SITES)
    language: Literal["", "zh-CN", "en"] = ""
    time_zone: OwnZoneName = ""
    enabled: bool = True

    model_config = with_examples({name: value for name, value in EXAMPLE.items() if name != "name"})


class UserBody(UserChange):
    """A new person."""

    name: PersonName
    operator: OperatorCode | None = Field(default=None, description=ONLY_OPERATOR)
    sites: list[Code] | None = Field(default=None, max_length=1_000, description=ONLY_SITES)

    model_config = with_examples(EXAMPLE)


class Person(View):
    """A person; nothing secret of them."""

    name: str
    role: str
    operator: str | None
    sites: list[str] | None
    language: str
    time_zone: str
    enabled: bool
    must_change_password: bool
    one_time_codes: bool
    created_at: str
    signed_in_at: str | None

    model_config = with_examples(SHOWN)


class OneTime(View):
    """A password for the first sign-in, shown this once."""

    name: str
    password: str

    model_config = with_examples({"name": "li", "password": "k3Jx_example_only"})


@router.get("", summary="List people", response_model=Page[Person], **operation(ADMINS))
async def list_users(parts: Parts, who: Who, limit: Limit, after: After = None) -> Any:
    """By name."""
    return (await parts.users.find(who.scope, after, limit))._asdict()


@router.post(
    "", summary="Add a person", response_model=OneTime, status_code=201, **operation(ADMINS, 404, 409, 413)
)
async def add_user(request: Request, parts: Parts, who: Who, body: UserBody) -> Any:
    """Answers the one-time password, which they change at their first sign-in."""
    form = _form(who, body.name, body)
    password = passwords.one_time()
    await parts.users.add(form, await passwords.hash_of(password), True, parts.now())
    await audit(parts, request, who, "user-added", form.name, body.model_dump())
    return {"name": form.name, "password": password}


@router.put("/{name}", summary="Change a person", status_code=204, **operation(ADMINS, 404, 409, 413))
async def change_user(request: Request, parts: Parts, who: Who, name: UserPath, body: UserChange) -> None:
    """Role, scope, and whether they may sign in; disabling signs them out everywhere."""
    user = await _found(parts, who, name)
    form = _form(who, user.name, body)
    if who.visit is not None and who.visit.user.user_id == user.user_id and not _keeps_itself(form, who):
        raise Problem(409, "Nobody may take their own rights; another administrator can.")
    await parts.users.change(user.user_id, form)
    await audit(parts, request, who, "user-changed", user.name, body.model_dump(), before=_told(user))


@router.post(
    "/{name}/password", summary="A new one-time password", response_model=OneTime, **operation(ADMINS, 404)
)
async def reset_password(request: Request, parts: Parts, who: Who, name: UserPath) -> Any:
    """Signs the person out everywhere; for whoever has forgotten theirs."""
    user = await _found(parts, who, name)
    password = passwords.one_time()
    hashed = await passwords.hash_of(password)
    await parts.users.set_password(user.user_id, hashed, must_change=True, keep=b"")
    await audit(parts, request, who, "password-reset", user.name, {})
    return {"name": user.name, "password": password}


@router.delete(
    "/{name}/one-time-codes", summary="Forget a lost app", status_code=204, **operation(ADMINS, 404)
)
async def forget_codes(request: Request, parts: Parts, who: Who, name: UserPath) -> None:
    """The person signs in without one-time codes until they turn them on again."""
    user = await _found(parts, who, name)
    await parts.users.set_codes(user.user_id, None, (), 0)
    await audit(parts, request, who, "one-time-codes-off", user.name, {})


async def _found(parts: ApiParts, who: Principal, name: str) -> User:
    user = await parts.users.named(name)
    if user is None or not who.scope.holds(Scope(user.operator, user.sites)):
        raise NotFound(f"person {name}")
    return user


def _form(who: Principal, name: str, body: UserChange) -> UserForm:
    """Nobody gives rights that they have not."""
    scope = Scope(body.operator, None if body.sites is None else frozenset(body.sites))
    if not who.scope.holds(scope):
        raise NotFound(f"operator {body.operator or 'of all'}")
    return UserForm(name, body.role, scope, body.language, body.time_zone, body.enabled)


def _keeps_itself(form: UserForm, who: Principal) -> bool:
    return form.enabled and form.role == who.role and form.scope == who.scope


def _told(user: User) -> dict[str, Any]:
    sites = None if user.sites is None else sorted(user.sites)
    return {"role": user.role, "operator": user.operator, "sites": sites, "enabled": user.enabled}
