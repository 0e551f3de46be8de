"""Operators, sites, charging stations, id tokens: data that changes slowly. No rule, no session.

A natural key (code, identity, token without case) makes every `put` repeatable: it says whether the record
is new. What a connection asks at its door takes one or two statements.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from csms.domain.assets import BootStatus, ChargingStation, IdToken, OcppVersion
from csms.domain.scope import Scope
from csms.store import registry_reads as q
from csms.store import registry_writes as w
from csms.store.database import Database
from csms.store.forgetting import forget_connections
from csms.store.gathering import Gathering
from csms.store.jsontext import json_of, value_of
from csms.store.registry_reads import ApiKey, Credentials
from csms.store.registry_writes import OperatorForm, SiteForm, StationForm
from csms.store.session_codec import folded
from csms.store.times import micros, micros_or_none, text_of

__all__ = ["ApiKey", "Credentials", "OperatorForm", "Registry", "SiteForm", "StationForm"]


class Registry:
    """Reads and writes slow data. Every method raises StoreUnavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathering = Gathering(database)

    async def station(self, identity: str) -> ChargingStation | None:
        """The registered station of this identity."""
        rows = await q.BY_IDENTITY.rows(self._database, identity)
        return q.station_of(rows[0]) if rows else None

    async def station_by_id(self, station_id: int) -> ChargingStation | None:
        """The registered station of this number."""
        rows = await q.BY_ID.rows(self._database, station_id)
        return q.station_of(rows[0]) if rows else None

    async def credentials(self, identity: str) -> Credentials | None:
        """The station and how it must show who it is; one statement. None: nobody registered it."""
        rows = await q.BY_IDENTITY.rows(self._database, identity)
        return q.credentials_of(rows[0]) if rows else None

    async def raise_epoch(
        self,
        station_id: int,
        *,
        now: datetime,
        version: OcppVersion | None = None,
        node: str = "",
        remote_address: str = "",
        security_profile: int = 0,
    ) -> int:
        """A new connection owns the station from here on; its epoch. Many at once share a commit.

        Waits for commits of the connection before (PostgreSQL), so that what is read afterwards is whole.
        """
        seen = w.Arrival(station_id, micros(now), version, node, remote_address, security_profile)
        return await self._gathering.run(partial(w.raise_epoch, seen))

    async def note_disconnected(self, station_id: int, epoch: int, now: datetime) -> bool:
        """The connection of `epoch` ended. False: a newer one has taken its place, nothing was written."""
        return await self._gathering.run(partial(w.note_disconnected, station_id, epoch, micros(now)))

    async def forget_connections(self, *nodes: str) -> int:
        """At the start of these: what they held when they died is offline since last heard. How many."""
        forgotten, after = 0, 0
        while True:
            count, after = await self._database.run(partial(forget_connections, nodes, after))
            forgotten += count
            if not count:
                return forgotten

    async def seen(self, when: Sequence[tuple[int, datetime]]) -> None:
        """When stations (by number) were last heard; all of them in one transaction."""
        if when:
            await self._database.run(partial(w.seen, sorted((n, micros(at)) for n, at in when)))

    async def set_boot_status(self, identity: str, status: BootStatus, now: datetime | None = None) -> bool:
        """Approve or reject a station by hand; `now` makes it news. False: there is no such station."""
        values = {"boot_status": status.value}
        return await self._database.run(partial(w.change, identity, values, micros_or_none(now)))

    async def set_enabled(self, identity: str, enabled: bool) -> bool:
        """Let a station in or keep it out. False: there is no such station."""
        return await self._database.run(partial(w.change, identity, {"enabled": int(enabled)}, None))

    async def settle_password(self, station_id: int, *, is_previous: bool, now: datetime) -> None:
        """The station has used one of two passwords: the other one ends here.

        Not so the current one while the station has yet to restart before it uses it.
        """
        await self._gathering.run(partial(w.settle_password, station_id, is_previous, micros(now)))

    async def put_operator(self, form: OperatorForm) -> bool:
        """True when it is new."""
        return await self._database.run(partial(w.put_operator, form))

    async def put_site(self, form: SiteForm, now: datetime | None = None) -> bool:
        """True when it is new; `now` dates the change for cities. Raises NotFound for an unknown operator."""
        return await self._database.run(partial(w.put_site, form, micros_or_none(now)))

    async def put_station(self, form: StationForm, now: datetime) -> bool:
        """True when it is new. Raises NotFound for an unknown site, InvalidInput for an ambiguous one."""
        return await self._database.run(partial(w.put_station, form, micros(now)))

    async def put_token(self, token: IdToken, now: datetime) -> bool:
        """True when it is new."""
        return await self._database.run(partial(w.put_token, token, micros(now)))

    async def token(self, text: str) -> IdToken | None:
        """The registered token, compared without case."""
        return (await self.token_use(text))[0]

    async def token_use(self, text: str, *, except_session: int | None = None) -> tuple[IdToken | None, int]:
        """The registered token and how many sessions run on it beside `except_session`; one statement."""
        (row,) = await q.TOKEN_USE.rows(self._database, folded(text), except_session or 0)
        return (None if row.token is None else q.token_of(row)), row.active

    async def put_in_quarantine(
        self,
        identity: str,
        remote_address: str,
        reason: str,
        now: datetime,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """An unknown station was here. The oldest makes room when very many were."""
        shown = json_of(dict(headers or {}))
        await self._gathering.run(
            partial(w.quarantine_one, identity, remote_address, reason, shown, micros(now))
        )

    async def api_key(self, key_hash: bytes) -> ApiKey | None:
        """The key of this hash, unless it was revoked."""
        rows = await self._database.read(q.KEY, {"key_hash": key_hash})
        return ApiKey(*(getattr(rows[0], name) for name in q.KEY_FIELDS)) if rows else None

    async def put_api_key(self, name: str, key_hash: bytes, role: str, scope: Scope, now: datetime) -> int:
        """Keep a new key; its number. Raises NotFound for an unknown operator or site."""
        return await self._database.run(partial(w.put_api_key, name, key_hash, role, scope, micros(now)))

    async def note_key_used(self, key_id: int, now: datetime) -> None:
        """When the key was last used."""
        await self._gathering.run(partial(w.note_key_used, key_id, micros(now)))

    async def revoke_api_key(self, key_id: int, now: datetime) -> bool:
        """The key opens nothing any more. False: there is none, or it was revoked before."""
        return await self._database.run(partial(w.revoke_api_key, key_id, micros(now)))

    async def api_keys(self) -> list[dict[str, Any]]:
        """Every key as the API gives it; never its hash."""
        return [
            {
                "key_id": row.key_id,
                "name": row.name,
                "role": row.role,
                "operator": row.operator_code,
                "sites": None if row.sites is None else value_of(row.sites),
                "created_at": text_of(row.created_at),
                "last_used_at": text_of(row.last_used_at),
                "revoked_at": text_of(row.revoked_at),
            }
            for row in await self._database.read(q.KEYS)
        ]

    async def operators(self) -> list[dict[str, Any]]:
        """Every operator as the API gives it."""
        rows = await self._database.read(q.OPERATORS)
        return [{"code": row.code, "name": row.name, "time_zone": row.time_zone} for row in rows]

    async def sites(self) -> list[dict[str, Any]]:
        """Every site as the API gives it."""
        return [
            {
                "code": row.code,
                "operator": row.operator_code,
                "name": row.name,
                "latitude": row.latitude,
                "longitude": row.longitude,
            }
            for row in await self._database.read(q.SITES)
        ]
