"""`csms doctor`: is this machine fit to serve, and how to mend what is not. Reads, and changes nothing."""

import asyncio
import os
import resource
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from csms.config import Settings
from csms.errors import CsmsError
from csms.reporting.precautions import doubts, strangers
from csms.store.database import Database
from csms.store.migrations import is_current
from csms.store.registry import Registry

FREE_BYTES = 1 << 30  # a day of a small fleet's readings and its WAL
SPARE_FILES = 200  # descriptors for the database, HTTP and logs
EARLIEST_CLOCK = 1_767_225_600  # 2026-01-01: no release of this program is older


class Finding(NamedTuple):
    """One check: its name, whether it is well, what was seen, and how to mend it."""

    check: str
    well: bool
    seen: str
    mend: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Every check that needs valid settings, in the order an operator would look."""
    checks: list[Callable[[Settings], Finding]] = [
        _gateway_port,
        _http_port,
        _database,
        _platforms,
        _message_bus,
        _disk,
        _clock,
        _file_limit,
    ]
    return [check(settings) for check in checks]


def _gateway_port(settings: Settings) -> Finding:
    return _port("gateway port", settings.gateway.host, settings.gateway.port, "gateway.port")


def _http_port(settings: Settings) -> Finding:
    return _port("http port", settings.http.host, settings.http.port, "http.port")


def _port(check: str, host: str, port: int, key: str) -> Finding:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            return Finding(
                check,
                False,
                f"{host}:{port} cannot be used: {exc.strerror}",
                f"stop the program that holds it (is the system already running?) or set {key}",
            )
    return Finding(check, True, f"{host}:{port} is free")


def _database(settings: Settings) -> Finding:
    try:
        return asyncio.run(_look_into_database(settings))
    except (OSError, CsmsError, ImportError) as exc:
        return Finding(
            "database", False, str(exc), "check database.url, that the server runs and that we may log in"
        )


async def _look_into_database(settings: Settings) -> Finding:
    path = _sqlite_path(settings)
    if path is not None and not path.exists():
        return Finding("database", True, f"{path} will be created at the first start")
    database = await Database.open(settings.database.url)
    try:
        if not await is_current(database):
            return Finding("database", False, "the tables are of an older release", "run: csms migrate")
    finally:
        await database.close()
    return Finding("database", True, f"{database.dialect} answers and its tables are current")


def _platforms(settings: Settings) -> Finding:
    check, reporting = "city platforms", settings.reporting
    if not reporting.platforms:
        return Finding(check, True, "none")
    found = doubts(reporting)
    try:
        found += asyncio.run(_strangers(settings))
    except (OSError, CsmsError, ImportError) as exc:
        found.append(f"whether their operators exist cannot be seen: {exc}")
    names = ", ".join(one.name for one in reporting.platforms)
    if found:
        return Finding(
            check, False, "; ".join(found), "change reporting in the settings, or enter what is missing"
        )
    return Finding(check, True, names)


async def _strangers(settings: Settings) -> list[str]:
    """Nothing while the tables are not there or of another release: the database's own check says so."""
    path = _sqlite_path(settings)
    if path is not None and not path.exists():
        return []
    database = await Database.open(settings.database.url)
    try:
        if not await is_current(database):
            return []
        return await strangers(settings.reporting, Registry(database))
    finally:
        await database.close()


def _message_bus(settings: Settings) -> Finding:
    check, url = "message bus", settings.cluster.nats_url
    if not url:
        return Finding(check, True, "none: the only process on its database")
    mend = "check cluster.nats_url, that nats-server runs there and that we may log in"
    try:
        from csms.cluster.nats_link import probe  # noqa: PLC0415 - only clusters have it installed
    except ImportError:
        return Finding(check, False, "cluster.nats_url needs one more package", "pip install 'csms[cluster]'")
    try:
        version = asyncio.run(probe(url))
    except CsmsError as exc:
        return Finding(check, False, str(exc), mend)
    return Finding(check, True, f"NATS {version} answers; this node is {settings.cluster.node_name}")


def _disk(settings: Settings) -> Finding:
    path = _sqlite_path(settings)
    if path is None:
        return Finding("disk", True, "the database server keeps the data")
    folder = next(p for p in [path.parent, *path.absolute().parents] if p.exists())
    if not os.access(folder, os.W_OK):
        return Finding(
            "disk", False, f"{folder} cannot be written", "give this user the right to write there"
        )
    free = shutil.disk_usage(folder).free
    well = free >= FREE_BYTES
    return Finding(
        "disk",
        well,
        f"{free / 1e9:.1f} GB free at {folder}",
        "" if well else "free space, or move database.url",
    )


def _clock(settings: Settings) -> Finding:
    now = time.time()
    if now < EARLIEST_CLOCK:
        return Finding(
            "clock", False, f"it is said to be {time.ctime(now)}", "switch on time synchronisation (NTP)"
        )
    return Finding("clock", True, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)))


def _file_limit(settings: Settings) -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    workers = settings.gateway.workers
    stations = max(0, hard - SPARE_FILES) * workers
    well = hard >= 1_024 + SPARE_FILES
    return Finding(
        "open files",
        well,
        f"limit {soft}, may be raised to {hard}: about {stations} charging stations "
        f"in {workers} {'process' if workers == 1 else 'processes'}",
        "" if well else "raise it: LimitNOFILE= in the systemd unit, or `ulimit -n`",
    )


def _sqlite_path(settings: Settings) -> Path | None:
    url = settings.database.url
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
