"""What an administrator does about sealed secrets from the command line."""

from datetime import UTC, datetime

from csms.config import Settings
from csms.errors import ConfigError, InvalidInput
from csms.operations import opened
from csms.store.command_queries import CommandDesk
from csms.store.records import AuditRow
from csms.store.sealed_columns import Resealed, reseal_all
from csms.store.sealing import Seal, seal_for


async def reseal(settings: Settings, old_key: str) -> Resealed:
    """Seal with the configured key what `old_key` has sealed. Raises ConfigError and InvalidInput."""
    if not old_key:
        raise InvalidInput("the old key: nothing is in the file")
    seal = seal_for(settings.database.url, settings.database.secrets_key.get_secret_value())
    if not seal.has_key:
        raise ConfigError("database.secrets_key: none is set; set the new key first, the same on every node")
    async with opened(settings) as database:
        database.seal = seal
        resealed = await reseal_all(database, Seal(old_key))
        if resealed.done:
            row = AuditRow.of(
                datetime.now(UTC), "command line", "secrets-resealed", "database", resealed._asdict()
            )
            await CommandDesk(database).audit(row)
    return resealed
