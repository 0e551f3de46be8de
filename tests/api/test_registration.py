"""Registering a station: whose it becomes, and with which password."""

from dataclasses import replace
from typing import Any

import pytest

from csms.api.problems import Problem
from csms.api.registration import StationBody, register
from csms.config import GatewaySettings, Settings
from csms.errors import Conflict


async def test_an_identity_of_another_operator(desk: Any) -> None:
    """It cannot be taken over, and nothing of it changes."""
    with pytest.raises(Conflict):
        await register(desk.parts, "987654321", StationBody(identity="CS-0001", site="S09"))

    station = await desk.parts.registry.station("CS-0001")
    assert station.operator_code == "123456789"


async def test_a_site_of_ones_own(desk: Any) -> None:
    """Two operators may have sites of the same code: a limited key means its own."""
    body = StationBody(identity="CS-0002", site="S09")

    is_new, password = await register(desk.parts, "987654321", body)

    station = await desk.parts.registry.station("CS-0002")
    assert is_new
    assert password is not None
    assert station.operator_code == "987654321"


async def test_without_a_password_where_that_is_allowed(desk: Any) -> None:
    """Security profile 0, if the gateway accepts it: none is made."""
    open_door = replace(desk.parts, settings=Settings(gateway=GatewaySettings(security_profiles=[0, 1])))

    _, password = await register(open_door, None, StationBody(identity="CS-0002", security_profile=0))

    known = await desk.parts.registry.credentials("CS-0002")
    assert (password, known.password_hash) == (None, None)
    with pytest.raises(Problem, match="422"):
        await register(desk.parts, None, StationBody(identity="CS-0003", security_profile=0))


async def test_a_change_is_told_to_whoever_holds_the_station(desk: Any) -> None:
    """H36: a station that is disabled is parted with; a new one cannot be connected yet."""
    await register(desk.parts, None, StationBody(identity="CS-0001", site="S01", enabled=False))
    await register(desk.parts, None, StationBody(identity="CS-0777", site="S01"))

    assert desk.courier.changed == ["CS-0001"]
