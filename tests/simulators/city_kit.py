"""An operator as a city meets one: its own seal, generated orders that add up, and a courier that insists.

Written without the simulators' envelope code, so that the two can prove each other wrong.
"""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import httpx
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from simulators.city import CityPlatform
from simulators.city_seal import Secrets

OPERATOR = "123456789"
CITY = "CITY00001"
SECRETS = Secrets("operator-secret", "data-secret-0001", "data-iv-00000001", "sig-secret")
T0 = datetime(2026, 1, 5, 2, tzinfo=UTC)  # ten in the morning in China
FEN = Decimal("0.01")
Body = dict[str, Any]

ORDER_PUSH = {
    "tcec102-2016": "/evcs/v1/notification_charge_order_info",
    "simulated": "/evcs/v1/notification_charge_order_info",
    "beijing": "/evcs/20160701/notification_charge_order_info_for_bonus",
    "xiaoju": "/notification_charge_order_info",
    "zhejiang": "/evcs/v1/supervise_notification_charge_order_info",
}
TOKEN = {"beijing": "/evcs/20160701/query_token", "xiaoju": "/evcs/sdk/query_token"}
CHECK = {"beijing": "/evcs/20160701/check_charge_orders"}


class Clock:
    """A wall clock that stands until it is moved."""

    def __init__(self, at: datetime = T0) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


def local(at: datetime, layout: str = "%Y-%m-%d %H:%M:%S") -> str:
    """China local time."""
    return (at.astimezone(UTC).replace(tzinfo=None) + timedelta(hours=8)).strftime(layout)


def seal(keys: tuple[str, str, str], text: str) -> str:
    """Base64 of the ciphertext; keys are data secret, vector, signature secret."""
    padder, engine = PKCS7(128).padder(), _cipher(keys).encryptor()
    padded = padder.update(text.encode()) + padder.finalize()
    return base64.b64encode(engine.update(padded) + engine.finalize()).decode()


def unseal(keys: tuple[str, str, str], data: str) -> str:
    """The text of Data."""
    unpadder, engine = PKCS7(128).unpadder(), _cipher(keys).decryptor()
    padded = engine.update(base64.b64decode(data)) + engine.finalize()
    return (unpadder.update(padded) + unpadder.finalize()).decode()


def mac(key: str, text: str) -> str:
    """HMAC-MD5, 32 upper-case digits."""
    return hmac.digest(key.encode(), text.encode(), hashlib.md5).hex().upper()


def _cipher(keys: tuple[str, str, str]) -> Cipher[CBC]:
    return Cipher(AES128(keys[0].encode()), CBC(keys[1].encode()))


class Unread(Exception):
    """No answer that can be believed."""


