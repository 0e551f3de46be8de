"""The first administrator: made once, with a password that is good for changing it."""

from csms.api.first_admin import first_administrator
from csms.api.passwords import matches
from csms.store.database import Database
from csms.store.users import UserStore


async def test_there_is_one_first_administrator(database: Database) -> None:
    """At the very first start; not when somebody is there already."""
    password = await first_administrator(database)
    again = await first_administrator(database)
    user = await UserStore(database).named("admin")

    assert again is None
    assert user is not None
    assert password is not None
    assert (user.role, user.operator, user.must_change) == ("admin", None, True)
    assert await matches(user.password_hash, password)
