"""What every process of the program does for itself: files, loop, garbage, time. Knows no part of it."""

import asyncio
import gc
import resource
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import structlog

log = structlog.get_logger()


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def spare_the_collector() -> None:
    """Keep what start-up made out of garbage collections, and make them rarer.

    A full collection over the loaded program stops everything for 0.4 s; without it none was seen above
    10 ms. Messages make few cycles, so collecting a tenth as often costs no memory worth naming.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def raise_file_limit() -> None:
    """As many open files as the system allows: each station is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    log.info("file_limit", files=hard)


def loop_factory() -> Any:
    """The fast event loop where there is one; None is the standard one."""
    try:
        import uvloop  # noqa: PLC0415 - not there on every system
    except ImportError:
        return None
    return uvloop.new_event_loop


def in_background(work: Coroutine[Any, Any, None], undo: AsyncExitStack) -> None:
    """Run `work` until `undo` is; should it fail, say so at once."""
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(_report_failure)
    undo.push_async_callback(_cancel, task)


def _report_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (exc := task.exception()) is not None:
        log.error("background_task_failed", error=repr(exc), exc_info=exc)


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
