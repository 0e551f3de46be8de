"""Plays a conversation with charging stations, written as text, against a fresh system in memory.

Lines:

    # a comment
    -- version ocpp1.6            what the station speaks
    -- station CS-1               its identity; another station speaks from here on
    -- token A1 [status] [group=G] [limit=2]    an id token that is known
    -- now 2026-01-01T10:00:00Z   the clock from here on
    -- pending                    stations wait for somebody's approval
    -- approved                   the station is approved
    station [2,"1",...]           a frame from the station
    csms    [3,"1",...]           the frame that answers it
    -- no answer                  the frame before is not answered
    -- answer lost                it is answered, but the station does not see what
    -- connection lost            the station connects again
    -- restart                    the process ends and another one starts on the same database

In a frame `"<time>"` is any time, `"<any>"` any value, and any other `"<name>"` is what stood there first.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from csms.config import BootSettings, Settings
from csms.domain.assets import BootStatus, IdToken, OcppVersion, TokenStatus
from csms.errors import InvalidInput
from csms.gateway.admission import Admission
from csms.gateway.connection import Connection
from csms.gateway.desk import Budget, Parts
from csms.gateway.stats import GatewayStats
from csms.gateway.store_desk import StoreDesk
from csms.handlers.context import Services
from csms.store.database import Database, InlineDatabase
from csms.store.devices import DeviceStore
from csms.store.ids import Ids
from csms.store.message_log import MessageLog
from csms.store.migrations import upgrade_database
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.sessions import SessionFilter, SessionStore
from csms.store.writer import Writer

PLACEHOLDER = re.compile(r"<[a-z0-9-]+>")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
OPERATOR, SITE = "123456789", "S01"


class InMemoryWire:
    """Keeps what is sent to the station."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed: tuple[int, str] | None = None

    def send(self, frame: bytes) -> None:
        """A frame for the station. What it is asked of our own accord is no part of the conversation."""
        if not frame.startswith(b"[2"):
            self.sent.append(frame)

    def close(self, code: int, reason: str) -> None:
        """The end of the connection."""
        self.closed = (code, reason)

    def pause(self) -> None:
        """Frames are fed one by one: nothing to stop."""

    def resume(self) -> None:
        """Nothing was stopped."""


