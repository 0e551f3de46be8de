"""Envelopes that city platforms have sent, so that none is taken twice, by whichever node. No cryptography.

An envelope is named by (OperatorID, TimeStamp, Seq, Sig): many programs send Seq 0001 always, so the first
three would refuse honest requests of one second. Old ones are forgotten: past the time window they are
refused for their age.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, delete

from csms.store.database import Database
from csms.store.gathering import Gathering
from csms.store.platform_order_tables import platform_envelopes
from csms.store.statements import upsert
from csms.store.times import micros

FORGET = delete(platform_envelopes).where(platform_envelopes.c.taken_at < bindparam("before"))


class EnvelopeName(NamedTuple):
    """What tells an envelope from every other. Not the path: an envelope for one must not serve another."""

    platform: str
    operator_id: str
    stamp: str
    seq: str
    sig: str


class EnvelopeStore:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathering = Gathering(database)

    async def take(self, name: EnvelopeName, now: datetime) -> bool:
        """Note an envelope. False: it was taken before, here or by another node."""
        return await self._gathering.run(partial(_take, name, micros(now)))

    async def forget(self, before: datetime) -> int:
        """Remove envelopes that were taken before then; how many."""
        return await self._database.execute(FORGET, {"before": micros(before)})


def _take(name: EnvelopeName, now: int, connection: Connection) -> bool:
    mark = upsert(connection.dialect)(platform_envelopes).values(**name._asdict(), taken_at=now)
    done = connection.execute(mark.on_conflict_do_nothing())
    return int(done.rowcount) == 1


def forget_after(window: timedelta) -> timedelta:
    """How long envelopes must be known: clocks may differ by the window either way."""
    return 2 * window + timedelta(minutes=1)
