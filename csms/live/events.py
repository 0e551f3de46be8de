"""An event as programs get it, and which of them somebody wants. No I/O."""

from typing import NamedTuple

import msgspec

from csms.domain.scope import WHOLE, Scope
from csms.store.changes import Event
from csms.store.times import text_of


class Told(msgspec.Struct, frozen=True):
    """An event in JSON. `id` is the cursor to go on from; null for what is not kept."""

    id: str | None
    kind: str
    at: str | None
    operator: str | None
    site: str | None
    charging_station: str | None
    session_id: str | None
    data: msgspec.Raw


_encode = msgspec.json.Encoder().encode


class Wanted(NamedTuple):
    """Which events, of those in sight; None does not filter."""

    operator: str | None = None
    kinds: frozenset[str] | None = None
    site: str | None = None
    station: str | None = None
    scope: Scope = WHOLE

    def takes(self, event: Event) -> bool:
        """Whether the event is among them."""
        if self.kinds is not None and event.kind not in self.kinds:
            return False
        if not self.scope.sees(event.operator, event.site):
            return False
        if self.operator is not None and event.operator != self.operator:
            return False
        if self.site is not None and event.site != self.site:
            return False
        return self.station is None or event.station == self.station


def json_of(event: Event) -> bytes:
    """The event in JSON."""
    return _encode(
        Told(
            str(event.number) if event.number else None,
            event.kind,
            text_of(event.at),
            event.operator,
            event.site,
            event.station,
            None if event.session_id is None else str(event.session_id),
            msgspec.Raw(event.body.encode()),
        )
    )


def frame_of(event: Event) -> bytes:
    """The event as a server-sent event."""
    head = b"id: %d\n" % event.number if event.number else b""
    return b"%sevent: %s\ndata: %s\n\n" % (head, event.kind.encode(), json_of(event))
