"""A city asks an operator's system: sealed questions out, answers judged field by field.

Every interface of a profile can be asked by its name; the better known have functions. An answer is never
raised about: `Answered` tells what came and everything that is wrong with it.
"""

import random
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import httpx

from simulators.city_fields import Violation
from simulators.city_gate import CHINA
from simulators.city_profile import Interface, load
from simulators.city_seal import Secrets, read_json

MOST_STATIONS = 50  # of one query_station_status
RET = re.compile(r"-?[0-9]{1,9}")
FIELDS = {"Ret", "Msg", "Data", "Sig"}
Body = Mapping[str, Any]


class BadQuestion(ValueError):
    """The city may not ask this:"""

    def __str__(self) -> str:
        return f"{self.__doc__} {', '.join(map(str, self.args))}"


@dataclass(frozen=True)
class Answered:
    """What came back. `ret` is None where no signed answer came; `body` is None where Data was empty."""

    interface: str
    asked: Body
    seconds: float
    http_status: int | None = None
    ret: int | None = None
    msg: str = ""
    body: dict[str, Any] | None = None
    violations: list[Violation] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Accepted, and right to the last field."""
        return self.ret == 0 and self.body is not None and not self.violations


class _Unbelievable(Exception):
    """An answer that is not signed by the operator in the agreed form."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.violation = Violation(name, reason)


