"""Fixtures of reporting tests: a clock, a writer over each database, a city that listens."""

from collections.abc import AsyncIterator

import pytest

from csms.reporting.tcec.client import PlatformClient
from csms.store.database import Database
from csms.store.outbox import Outbox
from csms.store.writer import Writer
from simulators.city import CityPlatform
from tests.reporting.parts import OPERATOR, SECRETS, Clock, client_of


@pytest.fixture
def clock() -> Clock:
    """A wall clock that stands until it is moved."""
    return Clock()


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[Writer]:
    """The writer over each database in turn."""
    async with Writer(database) as started:
        yield started


@pytest.fixture
def outbox(database: Database) -> Outbox:
    """The outbox of each database in turn."""
    return Outbox(database)


@pytest.fixture
async def city() -> AsyncIterator[CityPlatform]:
    """A city platform that listens."""
    async with CityPlatform({OPERATOR: SECRETS}) as platform:
        yield platform


@pytest.fixture
async def client(city: CityPlatform) -> AsyncIterator[PlatformClient]:
    """The city's client."""
    async with client_of(city) as made:
        yield made
