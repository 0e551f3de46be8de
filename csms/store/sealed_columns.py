"""Which columns hold sealed secrets, and how those in clear or of an older key get sealed. Knows no key."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import structlog
from sqlalchemy import Column, Connection, select, update

from csms.errors import ConfigError
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


class Resealed(NamedTuple):
    """How many secrets were sealed with another key than before, and how many had it already."""

    done: int
    already: int


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


async def reseal_all(database: Database, old: Seal) -> Resealed:
    """Seal what `old` has sealed, or nobody yet, with the database's key: all of it, or none.

    Raises ConfigError that names every secret which neither key opens.
    """
    return await database.run(partial(_reseal_all, database.seal, old))


def _reseal_all(seal: Seal, old: Seal, connection: Connection) -> Resealed:
    done, already, shut = 0, 0, []
    for number, secret, key, stored in list(_kept(connection)):
        if stored.startswith(MARK) and _opened(seal, stored) is not None:
            already += 1
        elif (opened := _opened(old, stored)) is None:
            shut.append(f"{secret.table.name}.{secret.name} of {number.name} {key}")
        else:
            fresh = {secret.name: seal.close(opened)}
            connection.execute(update(number.table).where(number == key).values(fresh))
            done += 1
    if shut:
        raise ConfigError(
            f"neither database.secrets_key nor the old key opens {', '.join(shut)}; nothing was changed"
        )
    return Resealed(done, already)


def _kept(connection: Connection) -> Iterator[tuple[Column[int], Column[str], int, str]]:
    """Every secret, held until the end of the transaction."""
    for number, secret in SEALED:
        query = select(number, secret).where(secret.is_not(None)).order_by(number).with_for_update()
        for key, stored in connection.execute(query).all():
            yield number, secret, key, stored


def _opened(seal: Seal, stored: str) -> str | None:
    try:
        return seal.open(stored)
    except ConfigError:
        return None
