"""What administrators do to registered stations. Knows jobs; no rule of passwords and no caller's rights."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from csms.store import station_writes as w
from csms.store.database import Database
from csms.store.registry_writes import StationForm, place_of
from csms.store.station_details import details
from csms.store.station_writes import StationChange
from csms.store.times import micros

__all__ = ["StationChange", "StationDesk"]

Secret = tuple[bytes, bytes]
"""Salt and digest."""


class StationDesk:
    """Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def details(self, station_id: int) -> dict[str, Any]:
        """What is shown of one station beside its row of a list."""
        return await self._database.browse(partial(details, station_id))

    async def change(
        self, identity: str, change: StationChange, now: datetime, to: tuple[str | None, str | None] | None
    ) -> None:
        """`to`: codes of the site and operator it moves to. Raises NotFound, InvalidInput."""

        def job(connection: Any) -> None:
            place = None if to is None else place_of(StationForm(identity, *to), connection)
            w.change_station(identity, replace(change, place=place), micros(now), connection)

        await self._database.run(job)

    async def retire(self, identity: str, now: datetime) -> None:
        """Keep its history and nothing else. Raises NotFound."""
        await self._database.run(partial(w.retire_station, identity, micros(now)))

    async def exchange(self, identity: str, new: str, secret: Secret, now: datetime) -> None:
        """Other hardware goes on with its history. Raises NotFound, Conflict."""
        await self._database.run(partial(w.exchange_hardware, identity, new, secret, micros(now)))

    async def set_password(self, identity: str, secret: Secret) -> bool:
        """The only one from here on. False: there is no such station."""
        return await self._database.run(partial(w.set_password, identity, secret))

    async def begin_rotation(self, identity: str, secret: Secret) -> bool:
        """A new password is on its way: both hold until the station has used one, or it is settled here.

        False: the station has none to change, or the last change is not settled.
        """
        return await self._database.run(partial(w.begin_rotation, identity, secret))

    async def postpone_rotation(self, identity: str, secret: Secret, until: datetime) -> None:
        """The station uses the new one after its next restart: until then it may come with the old one."""
        await self._database.run(partial(w.postpone_rotation, identity, secret[1], micros(until)))

    async def withdraw_rotation(self, identity: str, secret: Secret) -> None:
        """The station did not take the new one."""
        await self._database.run(partial(w.withdraw_rotation, identity, secret[1]))
