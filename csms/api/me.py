"""/sign-in, /sign-out, /me: a person's own door, password, one-time codes and preferences."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from csms.api import entry
from csms.api.audit import audit
from csms.api.auth import EVERYONE, Principal, Who, client_address, for_people
from csms.api.forms import Form, Name, View, ZoneName, with_examples
from csms.api.once import shown_once
from csms.api.parts import Parts
from csms.api.problems import described, invalid
from csms.domain.one_time_codes import address_of, digest_of, new_secret, recovery_codes, step_of
from csms.store.users import User

router = APIRouter(tags=["People"])
door = APIRouter(tags=["People"])
"""What asks for no one's rights."""

Secret = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
OneTimeCode = Annotated[str, StringConstraints(max_length=40)]
Language = Literal["", "zh-CN", "en"]
FOR_EVERYONE: dict[str, Any] = {
    "responses": described(401, 403, 422, 500, 503),
    "openapi_extra": {"x-roles": list(EVERYONE), "x-whole-network": False, "x-by-site": True},
}
FOR_ANYBODY: dict[str, Any] = {
    "responses": described(401, 403, 422, 429, 500, 503),
    "openapi_extra": {"x-public": True},
}


EXAMPLE = {
    "name": "li", "is_person": True, "role": "operator", "operator": "123456789", "sites": None,
    "language": "zh-CN", "time_zone": "Asia/Shanghai", "must_change_password": False,
    "one_time_codes": False, "csrf": "hZ3c",
}  # fmt: skip


class SignIn(Form):
    """A person at the door."""

    name: Name
    password: Secret
    code: OneTimeCode = Field(default="", description="Of the authenticator app, or a recovery code.")

    model_config = with_examples({"name": "li", "password": "correct horse battery", "code": ""})


class Me(View):
    """Who asks. `csrf` goes as `X-CSRF-Token` with every change; null for an API key."""

    name: str
    is_person: bool
    role: str
    operator: str | None
    sites: list[str] | None
    language: str
    time_zone: str
    must_change_password: bool
    one_time_codes: bool
    csrf: str | None

    model_config = with_examples(EXAMPLE)


class PasswordBody(Form):
    """Another password. Every other browser of the person is signed out."""

    old: Secret
    new: Secret

    model_config = with_examples({"old": "correct horse battery", "new": "staple correct horse"})


class PreferenceBody(Form):
    """How a person likes to read."""

    language: Language = ""
    time_zone: ZoneName = "Asia/Shanghai"

    model_config = with_examples({"language": "zh-CN", "time_zone": "Asia/Shanghai"})


class CodesBody(Form):
    """Turn one-time codes on: `secret` as offered and a `code` of the app. Off: both empty."""

    password: Secret
    secret: Annotated[str, StringConstraints(pattern=r"^([A-Z2-7]{32})?$")] = ""
    code: OneTimeCode = ""

    model_config = with_examples({"password": "correct horse battery", "secret": "", "code": ""})


class CodesOffer(View):
    """A secret for an authenticator app, and its address for a QR code. Nothing is kept of it yet."""

    secret: str
    address: str

    model_config = with_examples({"secret": "A" * 32, "address": "otpauth://totp/CSMS:li?secret=AAAA"})


class CodesKept(View):
    """`recovery`: codes for a lost app, each good for once, shown this once."""

    recovery: list[str]

    model_config = with_examples({"recovery": ["0a1b2c3d-4e5f6071"]})