@dataclass
class Conversation:
    """A system in memory and the station that speaks to it now."""

    database: Database = field(default_factory=InlineDatabase)
    settings: Settings = field(default_factory=Settings)
    clock: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    identity: str = "CS-1"
    version: OcppVersion = OcppVersion.V16
    differences: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    answer: str | None = None

    async def play(self, lines: Iterator[tuple[int, str]]) -> None:
        """Play every line. Raises InvalidInput for one that cannot be read."""
        await upgrade_database(self.database)
        await self._start_process()
        for number, line in lines:
            word, _, rest = line.partition(" ")
            rest = rest.strip()
            if word == "--":
                try:
                    await self._direct(number, rest)
                except ValueError as exc:
                    raise InvalidInput(f"line {number}: {exc}") from exc
            elif word == "station":
                await self._said(rest)
            elif word == "csms":
                self._compare(number, rest)
            elif word and not word.startswith("#"):
                raise InvalidInput(f"line {number}: {word!r}; a line begins with station, csms, -- or #")
        await self._end_process()

    async def sessions(self) -> list[dict[str, Any]]:
        """What the system knows now, as the API gives it, newest first."""
        return list((await self._services.sessions.find(SessionFilter(), most=1000)).items)

    async def readings(self, session_id: str) -> list[dict[str, Any]]:
        """The readings of a session, as the API gives them, by time."""
        return list((await self._services.sessions.readings(int(session_id))).items)

    async def _start_process(self) -> None:
        settings = self.settings
        self._writer = Writer(self.database)
        self._writer.start()
        self._services = Services(
            settings=settings,
            writer=self._writer,
            registry=Registry(self.database),
            sessions=SessionStore(self.database),
            devices=DeviceStore(self.database),
            ids=Ids(self.database, lambda: self.clock),
            now=lambda: self.clock,
        )
        self._parts = Parts(
            settings=settings.gateway,
            desk=StoreDesk(self._services, MessageLog(self.database, settings.messages, lambda: self.clock)),
            admission=Admission(settings.gateway, time.monotonic),
            stats=GatewayStats(),
            budget=Budget(settings.gateway.max_queued_bytes),
            clock=time.monotonic,
            keep_log=False,
        )
        self._connections: dict[str, tuple[Connection, InMemoryWire]] = {}

    async def _end_process(self) -> None:
        for connection, _ in self._connections.values():
            await _leave(connection)
        await self._writer.close()

    async def _restart(self) -> None:
        await self._end_process()
        await self._start_process()

    async def _direct(self, number: int, text: str) -> None:
        word, *rest = text.split()
        match word, rest:
            case "version", [version]:
                self.version = OcppVersion(version)
            case "station", [identity]:
                self.identity = identity
            case "token", [token, *about]:
                await self._services.registry.put_token(_token(token, about), self.clock)
            case "now", [at]:
                self.clock = datetime.fromisoformat(at)
            case ("no", ["answer"]) | ("answer", ["lost"]):
                self._expect(number, is_answered=word == "answer")
            case "connection", ["lost"]:
                if self.identity in self._connections:
                    await _leave(self._connections.pop(self.identity)[0])
            case "restart", []:
                await self._restart()
            case "pending", []:
                self.settings = Settings(boot=BootSettings(approve=False))
                await self._restart()
            case "approved", []:
                await self._services.registry.set_boot_status(self.identity, BootStatus.ACCEPTED)
            case _:
                raise InvalidInput(f"line {number}: no such direction: {text!r}")

    def _expect(self, number: int, *, is_answered: bool) -> None:
        if is_answered is (self.answer is None):
            self._differ(number, "an answer" if is_answered else "no answer", self.answer or "none")

    async def _said(self, frame: str) -> None:
        for name, value in self.names.items():
            frame = frame.replace(f'"{name}"', json.dumps(value))
        if self.identity not in self._connections:
            self._connections[self.identity] = await self._connect()
        connection, wire = self._connections[self.identity]
        wire.sent.clear()
        connection.feed(frame.encode())
        await connection.idle()
        self.answer = wire.sent[-1].decode() if wire.sent else None

    async def _connect(self) -> tuple[Connection, InMemoryWire]:
        registry = self._services.registry
        station = await registry.station(self.identity)
        if station is None:
            await registry.put_operator(OperatorForm(OPERATOR, "Operator", "Asia/Shanghai"))
            await registry.put_site(SiteForm(SITE, OPERATOR, "Site"))
            await registry.put_station(StationForm(self.identity, SITE), self.clock)
            station = await registry.station(self.identity)
        assert station is not None
        state = await self._parts.desk.open(station, self.version, "127.0.0.1")
        wire = InMemoryWire()
        return Connection(self._parts, state, wire), wire

    def _compare(self, number: int, expected: str) -> None:
        if self.answer is None:
            self._differ(number, expected, "no answer")
        elif not self._alike(json.loads(expected), json.loads(self.answer)):
            self._differ(number, expected, self.answer)

    def _alike(self, expected: Any, found: Any) -> bool:
        if isinstance(expected, str) and PLACEHOLDER.fullmatch(expected):
            if expected == "<time>":
                return isinstance(found, str) and TIME.fullmatch(found) is not None
            return expected == "<any>" or bool(self.names.setdefault(expected, found) == found)
        if isinstance(expected, dict) and isinstance(found, dict):
            return expected.keys() == found.keys() and all(
                self._alike(v, found[k]) for k, v in expected.items()
            )
        if isinstance(expected, list) and isinstance(found, list):
            return len(expected) == len(found) and all(map(self._alike, expected, found))
        return bool(expected == found)

    def _differ(self, number: int, expected: str, found: str) -> None:
        self.differences.append(f"line {number}: expected {expected}\n    found {found}")


async def _leave(connection: Connection) -> None:
    """Nothing is asked any more, and nobody waits for an answer."""
    connection.lost()
    await connection.settled()


def _token(token: str, about: list[str]) -> IdToken:
    """A token and what a line says of it: a status, group=TOKEN, limit=NUMBER."""
    named = dict(one.split("=", 1) for one in about if "=" in one)
    status = next((one for one in about if "=" not in one), TokenStatus.ACCEPTED)
    limit = int(named.get("limit", 1))
    return IdToken(token, status=TokenStatus(status), group=named.get("group"), concurrent_limit=limit)


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a conversation with their numbers. Raises InvalidInput when it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInput(f"{file}: {exc}") from exc
    return iter(enumerate(text.splitlines(), 1))


async def replay_file(file: Path) -> list[str]:
    """Play `file`; every place where the answers are not those recorded."""
    conversation = Conversation()
    try:
        await conversation.play(lines_of(file))
    finally:
        await asyncio.shield(conversation.database.close())
    return conversation.differences