class Operator:
    """An operator's side: seals, posts, believes nothing unsigned."""

    def __init__(self, city: CityPlatform, clock: Clock | None = None, name: str = OPERATOR) -> None:
        self.city, self.name = city, name
        self.clock = clock or Clock(datetime.now(UTC))
        self.http = httpx.AsyncClient(base_url=city.url, trust_env=False, timeout=2)
        self.keys = (SECRETS.data_secret, SECRETS.data_secret_iv, SECRETS.sig_secret)
        self.token, self.seq = "none", 0

    async def __aenter__(self) -> "Operator":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    def sealed(self, body: Any, **other: str) -> dict[str, str]:
        """The envelope; `other` fields are signed as given."""
        self.seq = self.seq % 9999 + 1
        fields = {
            "OperatorID": self.name,
            "Data": seal(self.keys, json.dumps(body, default=float, ensure_ascii=False)),
            "TimeStamp": local(self.clock(), "%Y%m%d%H%M%S"),
            "Seq": f"{self.seq:04d}",
        } | other
        return fields | {"Sig": mac(self.keys[2], "".join(fields.values()))}

    async def post(self, path: str, envelope: Any, **headers: str) -> httpx.Response:
        """The raw answer."""
        told = {"Content-Type": "application/json;charset=utf-8", "Authorization": f"Bearer {self.token}"}
        return await self.http.post(path, content=json.dumps(envelope), headers=told | headers)

    async def push(self, path: str, body: Any) -> tuple[int, str, Body | None]:
        """Ret, Msg and the opened Data. Raises Unread."""
        try:
            return self.opened(await self.post(path, self.sealed(body)))
        except httpx.TransportError as exc:
            raise Unread(type(exc).__name__) from exc

    def opened(self, answer: httpx.Response) -> tuple[int, str, Body | None]:
        """Ret, Msg and Data of an answer. Raises Unread."""
        if answer.status_code != 200:
            raise Unread(f"HTTP {answer.status_code}")
        pairs: list[tuple[str, Any]] = []
        try:
            fields = json.loads(answer.content, object_pairs_hook=lambda p: pairs.extend(p) or dict(p))
        except ValueError as exc:
            raise Unread("no JSON") from exc
        if len(pairs) != len(fields):
            raise Unread("a key twice")
        if fields["Sig"] != mac(self.keys[2], f"{fields['Ret']}{fields['Msg']}{fields['Data']}"):
            raise Unread("wrong signature")
        data = json.loads(unseal(self.keys, fields["Data"])) if fields["Data"] else None
        return int(fields["Ret"]), fields["Msg"], data

    async def log_in(self) -> Body:
        """A token, asked for with the operator's secret."""
        asked = {"OperatorID": self.name, "OperatorSecret": SECRETS.operator_secret}
        path = TOKEN.get(self.city.profile.name, self.city.profile.query_token.path)
        _, _, told = await self.push(path, asked)
        assert told is not None
        self.token = told["AccessToken"]
        return told

    async def deliver(self, path: str, body: Body, attempts: int = 500) -> int:
        """Push until the city has it and agrees; how often that took. Waits by moving the clock."""
        for attempt in range(1, attempts + 1):
            try:
                ret, _, told = await self.push(path, body)
                if ret == 4002:
                    await self.log_in()
                if ret == 4015 or (ret == 0 and told is not None and told.get("ConfirmResult") == 0):
                    return attempt
                assert ret in {0, -1, 500, 4001, 4002, 4015}, "a good order is never refused for good"
            except Unread:
                pass
            self.clock.move(seconds=60 if attempt < 20 else 3600)
        raise AssertionError(f"not delivered in {attempts} attempts")

    async def check(self, orders: "list[Order]") -> Body:
        """check_charge_orders over these orders; the answer. The period is wide."""
        listed = [
            {"StartChargeSeq": o.seq, "TotalPower": o.energy, "TotalMoney": o.elec + o.service}
            for o in orders
        ]
        asked = {
            "CheckOrderSeq": self.name + "20260106000000" + "0001",
            "StartTime": "2026-01-01 00:00:00",
            "EndTime": "2026-12-31 23:59:59",
            "OrderCount": len(listed),
            "TotalOrderPower": sum((one["TotalPower"] for one in listed), Decimal(0)),
            "TotalOrderMoney": sum((one["TotalMoney"] for one in listed), Decimal(0)),
            "ChargeOrders": listed,
        }
        ret, msg, told = await self.push(
            CHECK.get(self.city.profile.name, "/evcs/v1/check_charge_orders"), asked
        )
        assert ret == 0, msg
        assert told is not None
        return told


@asynccontextmanager
async def meeting(profile: str = "simulated", **options: Any) -> AsyncIterator[Operator]:
    """An operator with a token at a city of its own, on one clock that stands."""
    clock = options.setdefault("now", Clock())
    async with (
        CityPlatform({OPERATOR: SECRETS}, profile=profile, **options) as city,
        Operator(city, clock) as operator,
    ):
        await operator.log_in()
        yield operator


