"""Ways to take the database from a running server: locked by another process, a full disk, PostgreSQL away.

Each is a context: what it took is given back at its end.
"""

from __future__ import annotations

import asyncio
import errno
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from io import FileIO
from pathlib import Path

from sqlalchemy import make_url

from tests.campaign.kit import missing

LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""
BLOCK = 4_096
DISK_BYTES = 4 * 1_048_576


@asynccontextmanager
async def locked(database_file: Path) -> AsyncIterator[None]:
    """Another process holds the write lock of a SQLite file."""
    pipe = asyncio.subprocess.PIPE
    program = [sys.executable, "-c", LOCK, str(database_file)]
    holder = await asyncio.create_subprocess_exec(*program, stdin=pipe, stdout=pipe)
    try:
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"locked\n"
        yield
    finally:
        # Ends its input, upon which it lets go, and reads its output to the end.
        await holder.communicate(b"")


@contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """A file system of a few MiB. Skips the test (fails it in CI) where none can be mounted."""
    directory.mkdir()
    try:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(directory)]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        missing("there is no mount command")
    if done.returncode:
        missing(f"a small file system cannot be mounted: {done.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


@contextmanager
def filled(disk: Path, left: int) -> Iterator[None]:
    """Only `left` bytes are free on the file system of `disk`."""
    file = disk / "filler"
    try:
        with file.open("wb", buffering=0) as filler:
            _fill(filler)
            filler.truncate(filler.tell() - left)
        yield
    finally:
        file.unlink(missing_ok=True)


def _fill(filler: FileIO) -> None:
    try:
        while True:
            filler.write(b"x" * BLOCK)
    except OSError as exc:
        if exc.errno != errno.ENOSPC:
            raise


@asynccontextmanager
async def away(url: str) -> AsyncIterator[None]:
    """A PostgreSQL database ends every connection and takes none."""
    name = make_url(url).database
    await _administer(
        url,
        f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    try:
        yield
    finally:
        await _administer(url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


async def _administer(url: str, *statements: str) -> None:
    """Run statements from another database of the same server."""
    import asyncpg

    other = make_url(url).set(database="template1").render_as_string(hide_password=False)
    connection = await asyncpg.connect(other, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
