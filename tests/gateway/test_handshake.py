"""Who comes in: H rows over real sockets, and the identity in a path."""

import asyncio
import time

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from csms.domain.assets import BootStatus, OcppVersion
from csms.errors import StoreUnavailable
from csms.gateway.handshake import Refusal, identity_of
from tests.gateway.kit import PASSWORD, VERSIONS, Door, MemoryDesk, authorization, call, until


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/CS-1", "CS-1"),
        ("/any/prefix/CS-1", "CS-1"),
        ("/ocpp/a.b_c=d+e@f*g|h-i", "a.b_c=d+e@f*g|h-i"),
        ("/ocpp/CS%2D1", "CS-1"),
        ("/ocpp/a%7Cb", "a|b"),
        ("/" + "x" * 48, "x" * 48),
        ("/" + "x" * 49, None),
        ("/", None),
        ("/CS-1/", None),
        ("/CS-1?x=1", None),
        ("/CS:1", None),
        ("/CS%3A1", None),
        ("/..", None),
        ("/%2E%2E", None),
        ("/a%2Fb", None),
        ("/CS%00", None),
        ("/%2541", None),
        ("/%C0%AF", None),
        ("/%C1%81", None),
        ("/%FF", None),
        ("/%zz", None),
        ("/CS 1", None),
        ("/站", None),
    ],
)
def test_h09_identities(path: str, identity: str | None) -> None:
    """H09: the last segment, decoded exactly once; what is no identity is none."""
    assert identity_of(path) == identity


def test_what_a_refusal_says() -> None:
    """Whole seconds, at least one; a challenge where credentials would help."""
    assert Refusal(429, "", 0.2).headers() == [("Retry-After", "1")]
    assert Refusal(503, "", 10.0).headers() == [("Retry-After", "10")]
    assert Refusal(401, "", challenge=True).headers()[0][0] == "WWW-Authenticate"
    assert Refusal(404, "").headers() == []


async def test_h01_unknown_station() -> None:
    """H01: 404, no upgrade, no station; a record for who wants to register it."""
    async with Door() as door:
        answer = await door.knock("/ocpp/NEW-1", {"Authorization": authorization("NEW-1")})

        assert answer.status == 404
        assert "NEW-1" not in door.desk.stations
        assert door.desk.strangers == ["NEW-1"]
        assert door.desk.told[0]["Upgrade"] == "websocket"
        assert "Authorization" not in door.desk.told[0]


async def test_h01_unknown_takes_as_long_as_known() -> None:
    """H01: no timing tells which identities exist."""
    async with Door(handshakes_per_ip_burst=1000, failed_logins_per_min=1000) as door:
        door.desk.register("KNOWN")

        async def took(identity: str) -> float:
            started = time.perf_counter()
            await door.knock(f"/ocpp/{identity}", {"Authorization": authorization(identity, b"wrong")})
            return time.perf_counter() - started

        # In turns, and the least of each: what else the machine does only ever adds, to either.
        pairs = [(await took("KNOWN"), await took("NEW-1")) for _ in range(20)]
        known, unknown = (min(times) for times in zip(*pairs, strict=True))
        assert 0.3 < known / unknown < 3.0


async def test_unknown_stations_are_served_where_that_is_wanted() -> None:
    """`quarantine-accept`: registered as it comes, and served at once."""
    async with Door(unknown_stations="quarantine-accept") as door:
        station = await door.connect("NEW-1", additional_headers={})
        await station.send(call("1", "BootNotification"))

        assert '"n":1' in str(await station.recv())
        assert "NEW-1" in door.gateway.roster


async def test_h02_no_authorization() -> None:
    """H02: 401 with a challenge, no 101."""
    async with Door() as door:
        door.desk.register("CS-1")

        answer = await door.knock("/ocpp/CS-1")

        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Basic realm=")


async def test_h03_another_users_password() -> None:
    """H03: the name must be the identity."""
    async with Door() as door:
        door.desk.register("CS-1")
        door.desk.register("CS-2")

        answer = await door.knock("/ocpp/CS-1", {"Authorization": authorization("CS-2")})

        assert answer.status == 401


