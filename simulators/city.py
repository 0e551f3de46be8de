"""A city platform: takes operators' pushes, keeps a ledger of what it accepted, and misbehaves when told.

An independent witness: it was written from the standard and shares no code with the system it judges.
`GET /ledger` tells everything in numbers, `/ledger/orders`, `/ledger/hours`, `/ledger/connectors` and
`/ledger/orders/SEQ` (all versions) in full; `POST /behave` with `{"behave": ["busy=2"]}` sets the faults
in force and is open to the same machine only.
"""

import asyncio
import contextlib
import hmac
import ipaddress
import json
import re
import secrets
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simulators.city_desk import TAKE, Body, Refusal, need
from simulators.city_faults import BadFault, Faults, Interface
from simulators.city_http import HttpAnswer, HttpRequest, HttpServer
from simulators.city_ledger import Ledger
from simulators.city_seal import DEMO_SECRET, Secrets, read_json

TOKEN_LIFE_S = 7200
REMEMBERED = 10_000  # envelopes, to count those that come twice
PUSHES: dict[str, Interface] = {
    "notification_stationStatus": "status",
    "notification_charge_order_info": "order",
    "notification_charge_order_info_for_bonus": "order",
    "notification_stationStats": "hour",
}


class Plain(Exception):
    """An answer outside the envelope."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True)
class _Opened:
    operator: str
    secrets: Secrets
    body: Body


class CityPlatform:
    """The platform of one city. `operators` are those it knows, by OperatorID, with their secrets.

    `start` and `stop` may be called in turn: the ledger lives on until `close`.
    """

    def __init__(
        self,
        operators: Mapping[str, Secrets],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ledger: Path | None = None,
        behave: list[str] | None = None,
        tls: ssl.SSLContext | None = None,
        token_life_s: int = TOKEN_LIFE_S,
    ) -> None:
        self.operators = dict(operators)
        self.faults = Faults(behave)
        self.ledger = Ledger(ledger)
        self._server = HttpServer(host, port, self._handle, tls)
        self._scheme = "https" if tls else "http"
        self._token_life_s = token_life_s
        self._tokens: dict[str, tuple[str, float]] = {}
        self._envelopes: deque[str] = deque(maxlen=REMEMBERED)

    @property
    def url(self) -> str:
        """Scheme, host and port; the port is known once started."""
        return f"{self._scheme}://{self._server.host}:{self._server.port}"

    async def start(self) -> None:
        """Listen."""
        await self._server.start()

    async def stop(self) -> None:
        """Stop listening and cut every connection; `start` takes the same port again."""
        await self._server.stop()

    async def close(self) -> None:
        """Stop for good."""
        await self.stop()
        self.ledger.close()

    async def __aenter__(self) -> "CityPlatform":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def behave(self, *texts: str) -> None:
        """The faults in force from now on; none: behave well. Raises BadFault."""
        self.faults = Faults(list(texts))

    async def _handle(self, request: HttpRequest) -> HttpAnswer:
        name = request.path.rpartition("/")[2]
        try:
            match request.method, name:
                case "GET", _:
                    return self._tell(request.path)
                case "POST", "behave":
                    return self._behave(request)
                case "POST", "query_token":
                    return self._sealed(request, self._query_token, token_needed=False)
                case "POST", _ if name in PUSHES:
                    return await self._push(request, PUSHES[name])
        except Plain as plain:
            return plain.answer
        return HttpAnswer(404)

    async def _push(self, request: HttpRequest, interface: Interface) -> HttpAnswer:
        self.ledger.count("pushes")
        fault = self.faults.next(interface)
        if fault is not None:
            self.ledger.count(f"fault:{fault}")
        before = self._fault_before(request, fault)
        answer = before or _spoilt(self._sealed(request, lambda o: self._take(interface, o, fault)), fault)
        await asyncio.sleep(self.faults.delay_s)
        return answer

    def _take(self, interface: Interface, push: _Opened, fault: str | None) -> Body | None:
        need(push.body.get("StartChargeSeq") not in self.faults.poisoned, "StartChargeSeq is poisoned")
        told = TAKE[interface](self.ledger, push.operator, push.body, fault)
        return None if fault == "empty" else told

    def _sealed(
        self, request: HttpRequest, step: Callable[[_Opened], Body | None], token_needed: bool = True
    ) -> HttpAnswer:
        """Open the envelope, take the step, seal its answer. Raises Plain."""
        known: Secrets | None = None
        try:
            envelope = _envelope(request)
            known = self._known(envelope)
            opened = self._open(request, envelope, known, token_needed)
            return _answer(known.sealed_answer(0, "", step(opened)))
        except Refusal as refusal:
            assert known is not None  # everything refused before is Plain
            self.ledger.count(f"ret:{refusal.ret}")
            return _answer(known.sealed_answer(refusal.ret, refusal.msg, None))

    def _known(self, envelope: dict[str, str]) -> Secrets:
        known = self.operators.get(envelope["OperatorID"])
        if known is None:
            raise Plain(HttpAnswer(401))  # nobody's key could sign an answer
        return known

    def _open(
        self, request: HttpRequest, envelope: dict[str, str], known: Secrets, token_needed: bool
    ) -> _Opened:
        """The order of checks is the standard's: signature, token, Data. Raises Refusal."""
        operator = envelope["OperatorID"]
        signed = known.sign(*(envelope[name] for name in ("OperatorID", "Data", "TimeStamp", "Seq")))
        if not hmac.compare_digest(signed.encode(), envelope["Sig"].encode()):
            raise Refusal(4001, "签名错误")
        if token_needed and not self._token_holds(request.headers.get("authorization", ""), operator):
            raise Refusal(4002, "Token错误")
        if envelope["Sig"] in self._envelopes:
            self.ledger.count("envelopes_repeated")
        self._envelopes.append(envelope["Sig"])
        try:
            body = read_json(known.decrypt(envelope["Data"]))
        except ValueError as exc:
            raise Refusal(4003, "Data cannot be read") from exc
        if not isinstance(body, dict):
            raise Refusal(4003, "Data is no object")
        return _Opened(operator, known, body)

    def _token_holds(self, header: str, operator: str) -> bool:
        owner, ends = self._tokens.get(header.removeprefix("Bearer "), ("", 0.0))
        return owner == operator and time.monotonic() < ends

    def _query_token(self, asked: _Opened) -> Body:
        self.ledger.count("tokens")
        right = str(asked.body.get("OperatorSecret", "")).encode()
        failure = 0 if hmac.compare_digest(right, asked.secrets.operator_secret.encode()) else 2
        if asked.body.get("OperatorID") != asked.operator:
            failure = 1
        token = "" if failure else secrets.token_hex(32)
        if token:
            self._tokens[token] = (asked.operator, time.monotonic() + self._token_life_s)
        return {
            "OperatorID": asked.operator,
            "SuccStat": 1 if failure else 0,
            "AccessToken": token,
            "TokenAvailableTime": 0 if failure else self._token_life_s,
            "FailReason": failure,
        }

    def _fault_before(self, request: HttpRequest, fault: str | None) -> HttpAnswer | None:
        """The answer of a fault that strikes before the push is looked at."""
        rets = {"refuse": 500, "busy": -1, "bad-signature": 4001, "token-expired": 4002}
        if fault == "drop":
            return HttpAnswer(hang_up=True)
        if fault == "redirect":
            return HttpAnswer(302, headers={"Location": f"{self.url}/elsewhere{request.path}"})
        if fault is not None and fault.startswith("http"):
            after = {"http429": {"Retry-After": "7"}, "http503": {"Retry-After": "3"}}
            return HttpAnswer(int(fault.removeprefix("http")), headers=after.get(fault, {}))
        if fault not in rets:
            return None
        if fault == "token-expired":
            self._tokens.clear()
        return _answer(self._known(_envelope(request)).sealed_answer(rets[fault], fault, None))

    def _tell(self, path: str) -> HttpAnswer:
        match path.strip("/").split("/"):
            case ["ledger"]:
                told = {"operators": sorted(self.operators), "behave": self.faults.told()}
                return _answer(self.ledger.summary() | told)
            case ["ledger", "orders"]:
                return _answer({"items": self.ledger.orders()})
            case ["ledger", "orders", seq]:
                return _answer({"items": self.ledger.history(seq)})
            case ["ledger", "hours"]:
                return _answer({"items": self.ledger.hours()})
            case ["ledger", "connectors"]:
                return _answer(self.ledger.connectors())
        return HttpAnswer(404)

    def _behave(self, request: HttpRequest) -> HttpAnswer:
        if not ipaddress.ip_address(request.peer).is_loopback:
            return HttpAnswer(403)
        try:
            self.behave(*map(str, json.loads(request.body)["behave"]))
        except (BadFault, ValueError, TypeError, KeyError) as exc:
            return replace(_answer({"error": str(exc)}), status=400)
        return _answer({"behave": self.faults.told()})


