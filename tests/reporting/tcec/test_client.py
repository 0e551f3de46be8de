"""The client against the simulated city over real HTTP, in good days and bad ones."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from csms.config import PlatformSettings
from csms.reporting.tcec.client import (
    Account,
    Delivered,
    Disputed,
    Ignored,
    PlatformClient,
    Refused,
    Rejected,
    Retry,
)
from csms.reporting.tcec.envelope import Keys, seal_response
from csms.reporting.tcec.profile import Limits, load_profile
from simulators.city import CityPlatform
from simulators.city_seal import Secrets

OPERATOR = "123456789"
KEYS = ("data-secret-0001", "data-iv-00000001", "sig-secret")
SECRETS = Secrets("operator-secret", *KEYS)
SIMULATED = load_profile("simulated")


def order(n: int = 1, **other: Any) -> dict[str, Any]:
    return {
        "start_charge_seq": f"{OPERATOR}{n:018d}",
        "operator_id": OPERATOR,
        "site_code": "S01",
        "identity": "CS-0001",
        "evse": 1,
        "connector": 1,
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T01:00:00Z",
        "energy_wh": 12_345,
        "revision": 1,
    } | other


STATUS = {
    "operator_id": OPERATOR,
    "identity": "CS-0001",
    "evse": 1,
    "connector": 1,
    "status": "charging",
    "at": "2026-01-01T00:00:00Z",
}
HOUR = {
    "operator_id": OPERATOR,
    "site_code": "S01",
    "hour": "2026-01-01T00:00:00Z",
    "energy_wh": 12_345,
    "sessions": 1,
    "stations": [{"identity": "CS-0001", "energy_wh": 12_345, "connectors": []}],
}


def account(url: str, **other: Any) -> Account:
    return replace(Account("city", url, OPERATOR, SECRETS.operator_secret, Keys(*KEYS)), **other)


Connect = Callable[..., PlatformClient]


@pytest.fixture
async def city() -> AsyncIterator[CityPlatform]:
    async with CityPlatform({OPERATOR: SECRETS}) as platform:
        yield platform


@pytest.fixture
async def connect(city: CityPlatform) -> AsyncIterator[Connect]:
    """Makes clients of the city and closes them."""
    clients = []

    def make(profile: str = "simulated", **options: Any) -> PlatformClient:
        who = options.pop("account", account(city.url))
        clients.append(PlatformClient(load_profile(profile), who, **options))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()


async def test_every_kind_is_delivered(city: CityPlatform, connect: Connect) -> None:
    """An order, a status and an hour arrive whole, under one token."""
    client = connect()

    outcomes = [
        await client.push("charge-order", order()),
        await client.push("connector-status", STATUS),
        await client.push("hour-total", HOUR),
    ]

    assert [type(outcome) for outcome in outcomes] == [Delivered] * 3
    summary = city.ledger.summary()
    assert summary["orders"]["energy_wh"] == summary["hours"]["energy_wh"] == 12_345
    assert city.ledger.connectors() == {"CS-00010101": 3}
    assert summary["counters"]["tokens"] == 1
    assert "envelopes_repeated" not in summary["counters"]


async def test_beijings_order_is_taken(city: CityPlatform, connect: Connect) -> None:
    """By its own path and with its own fields."""
    outcome = await connect("beijing").push("charge-order", order())

    assert outcome == Delivered(
        {"StartChargeSeq": order()["start_charge_seq"], "ConnectorID": "CS-00010101", "ConfirmResult": 0}
    )
    assert city.ledger.orders()[0]["body"]["ChargeLast"] == 3600


async def test_a_lost_answer_leads_to_one_order(city: CityPlatform, connect: Connect) -> None:
    """D01: recorded, answer lost, sent again, counted once."""
    city.behave("lose=1")
    client = connect()

    first, second = await client.push("charge-order", order()), await client.push("charge-order", order())

    assert isinstance(first, Retry)
    assert isinstance(second, Delivered)
    numbers = city.ledger.summary()["orders"]
    assert (numbers["accepted"], numbers["received"], numbers["duplicates"]) == (1, 2, 1)


async def test_a_correction_is_a_new_version(city: CityPlatform, connect: Connect) -> None:
    """D10: the platform keeps the highest revision, also when the older one comes last."""
    client = connect()
    for revision, energy_wh in [(1, 100), (3, 300), (2, 200)]:
        await client.push("charge-order", order(revision=revision, energy_wh=energy_wh))

    numbers = city.ledger.summary()["orders"]
    assert (numbers["accepted"], numbers["corrections"], numbers["energy_wh"]) == (1, 2, 300)
    assert len(city.ledger.history(str(order()["start_charge_seq"]))) == 3


BAD_DAYS = [
    ("http500", Retry("HTTP 500")),  # D02
    ("http503", Retry("HTTP 503", 3)),
    ("http429", Retry("HTTP 429", 7)),
    ("drop", Retry),
    ("refuse", Retry("Ret 500 refuse")),
    ("busy", Retry("Ret -1 busy")),
    ("http400", Rejected("HTTP 400")),  # D03
    ("poison=" + str(order()["start_charge_seq"]), Rejected("Ret 4004 StartChargeSeq is poisoned")),
    ("http401", Refused("HTTP 401")),  # D04
    ("http403", Refused("HTTP 403")),
    ("bad-signature", Refused("Ret 4001 bad-signature")),
    ("token-expired", Retry("Ret 4002 token-expired")),
    ("html", Retry),  # D05
    ("empty", Retry("the answer says nothing about the message")),
    ("bad-mac", Retry("The envelope's signature is not the peer's.")),
    ("forged", Retry("The envelope's signature is not the peer's.")),
    ("other-order", Retry("the answer is about another order")),
    ("huge", Retry("the answer is too large")),
    ("dispute", Disputed("ConfirmResult 1", 1)),
    ("redirect", Refused("HTTP 302: a redirect is not followed")),  # D14
]


@pytest.mark.parametrize(
    ("fault", "expected"), BAD_DAYS, ids=[fault.partition("=")[0] for fault, _ in BAD_DAYS]
)
async def test_a_bad_day(city: CityPlatform, connect: Connect, fault: str, expected: Any) -> None:
    """Each misbehaviour has its outcome, and afterwards everything goes through the same client."""
    city.behave(fault)
    client = connect()

    outcome = await client.push("charge-order", order())
    city.behave()
    later = await client.push("charge-order", order())

    assert isinstance(outcome, expected) if isinstance(expected, type) else outcome == expected
    assert isinstance(later, Delivered)
    assert city.ledger.summary()["orders"]["accepted"] == 1


async def test_ignored_is_done(city: CityPlatform, connect: Connect) -> None:
    """Status 1 to a status or an hour."""
    city.behave("ignore")
    client = connect()

    assert await client.push("connector-status", STATUS) == Ignored("Status 1")
    assert await client.push("hour-total", HOUR) == Ignored("Status 1")


async def test_ret_as_text_is_understood(city: CityPlatform, connect: Connect) -> None:
    """Beijing sends "0"."""
    city.behave("text-ret")

    assert isinstance(await connect().push("charge-order", order()), Delivered)


async def test_one_byte_a_second_does_not_hang_it(city: CityPlatform, connect: Connect) -> None:
    """D06: the whole push has a time limit, however busy the line looks."""
    city.behave("slow")
    started = time.monotonic()

    outcome = await connect(total_s=0.3).push("charge-order", order())

    assert outcome == Retry("no complete answer within 0.3 s")
    assert time.monotonic() - started < 2


async def test_a_silent_platform_does_not_hang_it(city: CityPlatform, connect: Connect) -> None:
    """D06: it took the order and says nothing."""
    city.behave("delay=30")

    assert isinstance(await connect(total_s=0.3).push("charge-order", order()), Retry)


async def test_an_expired_token_is_renewed_once(city: CityPlatform, connect: Connect) -> None:
    """Ret 4002 leads to a new token and the same push, within one call."""
    client = connect()
    await client.push("connector-status", STATUS)
    city.behave("token-expired=1")

    assert isinstance(await client.push("charge-order", order()), Delivered)
    assert city.ledger.summary()["counters"]["tokens"] == 2


async def test_http_401_renews_the_token_too(city: CityPlatform, connect: Connect) -> None:
    """Some platforms say it that way; only a second 401 is a refusal."""
    city.behave("http401=1")

    assert isinstance(await connect().push("charge-order", order()), Delivered)


async def test_a_token_is_renewed_a_minute_early(city: CityPlatform, connect: Connect) -> None:
    """Not at its last second, and not before."""
    clock = [1000.0]
    client = connect(monotonic=lambda: clock[0])
    tokens = []
    for passed in (0, 7139, 7141):
        clock[0] = 1000.0 + passed
        await client.push("connector-status", STATUS)
        tokens.append(city.ledger.summary()["counters"]["tokens"])

    assert tokens == [1, 1, 2]


async def test_many_pushes_share_one_token(city: CityPlatform, connect: Connect) -> None:
    """Fifty at once, one query_token, no envelope twice."""
    client = connect()

    outcomes = await asyncio.gather(*(client.push("charge-order", order(n)) for n in range(50)))

    assert all(isinstance(outcome, Delivered) for outcome in outcomes)
    counters = city.ledger.summary()["counters"]
    assert (counters["tokens"], counters.get("envelopes_repeated", 0)) == (1, 0)
    assert city.ledger.summary()["orders"]["energy_wh"] == 50 * 12_345


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"operator_secret": "wrong"}, Refused("query_token: no token, FailReason 2")),
        ({"operator_id": "987654321"}, Refused("HTTP 401")),
        (
            {"keys": Keys("wrong-secret-001", KEYS[1], KEYS[2])},
            Refused("query_token: Ret 4003 Data cannot be read"),
        ),
        ({"keys": Keys(KEYS[0], KEYS[1], "wrong")}, Retry("The envelope's signature is not the peer's.")),
    ],
)
async def test_wrong_credentials(
    city: CityPlatform, connect: Connect, other: dict[str, Any], expected: object
) -> None:
    """A wrong secret pauses the platform; with a wrong signature key nothing it says can be believed."""
    assert await connect(account=account(city.url, **other)).push("charge-order", order()) == expected


async def test_refused_credentials_are_asked_once_for_all() -> None:
    """Pushes that waited for the same query_token share its refusal."""
    asked: list[httpx.Request] = []

    async def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        await asyncio.sleep(0.2)
        return httpx.Response(200, json=seal_response(Keys(*KEYS), 0, "", '{"SuccStat":1,"FailReason":2}'))

    client = PlatformClient(SIMULATED, account("http://city"), transport=httpx.MockTransport(refuse))
    outcomes = await asyncio.gather(*(client.push("charge-order", order(n)) for n in range(20)))
    await client.close()

    assert set(outcomes) == {Refused("query_token: no token, FailReason 2")}
    assert len(asked) == 1


async def test_a_platform_that_is_away(city: CityPlatform, connect: Connect) -> None:
    """Nobody listens; when it is back on its address everything goes on."""
    client = connect()
    await client.push("charge-order", order(1))
    await city.stop()

    away = await client.push("charge-order", order(2))
    await city.start()
    back = await client.push("charge-order", order(2))

    assert isinstance(away, Retry)
    assert isinstance(back, Delivered)


async def test_records_that_cannot_be_told(city: CityPlatform, connect: Connect) -> None:
    """They are rejected here; the platform never hears of them."""
    client = connect("tcec102-2016")

    assert isinstance(await client.push("charge-order", {"no": "order"}), Rejected)
    assert isinstance(await client.push("hour-total", HOUR), Rejected)
    assert isinstance(await client.push("tea", {}), Rejected)
    assert city.ledger.summary()["counters"] == {}


async def test_pushes_keep_the_platforms_pace() -> None:
    """Ten a second: the third waits a fifth of a second, by a clock nobody sets back."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(round(seconds, 3))

    slow = SIMULATED.model_copy(update={"limits": Limits(requests_per_s=10)})
    transport = httpx.MockTransport(lambda _: httpx.Response(500))
    client = PlatformClient(
        slow, account("http://city"), transport=transport, monotonic=lambda: 5.0, sleep=sleep
    )
    for _ in range(3):
        await client.push("charge-order", order())
    await client.close()

    assert waits == [0.1, 0.2]