async def test_h04_wrong_password_is_counted() -> None:
    """H04: 401 and a counter."""
    async with Door() as door:
        door.desk.register("CS-1")

        answer = await door.knock("/ocpp/CS-1", {"Authorization": authorization("CS-1", b"x" * 16)})

        assert answer.status == 401
        assert door.parts.stats.handshakes["wrong_password"] == 1


async def test_h05_any_bytes_are_a_password() -> None:
    """H05: NUL, 0xFF and colons over the wire."""
    password = bytes((0, 255, 58)) * 6
    async with Door() as door:
        door.desk.register("CS-1", password)

        station = await door.connect("CS-1", password=password)

        assert station.subprotocol == "ocpp1.6"


@pytest.mark.parametrize(("flag", "status"), [(True, 101), (False, 401)])
async def test_h06_hex_on_the_wire(flag: bool, status: int) -> None:
    """H06: only for stations registered so; the others get a hint."""
    password = bytes(range(200, 220))
    async with Door() as door:
        door.desk.register("CS-1", password, hex_on_wire=flag)
        sent = authorization("CS-1", password.hex().encode())

        answer = await door.knock("/ocpp/CS-1", {"Authorization": sent, "Sec-WebSocket-Protocol": "ocpp1.6"})

        assert answer.status == status
        assert flag or b"hex" in answer.body


async def test_h07_a_password_in_utf8() -> None:
    """H07: 2.x passwords may be any text."""
    password = "pässwörd-密码-0123".encode()
    async with Door() as door:
        door.desk.register("CS-1", password)

        station = await door.connect("CS-1", "ocpp2.0.1", password=password)

        assert station.subprotocol == "ocpp2.0.1"


@pytest.mark.parametrize("value", ["Basic !!", "Bearer abc", "Basic", "Basic Q1M=", "Basic " + "A" * 4000])
async def test_h08_malformed_authorization(value: str) -> None:
    """H08: 401, and the door lives."""
    async with Door() as door:
        door.desk.register("CS-1")

        assert (await door.knock("/ocpp/CS-1", {"Authorization": value})).status == 401
        assert (await door.connect("CS-1")).subprotocol == "ocpp1.6"


async def test_h08_a_header_of_8_kib() -> None:
    """H08, H26: 431."""
    async with Door() as door:
        assert (await door.knock("/ocpp/CS-1", {"Authorization": "Basic " + "A" * 9000})).status == 431


@pytest.mark.parametrize(
    "path", ["/ocpp/", "/", "/a:b", "/a%2Fb", "/" + "x" * 49, "/CS-1?x", "/%C0%AF", "/.."]
)
async def test_h09_no_identity_in_the_path(path: str) -> None:
    """H09: 404."""
    async with Door() as door:
        assert (await door.knock(path)).status == 404
        assert door.desk.strangers == []


@pytest.mark.parametrize("profile", [2, 3])
async def test_h10_a_tls_profile_over_plain_tcp(profile: int) -> None:
    """H10: 403, with the right password too."""
    async with Door(security_profiles=[0, 1]) as door:
        door.desk.register("CS-1", security_profile=profile)

        answer = await door.knock("/ocpp/CS-1", {"Authorization": authorization("CS-1")})

        assert answer.status == 403


async def test_h10_profile_0_is_off_by_default() -> None:
    """H10: a station without a password comes in only where profile 0 is switched on."""
    desk = MemoryDesk()
    desk.register("CS-1", None, security_profile=0)
    async with Door(desk) as door:
        assert (await door.knock("/ocpp/CS-1")).status == 403
    async with Door(desk, security_profiles=[0]) as door:
        assert (await door.connect("CS-1", additional_headers={})).subprotocol == "ocpp1.6"


async def test_h14_the_password_that_was_used_settles_it() -> None:
    """H14: with two valid passwords the first login ends the other one."""
    from csms.domain.credentials import hash_password
    from csms.gateway.auth import Secret

    async with Door() as door:
        door.desk.register("CS-1", b"the-new-password", previous=Secret(*hash_password(PASSWORD)))

        await door.connect("CS-1")
        await door.connect("CS-1", password=b"the-new-password")

        assert door.desk.settled == [("CS-1", True), ("CS-1", False)]