@dataclass(frozen=True)
class Part:
    """One period of an order."""

    start: datetime
    end: datetime
    energy: Decimal
    elec_price: Decimal
    service_price: Decimal

    @property
    def elec(self) -> Decimal:
        return (self.energy * self.elec_price).quantize(FEN, ROUND_HALF_UP)

    @property
    def service(self) -> Decimal:
        return (self.energy * self.service_price).quantize(FEN, ROUND_HALF_UP)


@dataclass(frozen=True)
class Order:
    """A finished session as an operator knows it, in no dialect."""

    seq: str
    parts: tuple[Part, ...]
    revision: int = 1

    @property
    def energy(self) -> Decimal:
        return sum((part.energy for part in self.parts), Decimal(0))

    @property
    def elec(self) -> Decimal:
        return sum((part.elec for part in self.parts), Decimal(0))

    @property
    def service(self) -> Decimal:
        return sum((part.service for part in self.parts), Decimal(0))

    @property
    def wh(self) -> int:
        return int(self.energy * 1000)

    @property
    def fen(self) -> int:
        return int((self.elec + self.service) * 100)

    def body(self, profile: str) -> Body:
        """The order as a platform of `profile` wants it."""
        right = profile in {"xiaoju", "zhejiang"}
        service = "Service" if right else "Sevice"
        start, end = self.parts[0].start, self.parts[-1].end
        details = [
            {
                "DetailStartTime": local(part.start),
                "DetailEndTime": local(part.end),
                "ElecPrice": part.elec_price,
                f"{service}Price": part.service_price,
                "DetailPower": part.energy,
                "DetailElecMoney": part.elec,
                f"Detail{service}Money": part.service,
            }
            for part in self.parts
        ]
        whole = {
            "ConnectorID": "CS-00010101",
            "StartTime": local(start),
            "EndTime": local(end),
            "TotalElecMoney": self.elec,
            f"Total{service}Money": self.service,
            "TotalMoney": self.elec + self.service,
            "StopReason": 0,
            "SumPeriod": len(details),
            "ChargeDetails": details,
        }
        extra: dict[str, Body] = {
            "simulated": {"Revision": self.revision},
            "beijing": {
                "ChargeModel": 0,
                "UserName": "",
                "StationID": "S01",
                "EquipmentID": "CS-0001",
                "ConnectorPower": 60.5,
                "ChargeLast": int((end - start).total_seconds()),
                "MeterValueStart": Decimal("100.50"),
                "MeterValueEnd": Decimal("100.50") + self.energy,
            },
        }
        if profile != "zhejiang":
            return {"StartChargeSeq": self.seq, "TotalPower": self.energy} | whole | extra.get(profile, {})
        ids = {"OperatorID": OPERATOR, "EquipmentOwnerID": OPERATOR, "StationID": "S01", "EquipmentID": "CS"}
        paid = {"PayChannel": 2, "PaymentAmount": self.elec + self.service, "PushTime": local(end)}
        energies = {"TotalElect": self.energy, "PeakElect": self.energy, "FlatElect": 0}
        return {"OrderNo": self.seq} | ids | whole | paid | energies


def orders(count: int, seed: int = 1, first: int = 1) -> Iterator[Order]:
    """Orders of one to four periods, to 0.01 kWh and 0.0001 CNY/kWh."""
    chance = random.Random(seed)
    for n in range(first, first + count):
        at, parts = T0 + timedelta(minutes=7 * n), []
        for _ in range(chance.randint(1, 4)):
            end = at + timedelta(seconds=chance.randint(60, 3600))
            energy = Decimal(chance.randint(0, 6000)) / 100
            prices = [Decimal(chance.randint(3000, 19999)) / 10_000 for _ in range(2)]
            parts.append(Part(at, end, energy, *prices))
            at = end
        yield Order(f"{OPERATOR}{n:018d}", tuple(parts))


def restated(order: Order) -> Order:
    """The same order after late readings: 0.37 kWh more in its last period."""
    last = order.parts[-1]
    more = Part(last.start, last.end, last.energy + Decimal("0.37"), last.elec_price, last.service_price)
    return Order(order.seq, (*order.parts[:-1], more), order.revision + 1)
