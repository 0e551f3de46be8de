"""How a push went, and what a platform's answer means. Pure: an opened answer in, an outcome out."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from csms.reporting.tcec.envelope import BadEnvelope, Response, parse_object
from csms.reporting.tcec.messages import Record, kind_of
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.pushes import Answer, OrderPush, Push

MAX_REASON = 200
MAX_RETRY_AFTER_S = 86_400.0

_WHOLE = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Delivered:
    """The platform took it. `answer` is what it said; `sha256`, here and below, of the message as told."""

    answer: dict[str, Any] = field(default_factory=dict)
    sha256: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Ignored:
    """The platform dropped it on purpose (Status 1): done, never sent again."""

    reason: str
    sha256: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Disputed:
    """The platform has the order and does not agree (ConfirmResult `code`): done, for people to see."""

    reason: str
    code: int
    sha256: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now. Try again for ever; not before `after_s` seconds where the platform said so."""

    reason: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """This one message is not wanted as it is; others may pass."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """We are not wanted, or the other side is not who it should be: nothing goes out until that changes."""

    reason: str


Outcome = Delivered | Ignored | Disputed | Retry | Rejected | Refused
UNAUTHORIZED = Refused("HTTP 401")


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and how long the platform says it lives."""

    text: str = field(repr=False)
    lives_s: float


def judge(record: Record, answer: Response, profile: Profile) -> Outcome:
    """What an answer with a right signature says about `record`. Ret 4002 is the caller's matter."""
    ret, codes = answer.ret, profile.answers
    if ret in codes.already:
        return Delivered({"Ret": ret})
    if ret in codes.again or ret in codes.token:
        return Retry(_said(answer))
    if ret in codes.credentials:
        return Refused(_said(answer))
    if ret not in codes.accepted:
        return Rejected(_said(answer))
    return _judge_body(record, answer, profile)


def _judge_body(record: Record, answer: Response, profile: Profile) -> Outcome:
    """What the answer's own words say, where Ret says nothing against it."""
    push = profile.push(kind_of(record))
    assert push is not None  # it was worded for it
    try:
        body = parse_object(answer.text or "")
    except BadEnvelope:
        if push.answer == "any" and not answer.text:
            return Delivered({"Ret": answer.ret})
        return Retry("the answer says nothing about the message")
    return _JUDGES[push.answer](record, push, body)


def judge_token(answer: Response, profile: Profile) -> Token | Retry | Refused:
    """What query_token brought. Every refusal is about credentials, whatever its number."""
    codes = profile.answers
    if answer.ret in codes.again:
        return Retry(_said(answer))
    if answer.ret not in codes.accepted:
        return Refused(f"query_token: {_said(answer)}")
    try:
        body = parse_object(answer.text or "")
    except BadEnvelope:
        return Retry("query_token: the answer is empty")
    succeeded, lives_s, token = (body.get(k) for k in ("SuccStat", "TokenAvailableTime", "AccessToken"))
    if _whole(succeeded) != 0:
        return Refused(f"query_token: no token, FailReason {_whole(body.get('FailReason'))}")
    # An HTTP header takes visible ASCII only; anything else would be an error of ours later.
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,4096}", token):
        return Retry("query_token: the token has no usable form")
    return Token(token, min(float(max(_whole(lives_s) or 0, 0)), profile.limits.token_days * 86_400))


def judge_http(status: int, retry_after: str | None) -> Outcome | None:
    """What an HTTP status alone says; None for 200, where the body decides."""
    match status:
        case 200:
            return None
        case 401 | 403:
            return Refused(f"HTTP {status}")
        case 408 | 425 | 429:
            return Retry(f"HTTP {status}", _seconds(retry_after))
        case _ if 300 <= status < 400:
            # A peer that sends us elsewhere is not the one whose address is configured.
            return Refused(f"HTTP {status}: a redirect is not followed")
        case _ if 400 <= status < 500:
            return Rejected(f"HTTP {status}")
    return Retry(f"HTTP {status}", _seconds(retry_after))


def printable(text: str) -> str:
    """A peer's words for our records: one line, no control characters, of bounded length."""
    return "".join(c if c.isprintable() else " " for c in text[:MAX_REASON]).strip()


def _is_about(record: Record, body: dict[str, Any]) -> bool:
    """Answers do not name their question; without this an old answer could confirm another order."""
    ours = getattr(record, "start_charge_seq", None)
    return all(body.get(name, ours) == ours for name in ("StartChargeSeq", "OrderNo"))


def _judge_order(record: Record, push: Push, body: dict[str, Any]) -> Outcome:
    if not _is_about(record, body):
        return Retry("the answer is about another order")
    code = _whole(body.get("ConfirmResult"))
    if code is None:
        return Retry("the answer has no ConfirmResult")
    if code == 0:
        return Delivered(body)
    if isinstance(push, OrderPush) and push.dispute == "again":
        return Retry(f"ConfirmResult {code}")
    return Disputed(f"ConfirmResult {code}", code)


def _judge_success(record: Record, _: Push, body: dict[str, Any]) -> Outcome:
    if not _is_about(record, body):
        return Retry("the answer is about another session")
    match _whole(body.get("SuccStat")):
        case 0:
            return Delivered(body)
        case None:
            return Retry("the answer has no SuccStat")
        case code:
            return Rejected(f"SuccStat {code}, FailReason {_whole(body.get('FailReason'))}")


def _judge_status(_: Record, __: Push, body: dict[str, Any]) -> Outcome:
    match _whole(body.get("Status")):
        case 0:
            return Delivered(body)
        case 1:
            return Ignored("Status 1")
        case None:
            return Retry("the answer has no Status")
        case code:
            return Rejected(f"Status {code}")


def _judge_any(record: Record, push: Push, body: dict[str, Any]) -> Outcome:
    """Where it is not known how a platform answers: what it says counts, and silence is consent."""
    if "Status" in body:
        return _judge_status(record, push, body)
    if "SuccStat" in body:
        return _judge_success(record, push, body)
    return Delivered(body)


_JUDGES: dict[Answer, Callable[[Record, Push, dict[str, Any]], Outcome]] = {
    "confirm-result": _judge_order,
    "succ-stat": _judge_success,
    "status": _judge_status,
    "any": _judge_any,
}


def _said(answer: Response) -> str:
    return f"Ret {answer.ret} {printable(answer.msg)}".strip()


def _whole(value: object) -> int | None:
    """A whole number, also where a peer sends its text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return int(value) if isinstance(value, int) or _WHOLE.fullmatch(value) else None


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After in seconds, at most a day. A date is not read: the schedule decides then."""
    if retry_after is None or not re.fullmatch(r"[0-9]{1,9}", retry_after.strip()):
        return None
    return min(float(retry_after), MAX_RETRY_AFTER_S)