async def test_h24_guessing_never_locks_the_station_out() -> None:
    """H24: wrong passwords from many addresses; the station with the right one still enters."""
    async with Door(handshakes_per_ip_burst=1000, handshakes_per_identity_burst=5) as door:
        door.desk.register("CS-1")
        wrong = {"Authorization": authorization("CS-1", b"x" * 16)}

        async def guess(n: int) -> list[int]:
            return [(await door.knock("/ocpp/CS-1", wrong, source=f"127.0.1.{n}")).status for _ in range(13)]

        statuses = await asyncio.gather(*(guess(n) for n in range(1, 9)))

        assert all(s == [401] * 11 + [429] * 2 for s in statuses)
        assert (await door.connect("CS-1")).subprotocol == "ocpp1.6"


async def test_h24_a_limited_guesser_is_told_when_to_come_again() -> None:
    """H24: 429 with Retry-After."""
    async with Door(failed_logins_per_min=1, penalty_s=60) as door:
        door.desk.register("CS-1")
        wrong = {"Authorization": authorization("CS-1", b"x" * 16)}
        for _ in range(2):
            await door.knock("/ocpp/CS-1", wrong)

        answer = await door.knock("/ocpp/CS-1", wrong)

        assert answer.status == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 60


async def test_one_address_is_limited_before_any_lookup() -> None:
    """50 handshakes a second for one address; here 2."""
    async with Door(handshakes_per_ip_burst=2, handshakes_per_ip_per_s=0.1) as door:
        statuses = [(await door.knock("/ocpp/NEW")).status for _ in range(3)]

        assert statuses == [404, 404, 429]
        assert door.desk.strangers == ["NEW"] * 2


async def test_a_station_that_comes_too_often_waits() -> None:
    """One per 2 s after a burst; counted only for who has shown the password."""
    async with Door(handshakes_per_identity_burst=2) as door:
        door.desk.register("CS-1")
        for _ in range(2):
            await door.connect("CS-1")

        with pytest.raises(InvalidStatus) as refused:
            await door.connect("CS-1")

        assert refused.value.response.status_code == 429
        assert "Retry-After" in refused.value.response.headers


@pytest.mark.parametrize("offered", ["OCPP1.6", "ocpp1.5", "soap, ocpp3", "ocpp2.0"])
async def test_h27_no_common_subprotocol(offered: str) -> None:
    """H27: 101 without the header, then closed at once."""
    async with Door() as door:
        door.desk.register("CS-1", assume_version=OcppVersion.V16)
        headers = {"Authorization": authorization("CS-1"), "Sec-WebSocket-Protocol": offered}

        answer = await door.knock("/ocpp/CS-1", headers)
        assert answer.status == 101
        assert "sec-websocket-protocol" not in answer.headers

        with pytest.raises(Exception, match="1002"):
            await _recv_without_checks(door, headers)
        assert "CS-1" not in door.gateway.roster


async def _recv_without_checks(door: Door, headers: dict[str, str]) -> None:
    client = await door.connect("CS-1", None, additional_headers=headers)
    await client.recv()


async def test_h27_no_subprotocol_offered() -> None:
    """H27: the same where nothing is offered."""
    async with Door() as door:
        door.desk.register("CS-1")

        station = await door.connect("CS-1", None)

        assert station.subprotocol is None
        with pytest.raises(Exception, match="no common subprotocol"):
            await station.recv()


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_station_that_offers_nothing_may_be_registered_with_its_version(version: OcppVersion) -> None:
    """`assume_version`: for chargers that forget the header."""
    async with Door() as door:
        door.desk.register("CS-1", assume_version=version)

        station = await door.connect("CS-1", None)
        await station.send(call("1", "Heartbeat"))

        assert str(await station.recv()) == '[3,"1",{"n":1}]'
        connection = door.gateway.roster.find("CS-1")
        assert connection is not None
        assert connection.state.dialect.version is version


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("ocpp2.0.1, ocpp1.6", "ocpp2.0.1"),
        ("ocpp1.6, ocpp2.1", "ocpp1.6"),
        ("x, ocpp2.1, ocpp2.0.1", "ocpp2.1"),
    ],
)
async def test_h28_the_stations_order_is_its_preference(offered: str, chosen: str) -> None:
    """H28: not ours."""
    async with Door() as door:
        door.desk.register("CS-1")

        assert (await door.connect("CS-1", offered)).subprotocol == chosen