@door.post("/sign-in", summary="Sign in", response_model=Me, **FOR_ANYBODY)
async def sign_in(request: Request, response: Response, parts: Parts, body: SignIn) -> Any:
    """Sets a cookie that scripts cannot read. Whoever fails too often waits longer each time (429)."""
    entered = await entry.enter(parts, body.name, body.password, body.code, client_address(request))
    response.set_cookie(
        entry.COOKIE,
        entered.cookie,
        max_age=int(entry.longest(parts).total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return _me(entered.user, entered.csrf)


@router.post("/sign-out", summary="Sign out", status_code=204, **for_people())
async def sign_out(request: Request, response: Response, parts: Parts, who: Who) -> None:
    """Ends this browser's visit."""
    await entry.leave(parts, request.cookies.get(entry.COOKIE))
    response.delete_cookie(entry.COOKIE)


@router.post("/me/sign-out-everywhere", summary="Sign out everywhere", status_code=204, **for_people())
async def sign_out_everywhere(request: Request, response: Response, parts: Parts, who: Who) -> None:
    """Ends every visit of this person, this one too."""
    await parts.users.end_all(_person(who).user_id)
    await audit(parts, request, who, "sign-out-everywhere", who.name, {})
    response.delete_cookie(entry.COOKIE)


@router.get("/me", summary="Who asks", response_model=Me, **FOR_EVERYONE)
async def me(who: Who) -> Any:
    """The person or key of this request, its role and what it may see."""
    if who.visit is not None:
        return _me(who.visit.user, who.visit.csrf)
    return {
        "name": who.name, "is_person": False, "role": who.role, "operator": who.operator,
        "sites": None if who.scope.sites is None else sorted(who.scope.sites),
        "language": "", "time_zone": "", "must_change_password": False, "one_time_codes": False,
        "csrf": None,
    }  # fmt: skip


@router.post("/me/password", summary="Change the own password", status_code=204, **for_people())
async def change_password(request: Request, parts: Parts, who: Who, body: PasswordBody) -> None:
    """Needs the old one."""
    assert who.visit is not None, "the route is for people only"
    cookie = request.cookies.get(entry.COOKIE, "")
    wish = entry.Wish(body.old, body.new, cookie, client_address(request))
    await entry.change_password(parts, who.visit, wish)


@router.put("/me/preferences", summary="Language and time zone", status_code=204, **for_people())
async def prefer(parts: Parts, who: Who, body: PreferenceBody) -> None:
    """Of this person only."""
    await parts.users.prefer(_person(who).user_id, body.language, body.time_zone)


@router.post(
    "/me/one-time-codes/offer", summary="A secret for an app", response_model=CodesOffer, **for_people()
)
async def offer_codes(request: Request, who: Who) -> Any:
    """The first step; PUT /me/one-time-codes with a code of the app is the second."""
    shown_once(request, "secret", "address")
    secret = new_secret()
    return {"secret": secret, "address": address_of(secret, _person(who).name, "CSMS")}


@router.put(
    "/me/one-time-codes", summary="One-time codes on or off", response_model=CodesKept, **for_people()
)
async def put_codes(request: Request, parts: Parts, who: Who, body: CodesBody) -> Any:
    """On with a secret and a code that fits it; off without a secret."""
    user = _person(who)
    await entry.prove(parts, user, body.password, client_address(request))
    if not body.secret:
        await parts.users.set_codes(user.user_id, None, (), 0)
        await audit(parts, request, who, "one-time-codes-off", user.name, {})
        return {"recovery": []}
    step = step_of(body.secret, body.code, parts.now(), 0)
    if step is None:
        raise invalid("body.code", "it does not fit the secret", "Send the code that the app shows now.")
    recovery = recovery_codes()
    await parts.users.set_codes(user.user_id, body.secret, [digest_of(code) for code in recovery], step)
    await audit(parts, request, who, "one-time-codes-on", user.name, {})
    return {"recovery": recovery}


def _person(who: Principal) -> User:
    assert who.visit is not None, "the route is for people only"
    return who.visit.user


def _me(user: User, csrf: str) -> dict[str, Any]:
    return {
        "name": user.name,
        "is_person": True,
        "role": user.role,
        "operator": user.operator,
        "sites": None if user.sites is None else sorted(user.sites),
        "language": user.language,
        "time_zone": user.time_zone,
        "must_change_password": user.must_change,
        "one_time_codes": user.code_secret is not None,
        "csrf": csrf,
    }
