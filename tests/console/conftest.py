"""The real API for a window without NiceGUI."""

from collections.abc import AsyncIterator

import pytest

from tests.api.conftest import Desk, opened
from tests.console.kit import DOCUMENT, fill


@pytest.fixture
async def desk(sqlite_url: str) -> AsyncIterator[Desk]:
    """Two operators, a hostile site and token, two sessions that ended."""
    async with opened(sqlite_url) as desk:
        desk.app.openapi_schema = DOCUMENT or None
        DOCUMENT.update(desk.app.openapi())
        await fill(desk)
        yield desk
