"""What is added to a record when it is told, and what follows when it was: names, readings, sums, disputes.

Looked up at sending time, off the stations' way: a record is put down with what its cause knew, and told
with what the inventory and the readings say now. One desk for each platform.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from csms.reporting.places import Places
from csms.reporting.tcec.checks import disputes_of
from csms.reporting.tcec.live import live_of
from csms.reporting.tcec.profile import Profile
from csms.reporting.tcec.pushes import StatusPush
from csms.reporting.tcec.wording import Place
from csms.store.disputes import DisputeStore
from csms.store.live_states import LiveStates
from csms.store.outbox import OutboxEntry

FRESH = timedelta(minutes=5)  # older readings say nothing about now
LIVE_FIELDS = frozenset({"CurrentA", "VoltageA", "Soc", "ConnectorTemp", "ChargeElectricity"})
CHINA = timedelta(hours=8)
HAPPENED = {"charge-order": "ended_at", "alarm": "at", "event": "at"}
"""By kind, the name of the time at which what is told happened: the inventory of that time decides."""

SeqOf = Callable[[str, int], Awaitable[str | None]]
"""The name a platform gave to a session (by our number) that it started; None where it did not."""


class PlatformDesk:
    """Completes records of one platform. Every method raises StoreUnavailable when the database is away."""

    def __init__(
        self,
        name: str,
        profile: Profile,
        places: Places,
        live: LiveStates,
        disputes: DisputeStore,
        now: Callable[[], datetime],
        seq_of: SeqOf | None = None,
    ) -> None:
        self._name, self._profile, self._places = name, profile, places
        self._live, self._disputes, self._now, self._seq_of = live, disputes, now, seq_of

    async def complete(self, entry: OutboxEntry) -> Mapping[str, Any] | None:
        """The payload as it is told; None: the platform is not told of this place."""
        payload, added = entry.payload, dict[str, Any]()
        identity, site = payload.get("identity"), payload.get("site_code")
        if isinstance(identity, str):
            place = await self._place(entry, identity)
            if place is None:
                return None
            added["place"] = asdict(_without_names_made_up(place, payload))
        elif isinstance(site, str) and not await self._places.is_told(site):
            return None
        if entry.kind in ("charge-order", "charge-status"):
            added |= await self._own_name(payload)
        if entry.kind == "connector-status":
            added |= await self._readings(payload)
        added["told_at"] = _text(self._now())
        return {**payload, **added}

    async def delivered(self, entry: OutboxEntry, answer: Mapping[str, Any]) -> None:
        """Keep what the platform said of a day's orders."""
        if entry.kind != "order-check":
            return
        ours = {one["start_charge_seq"]: one for one in entry.payload.get("orders", ())}
        found = [
            {
                "start_charge_seq": one.start_charge_seq,
                "reason": one.reason,
                "their_power": one.total_power,
                "their_money": one.total_money,
                "our_energy_wh": ours.get(one.start_charge_seq, {}).get("energy_wh"),
                "our_money": ours.get(one.start_charge_seq, {}).get("money"),
            }
            for one in disputes_of(dict(answer))
        ]
        day = (datetime.fromisoformat(entry.payload["start"]) + CHINA).date()
        await self._disputes.check_answered(self._name, day, found, self._now())

    async def _place(self, entry: OutboxEntry, identity: str) -> Place | None:
        """What happened is told by where it was; how things stand, by where they are."""
        payload, happened = entry.payload, HAPPENED.get(entry.kind)
        plug = identity, _whole(payload, "evse"), _whole(payload, "connector")
        if happened is None or not isinstance(payload.get(happened), str):
            return await self._places.place(*plug)
        at = datetime.fromisoformat(payload[happened])
        return await self._places.place_then(payload.get("site_code") or "", plug, at)

    async def _own_name(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """A session that the platform started goes by the name it gave."""
        seq = payload.get("start_charge_seq")
        if self._seq_of is None or not isinstance(seq, str) or not seq[9:].isdigit():
            return {}
        own = await self._seq_of(self._name, int(seq[9:]))
        return {} if own is None else {"start_charge_seq": own}

    async def _readings(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Currents, voltages and energy of the session at a connector, where the platform wants them."""
        push = self._profile.push("connector-status")
        if not isinstance(push, StatusPush) or not LIVE_FIELDS & set(push.fields):
            return {}
        since = self._now() - FRESH
        stations = await self._live.stations([payload["identity"]], since)
        station = stations.get(payload["identity"])
        found = station and station.session_at(_whole(payload, "evse"), _whole(payload, "connector"))
        if not found:
            return {}
        live = asdict(live_of(found.readings, since))
        live["at"] = None if live["at"] is None else _text(live["at"])
        return {"live": live, "energy_wh": found.session.energy_wh}


def _without_names_made_up(place: Place, payload: Mapping[str, Any]) -> Place:
    """A station as a whole has no connector's name; a record's own name for its connector wins."""
    if payload.get("connector_id"):
        return Place(place.station_id, place.station_name, place.owner_id, place.equipment_id)
    return place


def _whole(payload: Mapping[str, Any], name: str) -> int:
    value = payload.get(name)
    return value if isinstance(value, int) else 0


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
