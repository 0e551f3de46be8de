"""A city's questions to an operator's system, here a small one that answers right, wrong or not at all."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from simulators.city_fields import Violation
from simulators.city_http import HttpAnswer, HttpRequest, HttpServer
from simulators.city_profile import shipped
from simulators.city_queries import Answered, BadQuestion, OperatorSystem
from tests.simulators.city_kit import CITY, OPERATOR, SECRETS, Clock, mac, seal, unseal
from tests.simulators.city_samples import QUESTIONS, STATION, STATUS, answers

Body = dict[str, Any]
KEYS = (SECRETS.data_secret, SECRETS.data_secret_iv, SECRETS.sig_secret)
CONNECTOR = "CS-00010101"


class System:
    """An operator's server: gives right answers, bent by `bend` (the body) and `spoil` (the HTTP answer)."""

    def __init__(self, profile: str) -> None:
        self.profile = profile
        self.server = HttpServer("127.0.0.1", 0, self.handle)
        self.asked: list[tuple[str, Body, dict[str, str]]] = []
        self.bend: Callable[[str, Body, Body], Body] = lambda name, asked, told: told
        self.spoil: Callable[[HttpAnswer], HttpAnswer] = lambda answer: answer
        self.rets: list[int] = []

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        name = request.path.rpartition("/")[2]
        envelope = json.loads(request.body)
        sig = mac(KEYS[2], "".join(envelope[k] for k in ("OperatorID", "Data", "TimeStamp", "Seq")))
        assert (envelope["Sig"], envelope["OperatorID"]) == (sig, CITY)
        asked = json.loads(unseal(KEYS, envelope["Data"]))
        self.asked.append((request.path, asked, request.headers | envelope))
        ret = self.rets.pop(0) if self.rets and name != "query_token" else 0
        told = self.bend(name, asked, answers(name, asked, self.profile))
        data = "" if ret else seal(KEYS, json.dumps(told, ensure_ascii=False))
        fields = {"Ret": ret, "Msg": "", "Data": data, "Sig": mac(KEYS[2], f"{ret}{data}")}
        return self.spoil(HttpAnswer(body=json.dumps(fields).encode()))


@pytest.fixture
async def system(request: pytest.FixtureRequest) -> AsyncIterator[System]:
    one = System(getattr(request, "param", "tcec102-2016"))
    await one.server.start()
    yield one
    await one.server.stop()


def city(system: System) -> OperatorSystem:
    """The city that asks."""
    url = f"http://127.0.0.1:{system.server.port}"
    return OperatorSystem(url, OPERATOR, SECRETS, profile=system.profile, now=Clock(), seed=1, timeout_s=2)


@pytest.mark.parametrize("system", shipped(), indirect=True)
async def test_every_query_of_every_profile(system: System) -> None:
    """Right answers are well; the token is fetched once and borne by every question."""
    async with city(system) as asks:
        for name, query in asks.profile.queries.items():
            told = await asks.ask(name, QUESTIONS[name])
            assert (told.violations, told.ret, told.well) == ([], 0, True), name
            path, asked, headers = system.asked[-1]
            assert (path, asked) == (query.path, QUESTIONS[name])
            if name != "query_token":
                assert headers["authorization"] == "Bearer " + "t" * 64
            assert headers["content-type"] == "application/json;charset=utf-8"
    seqs = [headers["Seq"] for _, _, headers in system.asked]
    assert seqs == [f"{n:04d}" for n in range(1, len(seqs) + 1)]


async def test_the_functions_ask_what_they_say(system: System) -> None:
    """Each with its own fields; serial numbers have 27 characters and begin with the city's id."""
    async with city(system) as asks:
        started = await asks.start_charge(CONNECTOR, "https://x.example/qr")
        seq = started.asked["StartChargeSeq"]
        told: list[Answered] = [
            started,
            await asks.equip_auth(CONNECTOR),
            await asks.business_policy(CONNECTOR),
            await asks.stop_charge(seq, CONNECTOR),
            await asks.charge_status(QUESTIONS["query_equip_charge_status"]["StartChargeSeq"]),
            await asks.station_stats("S01", "2026-01-05", "2026-01-06"),
        ]
    assert [one.well for one in told] == [True] * 6, [one.violations for one in told]
    assert (len(seq), seq[:23]) == (27, CITY + "20260105100000")
    assert started.asked["QRCode"] == "https://x.example/qr"