async def test_h29_a_version_in_the_url_decides_nothing() -> None:
    """H29: /ocpp16/ with subprotocol ocpp2.1 is 2.1."""
    async with Door() as door:
        door.desk.register("CS-1")

        assert (await door.connect("CS-1", "ocpp2.1", path="/ocpp16/")).subprotocol == "ocpp2.1"


@pytest.mark.parametrize("version", VERSIONS)
async def test_h32_a_bad_credential_touches_nothing(version: OcppVersion) -> None:
    """H32: the live connection stays, and no takeover is counted."""
    async with Door() as door:
        door.desk.register("CS-1")
        station = await door.connect("CS-1", version.value)

        with pytest.raises(InvalidStatus):
            await door.connect("CS-1", version.value, password=b"x" * 16)

        assert door.parts.stats.takeovers == 0
        assert door.desk.epoch == 1
        await _heartbeat(station)


async def test_h35_browsers_are_refused() -> None:
    """H35: an Origin header, with the right password too."""
    headers = {"Authorization": authorization("CS-1"), "Origin": "https://evil.example"}
    desk = MemoryDesk()
    desk.register("CS-1")
    async with Door(desk) as door:
        assert (await door.knock("/ocpp/CS-1", headers)).status == 403
    async with Door(desk, origin_allowed=True) as door:
        assert (await door.knock("/ocpp/CS-1", headers | {"Sec-WebSocket-Protocol": "ocpp1.6"})).status == 101


async def test_h36_a_disabled_station_is_refused() -> None:
    """H36: 403 for the right password, 401 for a wrong one."""
    async with Door() as door:
        door.desk.register("CS-1", enabled=False)

        right = await door.knock("/ocpp/CS-1", {"Authorization": authorization("CS-1")})
        wrong = await door.knock("/ocpp/CS-1", {"Authorization": authorization("CS-1", b"x" * 16)})

        assert (right.status, wrong.status) == (403, 401)


async def test_h37_a_login_is_cheap() -> None:
    """H37: 10,000 stations in 60 s take less than 5 % of a core: at most 300 us each."""
    from csms.domain.credentials import hash_password
    from csms.gateway.auth import Account, Secret, check

    account, header = Account(current=Secret(*hash_password(PASSWORD))), authorization("CS-1")
    started = time.process_time()
    for _ in range(1000):
        check(account, "CS-1", header, frozenset({1}))

    assert time.process_time() - started < 0.3


async def test_not_ready_is_503_with_retry_after() -> None:
    """A database that takes no writes keeps stations away, so that they queue what they have."""
    async with Door() as door:
        door.desk.register("CS-1")
        door.desk.ready = False

        answer = await door.knock("/ocpp/CS-1", {"Authorization": authorization("CS-1")})

        assert answer.status == 503
        assert int(answer.headers["retry-after"]) >= 1


async def test_a_store_that_fails_during_the_handshake_is_503() -> None:
    """Not found out is not refused: nothing is told but to come again."""

    class Failing(MemoryDesk):
        async def find(self, identity: str):
            raise StoreUnavailable

    async with Door(Failing()) as door:
        assert (await door.knock("/ocpp/CS-1", {"Authorization": authorization("CS-1")})).status == 503


async def test_a_failure_of_ours_tells_nothing() -> None:
    """500, and no word of what went wrong."""

    class Broken(MemoryDesk):
        async def find(self, identity: str):
            raise RuntimeError("secret in a text")

    async with Door(Broken()) as door:
        answer = await door.knock("/ocpp/CS-1", {"Authorization": authorization("CS-1")})

        assert answer.status == 500
        assert b"secret" not in answer.body


async def test_a_penalty_is_429() -> None:
    """Who broke the protocol too often waits."""
    async with Door() as door:
        door.desk.register("CS-1")
        door.parts.admission.penalize("CS-1")

        assert (await door.knock("/ocpp/CS-1", {"Authorization": authorization("CS-1")})).status == 429


async def test_a_pending_station_may_connect() -> None:
    """Boot status is no matter of the door."""
    async with Door() as door:
        door.desk.register("CS-1", boot_status=BootStatus.PENDING)

        await door.connect("CS-1")
        await until(lambda: ("CS-1", "connected") in door.desk.links)


async def _heartbeat(station: ClientConnection) -> None:
    await station.send(call("h", "Heartbeat"))
    assert str(await station.recv()).startswith('[3,"h"')
