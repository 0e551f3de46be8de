"""People and visits in the database: one code for one browser, whatever else happens at once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.scope import WHOLE, Scope
from csms.errors import Conflict, InvalidInput, NotFound
from csms.store.database import Database
from csms.store.registry import OperatorForm, Registry, SiteForm
from csms.store.users import User, UserForm, UserStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def one(store: UserStore, name: str = "li") -> User:
    """A person."""
    await store.add(UserForm(name, "viewer", WHOLE), "hash", False, NOW)
    user = await store.named(name)
    assert user is not None
    return user


async def test_names_are_compared_without_case(database: Database) -> None:
    """And taken once."""
    store = UserStore(database)
    assert not await store.exist()
    await one(store, "Li Wei")

    assert await store.exist()
    assert await store.named(" li wei ") is not None
    with pytest.raises(Conflict):
        await store.add(UserForm("LI WEI", "admin", WHOLE), "hash", False, NOW)


async def test_places_are_known_ones(database: Database) -> None:
    """An operator and sites of it."""
    registry, store = Registry(database), UserStore(database)
    await registry.put_operator(OperatorForm("123456789", "O", "Asia/Shanghai"))
    await registry.put_site(SiteForm("S01", "123456789", "Site"))
    mine = Scope("123456789", frozenset({"S01"}))

    await store.add(UserForm("li", "viewer", mine), "hash", False, NOW)
    with pytest.raises(NotFound):
        await store.add(UserForm("a", "viewer", Scope("123456789", frozenset({"S02"}))), "h", False, NOW)
    with pytest.raises(InvalidInput):
        await store.add(UserForm("b", "viewer", Scope(None, frozenset({"S01"}))), "h", False, NOW)
    user = await store.named("li")
    assert user is not None
    assert Scope(user.operator, user.sites) == mine
    assert [row["name"] for row in (await store.find(Scope("123456789"), None, 10)).items] == ["li"]
    assert (await store.find(Scope("987654321"), None, 10)).items == []


async def test_a_code_is_taken_once(database: Database) -> None:
    """Two browsers with the same code at the same moment: one of them enters."""
    store = UserStore(database)
    user = await one(store)
    await store.set_codes(user.user_id, "A" * 32, ["r1", "r2"], 5)
    known = await store.named("li")
    assert known is not None

    steps = await asyncio.gather(*(store.use_code(user.user_id, 6) for _ in range(3)))
    recoveries = await asyncio.gather(*(store.use_recovery(known, "r1") for _ in range(3)))

    assert sorted(steps) == sorted(recoveries) == [False, False, True]
    assert not await store.use_code(user.user_id, 6)
    after = await store.named("li")
    assert after is not None
    assert after.recovery == ("r2",)


async def test_visits_begin_and_end(database: Database) -> None:
    """One by one, all of a person's, and those that are over."""
    store = UserStore(database)
    user = await one(store)
    for number in range(4):
        await store.begin(user.user_id, bytes([number]) * 32, "csrf", "192.0.2.1", NOW)
    await store.seen(bytes([1]) * 32, NOW + timedelta(hours=1))

    assert await store.count(NOW + timedelta(minutes=30)) == 1
    assert await store.forget(NOW + timedelta(hours=1), timedelta(minutes=30), timedelta(hours=12)) == 3
    visit = await store.visit(bytes([1]) * 32)
    assert visit is not None
    assert (visit.user.name, visit.csrf) == ("li", "csrf")
    await store.set_password(user.user_id, "other", must_change=False, keep=b"")
    assert await store.visit(bytes([1]) * 32) is None
    assert await store.end_all(user.user_id) == 0
