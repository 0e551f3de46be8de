"""query_token over HTTP: who gets a token, and what a refusal says."""

from __future__ import annotations

from typing import Any

import pytest

from csms.store.database import Database
from tests.reporting.tcec.server.kit import CITY, SECRETS
from tests.reporting.tcec.server.world import a_world

RIGHT = {"OperatorID": CITY, "OperatorSecret": SECRETS.operator_secret}


async def test_a_token_for_the_right_secret(database: Database) -> None:
    """Good for 7200 s, needs no token itself, and opens the other interfaces."""
    async with a_world(database) as world:
        world.city.token = ""
        before = await world.city.ask("query_station_status", {"StationIDs": ["S01"]})
        told = await world.city.log_in()
        after = await world.city.ask("query_station_status", {"StationIDs": ["S01"]})

    assert (before.ret, after.ret) == (4002, 0)
    assert told == {
        "OperatorID": CITY,
        "SuccStat": 0,
        "AccessToken": world.city.token,
        "TokenAvailableTime": 7200,
        "FailReason": 0,
    }


@pytest.mark.parametrize(
    ("over", "reason"),
    [({"OperatorSecret": "wrong"}, 2), ({"OperatorSecret": "é"}, 2), ({"OperatorID": "111111111"}, 1)],
)
async def test_a_refusal_is_an_answer(inline_database: Database, over: dict[str, Any], reason: int) -> None:
    """Ret 0 and SuccStat 1: no such operator, or a wrong secret; the token is empty."""
    async with a_world(inline_database) as world:
        told = await world.city.told("query_token", RIGHT | over)

    assert (told["SuccStat"], told["FailReason"]) == (1, reason)
    assert (told["AccessToken"], told["TokenAvailableTime"]) == ("", 0)


async def test_a_payload_without_the_secret(inline_database: Database) -> None:
    """Ret 4004 names what is missing."""
    async with a_world(inline_database) as world:
        answered = await world.city.ask("query_token", {"OperatorID": CITY})

    assert answered.ret == 4004
    assert "OperatorSecret" in answered.msg
