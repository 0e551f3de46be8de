"""A city's gate: who knocks, with what seal, and when. What is inside an envelope is not its matter.

The order of checks is fixed: size (the HTTP server's), a strict envelope, a known operator, the signature,
the token, time window and replay, decryption. What fails before the signature gets a bare HTTP status, as
nobody's key could sign its answer; what fails later gets a signed Ret.
"""

import hmac
import ipaddress
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from simulators.city_http import HttpAnswer, HttpRequest
from simulators.city_profile import Profile
from simulators.city_seal import Secrets, read_json

CHINA = timezone(timedelta(hours=8))
REMEMBERED = 100_000  # envelopes, to know those that come twice
FORMS = {
    "OperatorID": re.compile(r"[\x21-\x7e]{9}"),
    "Data": re.compile(r"[A-Za-z0-9+/]+={0,2}"),
    "TimeStamp": re.compile(r"[0-9]{14}"),
    "Seq": re.compile(r"(?!0000)[0-9]{4}"),
    "Sig": re.compile(r"[0-9A-F]{32}"),
}
TYPES = ("application/json", "application/json;charset=utf-8")
Body = dict[str, Any]


class Refusal(Exception):
    """An answer of the protocol that is no success: Ret and Msg."""

    def __init__(self, ret: int, msg: str) -> None:
        super().__init__(ret, msg)
        self.ret, self.msg = ret, msg


class Plain(Exception):
    """An answer outside the envelope."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True)
class Opened:
    """What came, from whom."""

    operator: str
    secrets: Secrets
    body: Body


class Gate:
    """The operators the city knows, by OperatorID, and the tokens they hold. `now` is the city's clock."""

    def __init__(
        self,
        operators: dict[str, Secrets],
        profile: Profile,
        now: Callable[[], datetime],
        count: Callable[[str], None],
        token_life_s: int | None = None,
    ) -> None:
        self._operators, self._profile, self._now, self._count = operators, profile, now, count
        self._token_life_s = profile.token_life_s if token_life_s is None else token_life_s
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._envelopes: OrderedDict[tuple[str, ...], None] = OrderedDict()

    def envelope(self, request: HttpRequest) -> dict[str, str]:
        """The five fields and no others. Raises Plain: what cannot be read cannot be answered in kind."""
        kind = request.headers.get("content-type", "").replace(" ", "").lower()
        try:
            fields = read_json(request.body)
        except (ValueError, RecursionError) as exc:
            raise Plain(HttpAnswer(400)) from exc
        well = isinstance(fields, dict) and fields.keys() == FORMS.keys()
        if not well or not all(isinstance(v, str) and FORMS[k].fullmatch(v) for k, v in fields.items()):
            raise Plain(HttpAnswer(400))
        if kind not in TYPES:
            raise Plain(HttpAnswer(400))
        envelope: dict[str, str] = fields
        return envelope

    def known(self, envelope: Mapping[str, str]) -> Secrets:
        """The secrets of the sender. Raises Plain 401."""
        known = self._operators.get(envelope["OperatorID"])
        if known is None:
            raise Plain(HttpAnswer(401))
        return known

    def open(self, request: HttpRequest, envelope: Mapping[str, str], known: Secrets, token: bool) -> Opened:
        """The message inside; with `token`, only from one who has one. Raises Refusal."""
        operator = envelope["OperatorID"]
        signed = known.sign(*(envelope[name] for name in ("OperatorID", "Data", "TimeStamp", "Seq")))
        if not hmac.compare_digest(signed, envelope["Sig"]):
            raise Refusal(4001, "签名错误")
        if token and not self._token_holds(request.headers.get("authorization", ""), operator):
            raise Refusal(4002, "Token错误")
        self._need_fresh(envelope)
        try:
            body = read_json(known.decrypt(envelope["Data"]))
        except (ValueError, RecursionError) as exc:
            raise Refusal(4003, "Data cannot be read") from exc
        if not isinstance(body, dict):
            raise Refusal(4003, "Data is no object")
        return Opened(operator, known, body)

    def give_token(self, asked: Opened) -> Body:
        """The answer of query_token."""
        self._count("tokens")
        right = str(asked.body.get("OperatorSecret", "")).encode()
        failure = 0 if hmac.compare_digest(right, asked.secrets.operator_secret.encode()) else 2
        if asked.body.get("OperatorID") != asked.operator:
            failure = 1
        token = "" if failure else secrets.token_hex(32)
        if token:
            self._tokens[token] = (asked.operator, self._now() + timedelta(seconds=self._token_life_s))
        return {
            "OperatorID": asked.operator,
            "SuccStat": 1 if failure else 0,
            "AccessToken": token,
            "TokenAvailableTime": 0 if failure else self._token_life_s,
            "FailReason": failure,
        }

    def void_tokens(self) -> None:
        """No token holds any longer, whatever was said of its life."""
        self._tokens.clear()

    def _token_holds(self, header: str, operator: str) -> bool:
        scheme, _, token = header.partition(" ")
        owner, ends = self._tokens.get(token, ("", self._now()))
        return scheme == "Bearer" and owner == operator and self._now() < ends

    def _need_fresh(self, envelope: Mapping[str, str]) -> None:
        """Raises Refusal 4003 for a time far from ours, or an envelope seen before."""
        try:
            said = datetime.strptime(envelope["TimeStamp"], "%Y%m%d%H%M%S").replace(tzinfo=CHINA)
        except ValueError as exc:
            raise Refusal(4003, "TimeStamp does not exist") from exc
        window = self._profile.window_s
        if window is not None and abs(self._now() - said) > timedelta(seconds=window):
            raise Refusal(4003, f"TimeStamp is more than {window:g} s from our clock")
        key = tuple(envelope[name] for name in ("OperatorID", "TimeStamp", "Seq", "Sig"))
        if key in self._envelopes:
            self._count("envelopes_repeated")
            if self._profile.refuse_replays:
                raise Refusal(4003, "this envelope was here before")
        self._envelopes[key] = None
        if len(self._envelopes) > REMEMBERED:
            self._envelopes.popitem(last=False)


def is_local(peer: str) -> bool:
    """Whether a caller sits at the same machine."""
    return ipaddress.ip_address(peer).is_loopback
