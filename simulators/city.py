"""A city platform: takes operators' pushes, keeps a ledger of what it accepted, and misbehaves when told.

An independent witness: it was written from the standard and shares no code with the system it judges.
`GET /` is a page for people. `GET /ledger` tells everything in numbers, `/ledger/orders`, `/ledger/hours`,
`/ledger/connectors`, `/ledger/violations`, `/ledger/entries/SORT`, `/ledger/orders/SEQ` (all versions) and
`/ledger/export` in full. `POST /behave` with `{"behave": ["busy=2"]}` sets the faults in force and
`POST /falsify` with `{"order": SEQ}` makes a kept order wrong; both are open to the same machine only.
"""

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulators.city_desk import Desk
from simulators.city_faults import BadFault, Faults
from simulators.city_gate import Body, Gate, Opened, Plain, Refusal, is_local
from simulators.city_http import HttpAnswer, HttpRequest, HttpServer
from simulators.city_ledger import Ledger
from simulators.city_page import page
from simulators.city_profile import Interface, load
from simulators.city_seal import Secrets

CITY_ID = "CITY00001"  # the platform's own OperatorID
Say = Callable[[str, str, str, str], None]


class CityPlatform:
    """The platform of one city. `operators` are those it knows, by OperatorID, with their secrets.

    `start` and `stop` may be called in turn: the ledger lives on until `close`. `say` is told of every push
    (interface, operator, key, what became of it); `now` is the city's clock. Raises ProfileError, BadFault.
    """

    def __init__(
        self,
        operators: Mapping[str, Secrets],
        *,
        profile: str = "simulated",
        city_id: str = CITY_ID,
        host: str = "127.0.0.1",
        port: int = 0,
        ledger: Path | None = None,
        behave: list[str] | None = None,
        seed: int = 0,
        falsify: list[str] | None = None,
        tls: ssl.SSLContext | None = None,
        token_life_s: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        say: Say = lambda interface, operator, key, became: None,
    ) -> None:
        self.operators = dict(operators)
        self.profile = load(profile)
        self._seed, self._now, self._say = seed, now, say
        self.faults = Faults(behave, seed=seed, now=now)
        self.ledger = Ledger(ledger, now)
        for seq in falsify or []:
            self.falsify(seq)
        self._gate = Gate(self.operators, self.profile, now, self.ledger.count, token_life_s)
        self._desk = Desk(self.profile, self.ledger, city_id, say)
        self._server = HttpServer(host, port, self._handle, tls)
        self._scheme = "https" if tls else "http"

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
        self.faults = Faults(list(texts), seed=self._seed, now=self._now)

    def falsify(self, seq: str) -> None:
        """Keep this order with figures that are wrong by 1 kWh and 1 CNY, to see who finds it."""
        self.ledger.falsify(seq)

    async def _handle(self, request: HttpRequest) -> HttpAnswer:
        try:
            match request.method, request.path:
                case "GET", path:
                    return self._tell(path)
                case "POST", "/behave" | "/falsify":
                    return self._obey(request)
                case "POST", path:
                    return await self._called(request, path)
        except Plain as plain:
            self.ledger.count(f"http:{plain.answer.status}")
            return plain.answer
        return HttpAnswer(404)

    async def _called(self, request: HttpRequest, path: str) -> HttpAnswer:
        """What an operator calls. Raises Plain."""
        if self.faults.away():
            return HttpAnswer(hang_up=True)
        if self.profile.is_token_path(path):
            return self._sealed(request, "query_token", self._gate.give_token, token=False)
        push = self.profile.push(path)
        return HttpAnswer(404) if push is None else await self._push(request, push)

    async def _push(self, request: HttpRequest, one: Interface) -> HttpAnswer:
        self.ledger.count("pushes")
        fault = self.faults.next(one.keeps)
        if fault is not None:
            self.ledger.count(f"fault:{fault}")
            self._say(one.name, "", "", f"fault {fault}")
        before = self._fault_before(request, fault)
        answer = before or _spoilt(
            self._sealed(request, one.name, lambda o: self._take(one, o, fault)), fault
        )
        await asyncio.sleep(self.faults.delay_s)
        return answer

    def _take(self, one: Interface, push: Opened, fault: str | None) -> Body | None:
        if push.body.get(one.key) in self.faults.poisoned:
            raise Refusal(4004, f"{one.key} is poisoned")
        told = self._desk.take(one, push.operator, push.body, fault)
        if fault == "already":
            raise Refusal(4015, "已存在")
        return None if fault == "empty" else told

    def _sealed(
        self, request: HttpRequest, name: str, step: Callable[[Opened], Body | None], token: bool = True
    ) -> HttpAnswer:
        """Open the envelope, take the step, seal its answer. Raises Plain."""
        envelope = self._gate.envelope(request)
        known = self._gate.known(envelope)
        try:
            told = known.sealed_answer(0, "", step(self._gate.open(request, envelope, known, token)))
        except Refusal as refusal:
            self.ledger.count(f"ret:{refusal.ret}")
            self._say(name, envelope["OperatorID"], "", f"Ret {refusal.ret} {refusal.msg}")
            told = known.sealed_answer(refusal.ret, refusal.msg, None)
        if name in self.profile.text_ret:
            told["Ret"] = str(told["Ret"])
        if self.profile.answer_operator:
            told["OperatorID"] = envelope["OperatorID"]
        return _answer(told)

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
            self._gate.void_tokens()
        known = self._gate.known(self._gate.envelope(request))
        return _answer(known.sealed_answer(rets[fault], fault, None))

    def _tell(self, path: str) -> HttpAnswer:
        ledger = self.ledger
        tells: dict[str, Callable[[], Any]] = {
            "/ledger": self._summary,
            "/ledger/export": lambda: {"profile": self.profile.name} | ledger.export(),
            "/ledger/connectors": ledger.connectors,
            "/ledger/orders": lambda: {"items": ledger.orders()},
            "/ledger/hours": lambda: {"items": ledger.hours()},
            "/ledger/violations": lambda: {"items": ledger.violations()},
            "/ledger/states": lambda: {"items": ledger.states()},
        }
        if path == "/":
            html = page(self.profile, self._summary())
            return HttpAnswer(body=html.encode(), content_type="text/html;charset=utf-8")
        if path in tells:
            return _answer(tells[path]())
        match path.split("/"):
            case ["", "ledger", "entries", sort]:
                return _answer({"items": ledger.entries(sort)})
            case ["", "ledger", "orders", seq]:
                return _answer({"items": ledger.history(seq)})
        return HttpAnswer(404)

    def _summary(self) -> dict[str, Any]:
        return self.ledger.summary() | {
            "profile": self.profile.name,
            "operators": sorted(self.operators),
            "behave": self.faults.told(),
        }

    def _obey(self, request: HttpRequest) -> HttpAnswer:
        if not is_local(request.peer):
            return HttpAnswer(403)
        try:
            asked = json.loads(request.body)
            if request.path == "/falsify":
                self.falsify(str(asked["order"]))
                return _answer({"falsified": self.ledger.summary()["falsified"]})
            self.behave(*map(str, asked["behave"]))
        except (BadFault, ValueError, TypeError, KeyError) as exc:
            return replace(_answer({"error": str(exc)}), status=400)
        return _answer({"behave": self.faults.told()})


def _answer(body: Any) -> HttpAnswer:
    return HttpAnswer(body=json.dumps(body, ensure_ascii=False).encode())


def _spoilt(answer: HttpAnswer, fault: str | None) -> HttpAnswer:
    """The answer as a fault leaves it, after the push was recorded."""
    instead = {
        "lose": HttpAnswer(hang_up=True),
        "html": HttpAnswer(body=b"<html><body>OK</body></html>", content_type="text/html"),
        "error500": HttpAnswer(500),
        "slow": replace(answer, byte_s=1.0),
        "duplicate-keys": replace(answer, body=b'{"Ret": 500, ' + answer.body[1:]),
    }
    if fault == "huge":
        return replace(answer, body=b" " * 2_097_152)
    if fault in {"bad-mac", "forged", "text-ret"}:
        return replace(answer, body=_respelt(answer.body, fault))
    return instead.get(fault or "", answer)


def _respelt(body: bytes, fault: str) -> bytes:
    fields = json.loads(body)
    if fault == "bad-mac":
        fields["Sig"] = "0" * 32
    elif fault == "forged":
        fields |= {"Ret": 0, "Sig": ""}
    else:
        fields["Ret"] = str(fields["Ret"])
    return json.dumps(fields, ensure_ascii=False).encode()