def run_city(
    host: str = "127.0.0.1",
    port: int = 9100,
    operator_id: list[str] | None = None,
    secret: str = DEMO_SECRET,
    ledger: Path | None = None,
    behave: list[str] | None = None,
) -> None:
    """Serve until Ctrl-C. Every operator has the same four secrets, `secret` (16 characters)."""
    if len(secret.encode()) != 16:
        raise SystemExit("--secret: 16 characters are needed, it is an AES-128 key")
    operators = dict.fromkeys(operator_id or ["123456789"], Secrets(secret, secret, secret, secret))
    try:
        city = CityPlatform(operators, host=host, port=port, ledger=ledger, behave=behave)
    except BadFault as exc:
        raise SystemExit(f"--behave: {exc}") from exc
    with contextlib.suppress(KeyboardInterrupt):
        try:
            asyncio.run(_serve(city))
        except OSError as exc:
            raise SystemExit(f"cannot listen on {host}:{port}: {exc.strerror}") from exc


async def _serve(city: CityPlatform) -> None:
    async with city:
        print(
            f"city platform at {city.url}/evcs/v1/ for {', '.join(city.operators)}; {city.url}/ledger",
            flush=True,
        )
        await asyncio.Event().wait()


def _answer(body: Any) -> HttpAnswer:
    return HttpAnswer(body=json.dumps(body, ensure_ascii=False).encode())