async def test_a_message_too_large_for_the_platform() -> None:
    """It is rejected before it is sent."""
    small = SIMULATED.model_copy(update={"limits": Limits(request_bytes=100)})
    client = PlatformClient(small, account("http://city"))

    outcome = await client.push("charge-order", order())
    await client.close()

    assert outcome == Rejected("the message is larger than the platform takes")


async def test_a_compressed_answer_is_not_unpacked() -> None:
    """Nothing was asked for that could unfold into gigabytes."""
    answer = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"\x1f\x8b"))
    client = PlatformClient(
        SIMULATED, account("http://city"), transport=httpx.MockTransport(lambda _: answer)
    )

    outcome = await client.push("charge-order", order())
    await client.close()

    assert isinstance(outcome, Retry)
    assert "compressed" in outcome.reason


async def test_what_goes_over_the_wire() -> None:
    """POST, the content type, the time in China, a bearer token on everything but query_token."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        token = '{"SuccStat":0,"AccessToken":"the-token","TokenAvailableTime":7200}'
        status = '{"Status":0}'
        text = token if request.url.path.endswith("query_token") else status
        return httpx.Response(200, json=seal_response(Keys(*KEYS), 0, "", text))

    client = PlatformClient(
        SIMULATED,
        account("https://city.example/prefix/"),
        transport=httpx.MockTransport(answer),
        now=lambda: datetime(2025, 12, 31, 16, tzinfo=UTC) + timedelta(milliseconds=1),
    )
    outcome = await client.push("connector-status", STATUS)
    await client.close()

    assert outcome == Delivered({"Status": 0})
    assert [str(request.url) for request in seen] == [
        "https://city.example/prefix/evcs/v1/query_token",
        "https://city.example/prefix/evcs/v1/notification_stationStatus",
    ]
    assert "Authorization" not in seen[0].headers
    assert seen[1].headers["Authorization"] == "Bearer the-token"
    assert {request.headers["Content-Type"] for request in seen} == {"application/json;charset=utf-8"}
    assert b'"TimeStamp":"20260101000000","Seq":"0002"' in seen[1].content


def certificate(folder: Path, host: str, days: int) -> Path:
    """A self-signed certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "city.pem"
    file.write_bytes(made.public_bytes(pem) + secret)
    return file


