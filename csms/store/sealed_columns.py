"""Which columns hold sealed secrets, and how those that are still in clear get sealed. Knows no key."""

from functools import partial

import structlog
from sqlalchemy import Column, Connection, select, update

from csms.store.account_tables import users
from csms.store.change_tables import webhooks
from csms.store.database import Database
from csms.store.schedule_tables import schedules
from csms.store.sealing import MARK, Seal

SEALED = (
    (users.c.user_id, users.c.code_secret),
    (webhooks.c.webhook_id, webhooks.c.secret),
    (schedules.c.schedule_id, schedules.c.secret),
)

log = structlog.get_logger()


async def seal_all(database: Database) -> int:
    """Seal what is in clear; how many secrets. Raises ConfigError when one was sealed with another key."""
    done = await database.run(partial(_seal_all, database.seal))
    if done:
        log.info("secrets_sealed", secrets=done)
    if not database.seal.has_key:
        log.warning("secrets_in_clear", setting="database.secrets_key")
    return done


def _seal_all(seal: Seal, connection: Connection) -> int:
    return sum(_seal_column(seal, number, secret, connection) for number, secret in SEALED)


def _seal_column(seal: Seal, number: Column[int], secret: Column[str], connection: Connection) -> int:
    done = 0
    for key, stored in connection.execute(select(number, secret).where(secret.is_not(None))).all():
        closed = stored if stored.startswith(MARK) else seal.close(seal.open(stored))
        if closed == stored:
            seal.open(stored)
            continue
        # Compared, so that what another node has renewed meanwhile stays.
        sealing = update(number.table).where(number == key, secret == stored).values({secret.name: closed})
        done += connection.execute(sealing).rowcount
    return done