class OperatorSystem:
    """An operator's server as the city sees it: `url` is what stands before the paths of the profile.

    `secrets` are those of this direction; `operator` is the operator's id, `city_id` our own.
    """

    def __init__(
        self,
        url: str,
        operator: str,
        secrets: Secrets,
        *,
        profile: str = "tcec102-2016",
        city_id: str = "CITY00001",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        seed: int | None = None,
        timeout_s: float = 30.0,
        tls: ssl.SSLContext | bool = True,
    ) -> None:
        self.profile = load(profile)
        self._url, self._operator, self._secrets, self._city_id = url.rstrip("/"), operator, secrets, city_id
        self._now, self._chance = now, random.Random(seed)
        self._http = httpx.AsyncClient(timeout=timeout_s, trust_env=False, verify=tls)
        self._token = ""
        self._second, self._seq = "", 0

    async def __aenter__(self) -> "OperatorSystem":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def ask(self, name: str, body: Body | None = None) -> Answered:
        """One question; a token is fetched where there is none, and once more on Ret 4002.

        Raises BadQuestion where the profile has no such interface or the question is not as its table asks.
        """
        one = self.profile.queries.get(name)
        if one is None:
            raise BadQuestion(f"{name}; this profile has {', '.join(sorted(self.profile.queries))}")
        asked = dict(body or {})
        if wrong := self.profile.fields_wrong(one, asked, self._city_id, self._operator):
            raise BadQuestion(*wrong)
        return await self.ask_anything(one, asked)

    async def ask_anything(self, one: Interface, asked: Body) -> Answered:
        """The same without a look at the question: to see what an operator says to a wrong one."""
        if one.name != "query_token" and not self._token:
            told = await self.token()
            if not self._token:
                return told
        answer = await self._exchange(one, asked)
        if answer.ret == 4002 and one.name != "query_token":
            await self.token()
            answer = await self._exchange(one, asked)
        return answer

    async def token(self) -> Answered:
        """query_token; what it brings is used from now on."""
        told = await self._exchange(self.profile.query_token, self.credentials())
        self._token = str((told.body or {}).get("AccessToken", ""))
        return told

    async def stations(self, since: str | None = None, page_size: int = 10) -> AsyncIterator[Answered]:
        """Every page of the stations changed since a local time (yyyy-MM-dd HH:mm:ss), or of all."""
        name, number, pages = self._named("query_stations_info"), 1, 1
        while number <= pages:
            asked = {"PageNo": number, "PageSize": page_size} | ({"LastQueryTime": since} if since else {})
            told = await self.ask(name, asked)
            yield told
            pages = told.body.get("PageCount", 0) if told.body is not None and not told.violations else 0
            number += 1

    async def station_status(self, stations: list[str]) -> list[Answered]:
        """The states of any number of stations, 50 at a time."""
        names = ("query_station_status", "query_stations_status")
        name = next(self._named(one) for one in names if self._named(one) in self.profile.queries)
        parts = [stations[n : n + MOST_STATIONS] for n in range(0, len(stations), MOST_STATIONS)]
        return [await self.ask(name, {"StationIDs": part}) for part in parts]

    async def station_stats(self, station: str, first_day: str, last_day: str) -> Answered:
        """Energies of a station from one yyyy-MM-dd to another."""
        asked = {"StationID": station, "StartTime": first_day, "EndTime": last_day}
        return await self.ask("query_station_stats", asked)

    async def equip_auth(self, connector: str) -> Answered:
        """May this connector charge?"""
        return await self.ask("query_equip_auth", {"EquipAuthSeq": self.serial(), "ConnectorID": connector})

    async def business_policy(self, connector: str) -> Answered:
        """The prices of this connector's day."""
        asked = {"EquipBizSeq": self.serial(), "ConnectorID": connector}
        return await self.ask("query_equip_business_policy", asked)

    async def start_charge(self, connector: str, qr_code: str | None = None) -> Answered:
        """Start charging; the serial number is in `asked`."""
        asked = {"StartChargeSeq": self.serial(), "ConnectorID": connector}
        return await self.ask("query_start_charge", asked | ({"QRCode": qr_code} if qr_code else {}))

    async def stop_charge(self, seq: str, connector: str) -> Answered:
        """Stop what was started under `seq`."""
        return await self.ask("query_stop_charge", {"StartChargeSeq": seq, "ConnectorID": connector})

    async def charge_status(self, seq: str) -> Answered:
        """How far it is."""
        return await self.ask("query_equip_charge_status", {"StartChargeSeq": seq})

    def credentials(self) -> dict[str, str]:
        """What query_token asks with."""
        return {"OperatorID": self._city_id, "OperatorSecret": self._secrets.operator_secret}

    def serial(self) -> str:
        """Our OperatorID, the local time, four digits."""
        stamp = self._now().astimezone(CHINA).strftime("%Y%m%d%H%M%S")
        return f"{self._city_id}{stamp}{self._chance.randrange(10_000):04d}"

    def _named(self, name: str) -> str:
        """The interface, or its namesake of a province."""
        return name if name in self.profile.queries else f"supervise_{name}"

    async def _exchange(self, one: Interface, asked: Body) -> Answered:
        sealed = self._secrets.sealed_request(self._city_id, asked, *self._stamped())
        headers = {"Content-Type": "application/json;charset=utf-8"}
        if one.name != "query_token":
            headers["Authorization"] = f"Bearer {self._token}"
        began = time.monotonic()
        try:
            answer = await self._http.post(f"{self._url}{one.path}", json=sealed, headers=headers)
        except httpx.HTTPError as exc:
            wrong = [Violation("HTTP", f"{type(exc).__name__} {exc}".strip())]
            return Answered(one.name, asked, time.monotonic() - began, violations=wrong)
        return self._judged(one, asked, answer, time.monotonic() - began)

    def _judged(self, one: Interface, asked: Body, answer: httpx.Response, seconds: float) -> Answered:
        told = Answered(one.name, asked, seconds, answer.status_code)
        try:
            ret, msg, data = self._believed(answer)
        except _Unbelievable as exc:
            return replace(told, violations=[exc.violation])
        return self._read(one, asked, replace(told, ret=ret, msg=msg), data)

    def _believed(self, answer: httpx.Response) -> tuple[int, str, str]:
        """Ret, Msg and Data of an answer in the strict form, signed by the operator. Raises _Unbelievable."""
        _insist(answer.status_code == 200, "HTTP", f"status {answer.status_code}")
        kind = answer.headers.get("Content-Type", "")
        _insist(kind.lower().startswith("application/json"), "HTTP", f"Content-Type {kind}")
        try:
            fields = read_json(answer.content)
        except (ValueError, RecursionError) as exc:
            raise _Unbelievable("HTTP", f"the body is not JSON: {exc}") from exc
        # Xiaoju's dialect adds OperatorID, which no signature covers.
        well = isinstance(fields, dict) and fields.keys() - {"OperatorID"} == FIELDS
        _insist(well, "HTTP", "not an object of Ret, Msg, Data and Sig")
        ret, msg, data = str(fields["Ret"]), fields["Msg"], fields["Data"]
        _insist(isinstance(msg, str) and isinstance(data, str), "Msg, Data", "not text")
        _insist(fields["Sig"] == self._secrets.sign(ret, msg, data), "Sig", "not the operator's signature")
        _insist(RET.fullmatch(ret) is not None, "Ret", f"{ret} is not a whole number")
        return int(ret), msg, data

    def _read(self, one: Interface, asked: Body, told: Answered, data: str) -> Answered:
        """`told` with what stands in Data. An error has none, a success has what the table says."""
        if not data:
            lacks = [Violation("Data", "empty with Ret 0")] if told.ret == 0 else []
            return replace(told, violations=lacks)
        try:
            body = read_json(self._secrets.decrypt(data))
        except ValueError as exc:
            return replace(told, violations=[Violation("Data", f"cannot be read: {exc}")])
        wrong: list[Violation] = []
        if told.ret == 0:
            wrong = self.profile.answer_wrong(one, body, asked, self._city_id, self._operator)
        return replace(told, body=body if isinstance(body, dict) else None, violations=wrong)

    def _stamped(self) -> tuple[str, str]:
        """TimeStamp and Seq; Seq counts within a second."""
        second = self._now().astimezone(CHINA).strftime("%Y%m%d%H%M%S")
        self._seq = self._seq % 9999 + 1 if second == self._second else 1
        self._second = second
        return second, f"{self._seq:04d}"


def _insist(holds: bool, name: str, reason: str) -> None:
    if not holds:
        raise _Unbelievable(name, reason)