@pytest.mark.parametrize(
    ("host", "days", "known", "expected"),
    [
        ("localhost", 30, True, "delivered"),
        ("localhost", 30, False, "self-signed"),
        ("localhost", -1, True, "expired"),
        ("elsewhere.example", 30, True, "Hostname mismatch"),
    ],
)
async def test_the_platforms_certificate(
    tmp_path: Path, host: str, days: int, known: bool, expected: str
) -> None:
    """D14: a stranger's, an expired or another host's certificate ends it before a byte of ours is sent."""
    file = certificate(tmp_path, host, days)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(file)
    ours = ssl.create_default_context(cafile=str(file) if known else None)

    async with CityPlatform({OPERATOR: SECRETS}, host="localhost", tls=theirs) as city:
        client = PlatformClient(SIMULATED, account(city.url), tls=ours)
        outcome = await client.push("charge-order", order())
        await client.close()

        if expected == "delivered":
            assert isinstance(outcome, Delivered)
        else:
            assert isinstance(outcome, Refused)
            assert expected in outcome.reason
            assert city.ledger.summary()["counters"] == {}


async def test_the_client_of_a_configured_platform(city: CityPlatform) -> None:
    """config.yaml's words are all it needs."""
    words = {"name": "city", "profile": "simulated", "url": city.url, "operator": OPERATOR}
    settings = PlatformSettings.model_validate(words | asdict(SECRETS))
    client = PlatformClient.from_settings(settings)

    outcome = await client.push("charge-order", order())
    await client.close()

    assert isinstance(outcome, Delivered)
    assert client.profile == SIMULATED


def test_an_account_shows_no_secret() -> None:
    """Not the operator's, not the keys."""
    shown = repr(account("http://city"))

    assert all(secret not in shown for secret in (SECRETS.operator_secret, *KEYS))
