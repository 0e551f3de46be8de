"""The gate of strict profiles: envelope, operator, signature, token, time, replay, Data, in this order."""

import json
from typing import Any

import pytest

from tests.simulators.city_kit import OPERATOR, Operator, mac, meeting, seal, unseal
from tests.simulators.city_samples import PUSHES
from tests.simulators.test_city import VECTORS

PATH = "/evcs/v1/notification_stationStatus"
BODY = PUSHES["tcec102-2016"]["notification_stationStatus"]
KEYS = ("1234567890abcdef",) * 3


@pytest.mark.parametrize("vector", [*VECTORS["published"], *VECTORS["derived"]], ids=lambda v: v["id"])
def test_the_kits_own_cryptography(vector: dict[str, Any]) -> None:
    """What proves the city's envelope code must itself be right."""
    names = (
        ("OperatorID", "Data", "TimeStamp", "Seq") if vector["kind"] == "request" else ("Ret", "Msg", "Data")
    )
    assert mac(KEYS[2], "".join(str(vector[name]) for name in names)) == vector["Sig"]
    if vector["plaintext"] is not None:
        assert seal(KEYS, vector["plaintext"]) == vector["Data"]
        assert unseal(KEYS, vector["Data"]) == vector["plaintext"]


async def ret(operator: Operator, envelope: Any, **headers: str) -> int:
    """Ret of the answer to an envelope, or the HTTP status where that is not 200."""
    answer = await operator.post(PATH, envelope, **headers)
    return answer.status_code if answer.status_code != 200 else operator.opened(answer)[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"OperatorID": "12345678"},
        {"OperatorID": 123456789},
        {"Data": ""},
        {"Data": "no base64!"},
        {"TimeStamp": "2026-01-05 10:00:00"},
        {"TimeStamp": 20260105100000},
        {"Seq": "0000"},
        {"Seq": "00001"},
        {"Seq": 1},
        {"Sig": "short"},
        {"Sig": "a" * 32},
        {"Sig": None},
        {"More": ""},
    ],
)
async def test_an_envelope_that_is_not_the_five_fields(wrong: dict[str, Any]) -> None:
    """HTTP 400, before anybody's key is looked for."""
    async with meeting("tcec102-2016") as operator:
        assert await ret(operator, operator.sealed(BODY) | wrong) == 400
        for name in operator.sealed(BODY):
            assert await ret(operator, {k: v for k, v in operator.sealed(BODY).items() if k != name}) == 400


async def test_a_body_that_is_no_json_object_with_each_key_once() -> None:
    """HTTP 400; also for another type of content."""
    async with meeting("tcec102-2016") as operator:
        text = json.dumps(operator.sealed(BODY))
        for body in ("", "x", "[]", text[:-1] + ', "Seq": "0002"}', "[" * 100_000):
            told = await operator.http.post(PATH, content=body, headers={"Content-Type": "application/json"})
            assert told.status_code == 400
        assert await ret(operator, operator.sealed(BODY), **{"Content-Type": "text/plain"}) == 400
        assert operator.city.ledger.summary()["counters"]["http:400"] == 6


async def test_the_first_failure_in_the_order_of_checks_is_answered() -> None:
    """An envelope with everything wrong, mended step by step."""
    async with meeting("tcec102-2016") as operator:
        name, token, wrong = operator.name, operator.token, "AAAAAAAAAAAAAAAAAAAAAA=="
        operator.name, operator.token = "987654321", "none"
        assert await ret(operator, operator.sealed(BODY, TimeStamp="20200101000000", Data=wrong)) == 401
        operator.name = name
        late = operator.sealed(BODY, TimeStamp="20200101000000", Data=wrong)
        assert await ret(operator, late | {"Sig": "0" * 32}) == 4001
        assert await ret(operator, late) == 4002
        assert await ret(operator, late, Authorization=token) == 4002
        operator.token = token
        assert await ret(operator, late) == 4003
        garbled = operator.sealed(BODY, Data=wrong)
        assert await ret(operator, garbled) == 4003
        assert await ret(operator, garbled) == 4003
        assert operator.city.ledger.summary()["counters"]["envelopes_repeated"] == 1
        assert await ret(operator, operator.sealed([BODY])) == 4003
        assert await ret(operator, operator.sealed({})) == 4004
        assert await ret(operator, operator.sealed(BODY)) == 0
        assert operator.city.ledger.summary()["statuses"]["received"] == 1


@pytest.mark.parametrize(("seconds", "expected"), [(-601, 4003), (-600, 0), (600, 0), (601, 4003)])
async def test_the_time_window(seconds: int, expected: int) -> None:
    """Ten minutes to either side of the city's clock."""
    async with meeting("tcec102-2016") as operator:
        envelope = operator.sealed(BODY)
        operator.clock.move(seconds=-seconds)
        assert await ret(operator, envelope) == expected


async def test_a_time_that_does_not_exist() -> None:
    """Ret 4003: its form is right, so that it can be answered."""
    async with meeting("tcec102-2016") as operator:
        assert await ret(operator, operator.sealed(BODY, TimeStamp="20260230100000")) == 4003


async def test_a_replay_is_refused_and_not_recorded() -> None:
    """The same envelope again: Ret 4003."""
    async with meeting("beijing") as operator:
        envelope = operator.sealed(BODY)
        path = "/evcs/20160701/notification_stationStatus"
        rets = [operator.opened(await operator.post(path, envelope))[0] for _ in range(2)]
        received = operator.city.ledger.summary()["statuses"]["received"]

    assert (rets, received) == ([0, 4003], 1)


async def test_tokens_live_by_the_citys_clock() -> None:
    """Two hours, then Ret 4002."""
    async with meeting("tcec102-2016") as operator:
        operator.clock.move(seconds=7199)
        assert await ret(operator, operator.sealed(BODY)) == 0
        operator.clock.move(seconds=1)
        assert await ret(operator, operator.sealed(BODY)) == 4002


async def test_beijing_writes_a_tokens_ret_as_text() -> None:
    """And nothing else; Xiaoju names the operator beside the answer."""
    async with meeting("beijing") as operator:
        asked = {"OperatorID": OPERATOR, "OperatorSecret": "operator-secret"}
        token = await operator.post("/evcs/20160701/query_token", operator.sealed(asked))
        push = await operator.post("/evcs/20160701/notification_stationStatus", operator.sealed(BODY))
        assert (token.json()["Ret"], push.json()["Ret"]) == ("0", 0)
    async with meeting("xiaoju") as operator:
        push = await operator.post("/notification_stationStatus", operator.sealed(BODY))
        assert push.json()["OperatorID"] == OPERATOR
        assert operator.opened(push)[0] == 0
