"""Keys of requests: claimed once, answered once, freed when refused or after a day."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import false

from csms.store import once as once_module
from csms.store.database import Database
from csms.store.once import Given, OnceStore, Request
from tests.store.given import T0

ASKED = Request("key:1", "k", "digest")


async def test_a_key_is_claimed_once(database: Database) -> None:
    """Of many at once one is new; another sender's key is another."""
    once = OnceStore(database)

    claims = await asyncio.gather(*(once.claim(ASKED, T0) for _ in range(5)))
    other = await once.claim(ASKED._replace(actor="key:2"), T0)

    assert sorted(claim.is_new for claim in claims) == [False] * 4 + [True]
    assert other.is_new


async def test_an_answer_is_kept_for_a_day(database: Database) -> None:
    """Found with its bytes until 24 hours have passed; the first answer stays."""
    once = OnceStore(database)
    await once.claim(ASKED, T0)
    await once.answered(ASKED, 201, "application/json", b"{}")
    await once.answered(ASKED, 500, "", b"late")
    await once.release(ASKED)

    found = await once.claim(ASKED._replace(digest="other"), T0 + timedelta(hours=24))
    later = await once.claim(ASKED, T0 + timedelta(hours=24, seconds=1))

    assert found == Given(False, "digest", 201, "application/json", b"{}")
    assert later.is_new


async def test_a_refused_request_frees_its_key(database: Database) -> None:
    """Nothing was done under it."""
    once = OnceStore(database)
    await once.claim(ASKED, T0)
    await once.release(ASKED)

    assert await once.known(ASKED) is None
    assert (await once.claim(ASKED, T0)).is_new


async def test_a_key_that_is_freed_this_moment(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was somebody's, and nobody's when it is looked at: it is not new, and not an error."""
    once = OnceStore(database)
    await once.claim(ASKED, T0)
    monkeypatch.setattr(once_module, "KNOWN", once_module.KNOWN.where(false()))

    assert await once.claim(ASKED, T0) == Given(False, "digest")
    assert await once.known(ASKED) is None
