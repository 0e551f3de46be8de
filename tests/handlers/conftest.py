"""Fixtures of handler tests: a house in memory in which the tokens A1 and A2 are known."""

from collections.abc import AsyncIterator

import pytest

from csms.domain.assets import IdToken
from csms.store.database import Database
from csms.store.writer import Writer
from tests.handlers.kit import T0, House


@pytest.fixture
async def house(inline_database: Database) -> AsyncIterator[House]:
    """A process whose writer checks epochs, as it does where several nodes share a database."""
    async with Writer(inline_database, hold_s=0.05, fence=True) as writer:
        made = House(inline_database, writer)
        for token in ("A1", "A2"):
            await made.services.registry.put_token(IdToken(token, concurrent_limit=10), T0)
        yield made