async def test_pages_are_walked_to_their_end(system: System) -> None:
    """Seven stations, three a page; LastQueryTime goes with every page."""
    everything = [STATION | {"StationID": f"S{n}", "EquipmentInfos": []} for n in range(7)]

    def paged(name: str, asked: Body, told: Body) -> Body:
        if name != "query_stations_info":
            return told
        first = (asked["PageNo"] - 1) * 3
        return {
            "PageNo": asked["PageNo"],
            "PageCount": 3,
            "ItemSize": 7,
            "StationInfos": everything[first : first + 3],
        }

    system.bend = paged
    async with city(system) as asks:
        pages = [page async for page in asks.stations("2026-01-01 00:00:00", page_size=3)]
    assert [page.well for page in pages] == [True] * 3
    assert [s["StationID"] for p in pages for s in (p.body or {})["StationInfos"]] == [
        f"S{n}" for n in range(7)
    ]
    assert {page.asked["LastQueryTime"] for page in pages} == {"2026-01-01 00:00:00"}


async def test_states_are_asked_fifty_at_a_time(system: System) -> None:
    """120 stations are three questions; each answer names what its question did."""
    system.bend = lambda name, asked, told: (
        told
        if name == "query_token"
        else {
            "Total": len(asked["StationIDs"]),
            "StationStatusInfos": [
                {"StationID": one, "ConnectorStatusInfos": [STATUS]} for one in asked["StationIDs"]
            ],
        }
    )
    async with city(system) as asks:
        told = await asks.station_status([f"S{n:03d}" for n in range(120)])
    assert [len(one.asked["StationIDs"]) for one in told] == [50, 50, 20]
    assert all(one.well for one in told)


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("query_stations_info", {"PageNo": 2}, "PageNo: 2, asked was 1"),
        ("query_stations_info", {"PageCount": 2}, "PageCount: 2 for 1 items in pages of 10"),
        ("query_stations_info", {"ItemSize": 2}, "ItemSize: 1 items on page 1, 2 are due of 2"),
        ("query_stations_info", {"StationInfos": [{}]}, "StationInfos[0].StationID: missing"),
        ("query_stations_info", {"StationInfos": [STATION] * 2, "ItemSize": 2}, "S01 stands 2 times"),
        ("query_station_status", {"Total": 2}, "Total: 2 but 1 stations"),
        ("query_station_status", {"Total": "1"}, "Total: text, not a whole number"),
        ("query_station_stats", {"StationStats": None}, "StationStats: not an object"),
        ("query_equip_auth", {"EquipAuthSeq": CITY + "9" * 18}, "EquipAuthSeq: 'CITY00001999"),
        ("query_equip_auth", {"SuccStat": 1}, "FailReason: 0 with SuccStat 1"),
        ("query_equip_auth", {"FailReason": 1}, "FailReason: 1 with SuccStat 0"),
        ("query_equip_business_policy", {"SumPeriod": 3}, "SumPeriod: 3 but 2 PolicyInfos"),
        ("query_start_charge", {"StartChargeSeqStat": 6}, "StartChargeSeqStat: 6 is none"),
        ("query_stop_charge", {"StartChargeSeq": OPERATOR + "1" * 18}, "asked was"),
        ("query_equip_charge_status", {"TotalMoney": 1}, "TotalMoney: 13.46 in sum, 1 as a whole"),
        ("query_equip_charge_status", {"ElectMoney": 1}, "ElectMoney: not a field of this platform"),
    ],
)
async def test_a_wrong_answer_is_told_with_field_and_reason(
    system: System, name: str, change: Body, expected: str
) -> None:
    """And with what was asked."""
    system.bend = lambda what, asked, told: told | change if what == name else told
    async with city(system) as asks:
        told = await asks.ask(name, QUESTIONS[name])
    assert not told.well
    assert any(expected in str(one) for one in told.violations), told.violations


async def test_energies_that_do_not_add_up(system: System) -> None:
    """Connectors make their equipment, equipment the station; another station was not asked for."""

    def bent(name: str, asked: Body, told: Body) -> Body:
        if name == "query_station_stats":
            told["StationStats"] |= {"StationElectricity": 13, "StationID": "S02"}
            told["StationStats"]["EquipmentStatsInfos"][0]["EquipmentElectricity"] = 12.4
        return told

    system.bend = bent
    async with city(system) as asks:
        told = await asks.station_stats("S01", "2026-01-05", "2026-01-06")
    assert [str(one) for one in told.violations] == [
        "EquipmentElectricity of CS-0001: 12.3 in sum, 12.4 as a whole",
        "StationElectricity: 12.4 in sum, 13 as a whole",
        "StationStats.StationID: S02, asked was S01",
    ]


