"""Paths of several platforms on one port, the size limit, and methods that are none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from csms.errors import ConfigError
from csms.reporting.tcec.profile import load_profile
from csms.reporting.tcec.server import door
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.receiver import Receiver
from csms.store.database import Database
from csms.store.platform_envelopes import EnvelopeStore
from tests.reporting.tcec.server.kit import NOW, City, inbound_of, listening


async def name_it(platform: Inbound, kind: str, payload: Mapping[str, Any]) -> str:
    """Says who asked and what."""
    return json.dumps({"platform": platform.name, "kind": kind})


def receiver(database: Database) -> Receiver:
    return Receiver(EnvelopeStore(database), name_it, lambda: NOW, lambda: 0.0)


async def test_platforms_share_a_path_and_have_paths_of_their_own(inline_database: Database) -> None:
    """Two of one profile are told apart by OperatorID; a prefix and another profile have other paths."""
    one = inbound_of()
    two = replace(one, name="two", city_id="222222222")
    three = replace(inbound_of(prefix="/three"), name="three")
    beijing = replace(inbound_of(load_profile("beijing")), name="beijing")
    everyone = [one, two, three, beijing]
    found = []
    async with listening(door.routes(everyone, receiver(inline_database))) as http:
        for platform, base in zip(
            everyone, ["/evcs/v1"] * 2 + ["/three/evcs/v1", "/evcs/20160701"], strict=True
        ):
            city = City(http, base, operator_id=platform.city_id, token=platform.mint.make(NOW))
            found.append((await city.told("query_equip_auth", {}))["platform"])

    assert found == ["city", "two", "three", "beijing"]


async def test_paths_from_the_root(inline_database: Database) -> None:
    """Xiaoju's query_token lies outside its base path."""
    paths = inbound_of(load_profile("xiaoju"), prefix="/x").paths()

    assert paths["/x/evcs/sdk/query_token"] == "query-token"
    assert paths["/x/evcs/v1/query_stations_info"] == "stations-info"


def test_two_that_cannot_be_told_apart(inline_database: Database) -> None:
    """Refused at start, with both names and what to do."""
    one = inbound_of()

    with pytest.raises(ConfigError, match="city and two would both be asked as 987654321 at /evcs/v1/query"):
        door.routes([one, replace(one, name="two")], receiver(inline_database))


async def test_a_body_that_is_too_large(inline_database: Database) -> None:
    """HTTP 413, before anything of it is looked at; one that just fits is looked at."""
    async with listening(door.routes([inbound_of()], receiver(inline_database))) as http:
        city = City(http)
        large = await city.post("/evcs/v1/query_token", b"x" * (door.MAX_BODY_BYTES + 1))
        fits = await city.post("/evcs/v1/query_token", b"x" * door.MAX_BODY_BYTES)

    assert (large.status, fits.status) == (413, 400)


async def test_only_post(inline_database: Database) -> None:
    """Part 4: every interface is a POST."""
    async with listening(door.routes([inbound_of()], receiver(inline_database))) as http:
        assert (await http.get("/evcs/v1/query_token")).status_code == 405
        assert (await http.post("/evcs/v1/query_nothing")).status_code == 404
