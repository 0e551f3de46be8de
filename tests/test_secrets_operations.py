"""Secrets get another key: what is said, what is audited, what is refused. On both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from csms.config import DatabaseSettings, Settings
from csms.errors import ConfigError, InvalidInput
from csms.operations import opened
from csms.secrets_operations import reseal
from csms.store.sealed_columns import Resealed
from csms.store.sealing import Seal, seal_for
from csms.store.tables import audit_log
from csms.store.webhooks import WebhookForm, WebhookStore

OLD, NEW, OTHER = ("the key of a test, nobody can guess" + end for end in ("", " either", " it still"))
HOOK = WebhookForm("https://hooks.example/", None, None, True)


def settings_with(url: str, key: str) -> Settings:
    """The database at `url` with this key."""
    return Settings(database=DatabaseSettings.model_validate({"url": url, "secrets_key": key}))


async def keep_one(settings: Settings) -> None:
    """A webhook's secret, as `serve` with these settings keeps it."""
    async with opened(settings) as database:
        url, key = settings.database.url, settings.database.secrets_key.get_secret_value()
        database.seal = seal_for(url, key)
        await WebhookStore(database).add(HOOK, "its secret", 0, datetime.now(UTC))


async def test_secrets_get_another_key(database_url: str) -> None:
    """Once; the audit log has it, and no key in it."""
    await keep_one(settings_with(database_url, OLD))

    first, again = [await reseal(settings_with(database_url, NEW), OLD) for _ in range(2)]

    assert (first, again) == (Resealed(1, 0), Resealed(0, 1))
    async with opened(settings_with(database_url, NEW)) as database:
        database.seal = Seal(NEW)
        (hook,) = await WebhookStore(database).active()
        (entry,) = await database.read(select(audit_log))
    assert hook.secret == "its secret"
    assert (entry.actor, entry.action) == ("command line", "secrets-resealed")
    assert entry.details == '{"done":1,"already":0}'


async def test_a_key_that_opens_nothing(database_url: str) -> None:
    """Neither the secret nor the audit log changes; the right one still works."""
    await keep_one(settings_with(database_url, OLD))

    with pytest.raises(ConfigError, match=r"webhooks\.secret of webhook_id \d+; nothing was changed"):
        await reseal(settings_with(database_url, NEW), OTHER)

    async with opened(settings_with(database_url, NEW)) as database:
        assert await database.read(select(audit_log)) == []
    assert await reseal(settings_with(database_url, NEW), OLD) == Resealed(1, 0)


async def test_what_is_missing() -> None:
    """A new key, where no file beside the database has one; an old one."""
    with pytest.raises(ConfigError, match="set the new key first"):
        await reseal(settings_with("postgresql://127.0.0.1/csms", ""), OLD)
    with pytest.raises(InvalidInput, match="the old key"):
        await reseal(settings_with("postgresql://127.0.0.1/csms", NEW), "")
