"""What follows the feed of changes, made of the program's parts: streams, webhooks, alarms, forgetting."""

import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from csms.api.parts import Happenings
from csms.config import Settings
from csms.live.alarms import AlarmKeeper, Surroundings
from csms.live.forgetting import Forgetting
from csms.live.messenger import Messenger
from csms.live.tail import Tail
from csms.live.webhooks import Webhooks
from csms.store.alarm_looks import AlarmLooks
from csms.store.alarms import AlarmStore
from csms.store.changes import ChangeFeed
from csms.store.database import Database
from csms.store.webhooks import WebhookStore
from csms.store.work_queues import WorkQueues
from csms.store.writer import Writer

REFUSED_WITHIN_S = 600.0
SQLITE = "sqlite:///"

Refusals = Callable[[float], Iterator[tuple[str, int]]]


@dataclass(frozen=True, slots=True)
class Living:
    """The parts; `works` runs them."""

    settings: Settings
    database: Database
    writer: Writer
    now: Callable[[], datetime]
    happenings: Happenings

    @classmethod
    def of(
        cls, settings: Settings, database: Database, writer: Writer, now: Callable[[], datetime]
    ) -> "Living":
        """All of it over one database and one writer."""
        happenings = Happenings(
            tail=Tail(ChangeFeed(database), writer, settings.live),
            webhooks=WebhookStore(database),
            messenger=Messenger(settings.webhooks, now),
            alarms=AlarmStore(database),
            queues=WorkQueues(database),
        )
        return cls(settings, database, writer, now, happenings)

    def works(self, refused_since: Refusals, node: str) -> Iterator[Coroutine[Any, Any, None]]:
        """What is to run for as long as the program does. `refused_since`: logins by the gateway's clock."""
        made, settings = self.happenings, self.settings
        yield made.tail.run()
        # No two processes have the same name, even where several have no name of their own.
        holder = f"{node}/{uuid.uuid4().hex}"
        yield Webhooks(made.webhooks, made.tail, made.messenger, settings.webhooks, self.now, holder).run()
        around = Surroundings(
            node=node,
            is_healthy=lambda: self.writer.healthy,
            refusals=lambda: dict(refused_since(time.monotonic() - REFUSED_WITHIN_S)),
            owners={one.name: one.operator for one in settings.reporting.platforms},
            disk=disk_of(settings.database.url),
        )
        yield AlarmKeeper(made.alarms, AlarmLooks(self.database), settings.alarms, around, self.now).run()
        yield Forgetting(self._kept(), self.now).run()

    def _kept(self) -> dict[str, Any]:
        settings, made = self.settings, self.happenings
        return {
            "changes": (made.tail.feed.prune, timedelta(days=settings.live.retention_days)),
            "deliveries": (made.webhooks.prune, timedelta(days=settings.webhooks.retention_days)),
            "alarms": (made.alarms.prune, timedelta(days=settings.alarms.retention_days)),
        }


def disk_of(url: str) -> Path | None:
    """The directory of the database's file; None where the database is elsewhere."""
    return Path(url.removeprefix(SQLITE)).resolve().parent if url.startswith(SQLITE) else None
