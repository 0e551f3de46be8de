"""What was kept in clear is sealed; what another key has sealed stops the start, and can be sealed anew."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from csms.api.schedules import EXAMPLE, ScheduleBody
from csms.domain.scope import WHOLE
from csms.errors import ConfigError
from csms.store.account_tables import users
from csms.store.change_tables import webhooks
from csms.store.database import Database
from csms.store.deliveries import DeliveryStore
from csms.store.schedule_tables import schedules
from csms.store.schedules import ScheduleStore
from csms.store.sealed_columns import Resealed, reseal_all, seal_all
from csms.store.sealing import MARK, Seal
from csms.store.users import UserForm, UserStore
from csms.store.webhooks import WebhookForm, WebhookStore

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SECRET = "a secret of a test, 32 letters.."
KEY = "a key of a test that nobody can guess"


async def keep_secrets(database: Database) -> None:
    """A person's, a webhook's and a schedule's."""
    people = UserStore(database)
    await people.add(UserForm("li", "admin", WHOLE), "no hash", False, NOW)
    await people.set_codes(1, SECRET, (), 0)
    await WebhookStore(database).add(WebhookForm("https://hooks.example/", None, None, True), SECRET, 0, NOW)
    weekly = ScheduleBody.model_validate(EXAMPLE | {"operator": None}).as_form()
    form = replace(weekly, target="webhook", address="https://hooks.example/")
    await ScheduleStore(database).add(form, SECRET, NOW)
    await ScheduleStore(database).ask(1, None, NOW)


async def kept_secrets(database: Database) -> list[Any]:
    """As they stand in the database."""
    columns = (users.c.code_secret, webhooks.c.secret, schedules.c.secret)
    return [(await database.read(column.table.select()))[0]._mapping[column] for column in columns]


async def read_secrets(database: Database) -> list[Any]:
    """As whoever needs them reads them."""
    person = await UserStore(database).named("li")
    owed = await DeliveryStore(database).take(NOW)
    assert person is not None
    assert owed is not None
    hooks = [(await WebhookStore(database).one(1, None))[0], *await WebhookStore(database).active()]
    return [UserStore(database).code_secret(person), *[hook.secret for hook in hooks], owed.secret]


async def test_secrets_are_sealed(database: Database) -> None:
    """Nobody finds them in the database; whoever signs with them has them."""
    database.seal = Seal(KEY)
    await keep_secrets(database)

    kept = await kept_secrets(database)
    assert all(one.startswith(MARK) and SECRET not in one for one in kept)
    assert await read_secrets(database) == [SECRET] * 4
    assert await seal_all(database) == 0


async def test_what_was_in_clear_is_sealed_once(database: Database) -> None:
    """At the first start with a key; they are the same secrets afterwards."""
    await keep_secrets(database)
    assert await kept_secrets(database) == [SECRET] * 3
    assert await seal_all(database) == 0  # there is no key yet

    database.seal = Seal(KEY)
    done = await seal_all(database)
    again = await seal_all(database)

    assert (done, again) == (3, 0)
    assert all(one.startswith(MARK) for one in await kept_secrets(database))
    assert await read_secrets(database) == [SECRET] * 4


@pytest.mark.parametrize("key", ["", KEY + "x"])
async def test_another_key_is_refused(database: Database, key: str) -> None:
    """Told at the start, not when somebody wants to sign in."""
    database.seal = Seal(KEY)
    await keep_secrets(database)
    before = await kept_secrets(database)

    database.seal = Seal(key)
    with pytest.raises(ConfigError, match=r"database\.secrets_key.*csms secrets reseal"):
        await seal_all(database)

    assert await kept_secrets(database) == before


async def test_another_key_takes_over(database: Database) -> None:
    """What the older one has sealed, and what nobody has; they are the same secrets. Again: nothing to do."""
    database.seal = Seal(KEY)
    await keep_secrets(database)
    await database.execute(schedules.update().values(secret=SECRET))

    database.seal = Seal(KEY + "x")
    first = await reseal_all(database, Seal(KEY))
    again = await reseal_all(database, Seal(KEY))

    assert (first, again) == (Resealed(3, 0), Resealed(0, 3))
    assert all(one.startswith(MARK) for one in await kept_secrets(database))
    assert await read_secrets(database) == [SECRET] * 4
    assert await seal_all(database) == 0


async def test_all_or_none_are_sealed_anew(database: Database) -> None:
    """Those that no key opens are named, without their contents; the others stay as they were."""
    database.seal = Seal(KEY)
    await keep_secrets(database)
    third = Seal(KEY + "y").close(SECRET)
    await database.execute(schedules.update().values(secret=third))
    before = await kept_secrets(database)

    database.seal = Seal(KEY + "x")
    with pytest.raises(ConfigError, match=r"opens schedules\.secret of schedule_id 1; nothing") as told:
        await reseal_all(database, Seal(KEY))
    with pytest.raises(ConfigError, match=r"code_secret of user_id 1, webhooks\.secret of webhook_id 1, sch"):
        await reseal_all(database, Seal(KEY + "z"))

    assert third not in str(told.value)
    assert await kept_secrets(database) == before