def _spoilt(answer: HttpAnswer, fault: str | None) -> HttpAnswer:
    """The answer as a fault leaves it, after the push was recorded."""
    match fault:
        case "lose":
            return HttpAnswer(hang_up=True)
        case "html":
            return HttpAnswer(body=b"<html><body>OK</body></html>", content_type="text/html")
        case "slow":
            return replace(answer, byte_s=1.0)
        case "huge":
            return replace(answer, body=b" " * 2_097_152)
        case "bad-mac" | "forged" | "text-ret":
            return replace(answer, body=_respelt(answer.body, fault))
    return answer


def _respelt(body: bytes, fault: str) -> bytes:
    fields = json.loads(body)
    if fault == "bad-mac":
        fields["Sig"] = "0" * 32
    elif fault == "forged":
        fields |= {"Ret": 0, "Sig": ""}
    else:
        fields["Ret"] = str(fields["Ret"])
    return json.dumps(fields, ensure_ascii=False).encode()


def _envelope(request: HttpRequest) -> dict[str, str]:
    """The five fields. Raises Plain: what cannot be read cannot be answered in the envelope."""
    try:
        fields = json.loads(request.body)
        envelope = {name: fields[name] for name in ("OperatorID", "Data", "TimeStamp", "Seq", "Sig")}
    except (ValueError, TypeError, KeyError) as exc:
        raise Plain(HttpAnswer(400)) from exc
    if not all(isinstance(value, str) and value.isascii() for value in envelope.values()):
        raise Plain(HttpAnswer(400))
    if not re.fullmatch(r"\d{14}", envelope["TimeStamp"]) or not re.fullmatch(r"\d{4}", envelope["Seq"]):
        raise Plain(HttpAnswer(400))
    return envelope