def respelt(**fields: Any) -> Callable[[HttpAnswer], HttpAnswer]:
    """The answer with fields changed and not signed again."""
    return lambda answer: HttpAnswer(body=json.dumps(json.loads(answer.body) | fields).encode())


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda a: HttpAnswer(500), Violation("HTTP", "status 500")),
        (
            lambda a: HttpAnswer(body=b"<html>", content_type="text/html"),
            Violation("HTTP", "Content-Type text/html"),
        ),
        (lambda a: HttpAnswer(body=b"{}"), Violation("HTTP", "not an object of Ret, Msg, Data and Sig")),
        (lambda a: HttpAnswer(body=b'{"Ret": 0,' + a.body[1:]), "a key stands twice"),
        (respelt(Sig="0" * 32), Violation("Sig", "not the operator's signature")),
        (respelt(Ret=1), Violation("Sig", "not the operator's signature")),
        (respelt(Msg=None), Violation("Msg, Data", "not text")),
        (respelt(Data="", Sig=mac(KEYS[2], "0")), Violation("Data", "empty with Ret 0")),
        (respelt(Data="AAAA", Sig=mac(KEYS[2], "0AAAA")), "Data: cannot be read"),
        (lambda a: HttpAnswer(hang_up=True), "HTTP: RemoteProtocolError"),
    ],
)
async def test_an_answer_that_cannot_be_believed(
    system: System, spoil: Callable[[HttpAnswer], HttpAnswer], expected: Violation | str
) -> None:
    """What is wrong is told, nothing raised."""
    system.spoil = spoil
    async with city(system) as asks:
        told = await asks.ask("query_token", QUESTIONS["query_token"])
    assert not told.well
    assert len(told.violations) == 1
    assert told.violations[0] == expected or str(expected) in str(told.violations[0])


async def test_a_ret_as_text_is_read(system: System) -> None:
    """Beijing's operators send it so; Xiaoju's name themselves outside of the signature."""
    system.spoil = respelt(Ret="0", OperatorID=OPERATOR)
    async with city(system) as asks:
        assert (await asks.token()).well


async def test_a_token_that_is_refused_is_fetched_anew_once(system: System) -> None:
    """Ret 4002 once: the question is asked again. Twice: that is the answer."""
    system.rets = [4002, 0, 4002, 4002]
    async with city(system) as asks:
        first = await asks.ask("query_equip_charge_status", QUESTIONS["query_equip_charge_status"])
        second = await asks.ask("query_equip_charge_status", QUESTIONS["query_equip_charge_status"])
    names = [path.rpartition("/")[2] for path, _, _ in system.asked]
    assert (first.well, second.ret, second.violations) == (True, 4002, [])
    assert names.count("query_token") == 3


async def test_no_token_is_the_answer(system: System) -> None:
    """Where query_token fails nothing else is asked."""
    system.bend = lambda name, asked, told: told | {"SuccStat": 1, "FailReason": 2, "AccessToken": ""}
    async with city(system) as asks:
        told = await asks.charge_status(QUESTIONS["query_equip_charge_status"]["StartChargeSeq"])
    assert (told.interface, (told.body or {})["FailReason"]) == ("query_token", 2)
    assert len(system.asked) == 1


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("query_weather", {}, "this profile has query_equip_auth"),
        ("query_station_status", {"StationIDs": [f"S{n}" for n in range(51)]}, "51 items, more than 50"),
        ("query_stations_info", {"PageSize": 101}, "PageSize: 101 is none of its values"),
        ("query_start_charge", {"StartChargeSeq": "1", "ConnectorID": "A"}, "1 characters, not 27"),
    ],
)
async def test_what_a_city_may_not_ask(system: System, name: str, asked: Body, expected: str) -> None:
    """Its own questions are held to the tables too, unless it means to."""
    async with city(system) as asks:
        with pytest.raises(BadQuestion, match=expected):
            await asks.ask(name, asked)
        assert system.asked == []
