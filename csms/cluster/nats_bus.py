"""The bus of several nodes, over NATS. Knows subjects and messages, no stations and no commands.

What is wanted is kept here; one worker brings NATS in line with it. So no caller waits for the network, and
every new connection starts from what is wanted then. Who serves a subject that two nodes claim is decided in
nats_posts.py.

While NATS is away, what this process serves is answered directly (as it always is); the rest fails at once.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from csms.cluster.bus import (
    BusAway,
    BusLost,
    Handler,
    HandlerFailed,
    Listener,
    MessageTooLarge,
    NoResponders,
    Subscription,
    attend,
)
from csms.cluster.nats_link import NatsLink, Retry
from csms.cluster.nats_posts import FAILED, GONE, TOLD, Claim, Ear, Post, Seat

MOST_UNSENT = 1 << 20  # bytes for a NATS that does not read; then published messages are dropped
MOST_UNREAD, MOST_UNREAD_BYTES = 1_000, 16 << 20  # of each subscription; more is dropped and logged
CLOSE_S = 2.0  # for requests that are being answered


class NatsBus:
    """One process's end of the bus. `start` it; `close` it at the end."""

    def __init__(
        self,
        url: str,
        node: str,
        *,
        retry: Retry | None = None,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """`url` may name several servers, separated by commas; `node` shows in NATS's monitoring."""
        self._link = NatsLink(url, node, self._tend, retry or Retry())
        self._clock_ns = clock_ns
        self._token = secrets.token_hex(8)  # nodes may be named alike by mistake
        self._seats: dict[str, Seat] = {}
        self._ears: dict[str, Ear] = {}
        self._due: dict[Post, None] = {}  # in the order they came
        self._stirred = asyncio.Event()
        self._settled = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_up(self) -> bool:
        """Whether other nodes can be reached."""
        return self._link.client is not None

    async def start(self) -> None:
        """Connect. Where NATS does not answer within seconds, go on without it until it does."""
        await self._link.start()

    async def close(self) -> None:
        """Give everything up, finish what is being answered (seconds at most) and disconnect."""
        for post in self._posts():
            post.clear()
        with contextlib.suppress(BusAway, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self.settled()
                await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._link.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def settled(self) -> None:
        """Return once NATS knows what is served and listened to here. Raises BusAway."""
        if self._link.client is not None:
            await self._settled.wait()
        client = self._link.client
        if client is None:
            raise BusAway
        try:
            await client.flush()
        except errors.Error as exc:
            raise BusAway from exc

    async def serve(self, subject: str, handler: Handler, rank: int = 0) -> Subscription:
        """See Bus. Takes effect here at once, on other nodes a moment later."""
        seat = self._seats.setdefault(subject, Seat(self, subject))
        return seat.add(handler, Claim(rank, self._clock_ns(), self._token))

    async def request(self, subject: str, payload: bytes, within_s: float) -> bytes:
        """See Bus. Raises BusAway when another node would have to be asked and NATS is not there."""
        seat = self._seats.get(subject)
        if seat is not None and seat.newest is not None:
            async with asyncio.timeout(within_s):
                return await attend(seat.newest.handler, payload)
        client = self._link.client
        if client is None:
            raise BusAway
        if len(payload) > client.max_payload:
            raise MessageTooLarge(len(payload))
        answer = await self._ask(client, subject, payload, within_s)
        headers = answer.headers or {}
        if GONE in headers:
            raise NoResponders(subject)
        if FAILED in headers:
            raise HandlerFailed(headers[FAILED])
        return answer.data

    async def publish(self, subject: str, payload: bytes) -> None:
        """See Bus. Raises MessageTooLarge."""
        ear = self._ears.get(subject)
        if ear is not None:
            ear.tell(payload)
        client = self._link.client
        if client is None or client.pending_data_size > MOST_UNSENT:
            return
        if len(payload) > client.max_payload:
            raise MessageTooLarge(len(payload))
        # The connection may have ended since: what is published may be lost.
        with contextlib.suppress(OSError, errors.Error):
            await client.publish(subject + TOLD, payload)

    async def listen(self, subject: str, listener: Listener) -> Subscription:
        """See Bus."""
        return self._ears.setdefault(subject, Ear(self, subject)).add(listener)

    def mark(self, post: Post) -> None:
        """NATS is to be brought in line with this post."""
        if self._link.client is None:
            self._forget_unwanted(post)  # the rest is looked through when NATS is back
            return
        self._due[post] = None
        self._settled.clear()
        self._stirred.set()

    def own(self, work: Coroutine[Any, Any, None]) -> None:
        """Let this run to its end, or to that of the bus."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def reply(self, message: Msg, answer: bytes, headers: dict[str, str] | None = None) -> None:
        """Answer a request, over another connection than it came by if need be."""
        client = self._link.client
        if client is None:
            return  # the asker waits no longer than it said
        if len(answer) > client.max_payload:
            headers = {FAILED: f"its answer of {len(answer)} bytes is more than the message bus carries"}
            answer = b""
        with contextlib.suppress(OSError, errors.Error):
            await client.publish(message.reply, answer, headers=headers)

    async def _ask(self, client: Client, subject: str, payload: bytes, within_s: float) -> Msg:
        asking = asyncio.ensure_future(client.request(subject, payload, timeout=within_s))
        # A connection that ended brings no answer: the next one has another address for answers.
        ended = self._link.ended
        either: set[asyncio.Future[Any]] = {asking, ended}
        try:
            await asyncio.wait(either, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise BusLost if ended.done() else TimeoutError
            return asking.result()
        except errors.NoRespondersError:
            raise NoResponders(subject) from None
        except errors.ConnectionClosedError as exc:
            raise BusAway from exc
        finally:
            asking.cancel()

    async def _tend(self, client: Client) -> None:
        """Bring NATS in line with what is wanted, as long as this connection lasts."""
        posts = self._posts()
        for post in posts:
            post.forget_subscription()
        self._due = dict.fromkeys(posts)
        try:
            while True:
                while self._due:
                    post = next(iter(self._due))
                    del self._due[post]
                    await self._bring_in_line(client, post)
                    await asyncio.sleep(0)  # ten thousand of them must not hold up the loop
                self._settled.set()
                self._stirred.clear()
                await self._stirred.wait()
        finally:
            self._settled.clear()

    def _posts(self) -> list[Post]:
        return [*self._seats.values(), *self._ears.values()]

    async def _bring_in_line(self, client: Client, post: Post) -> None:
        if post.is_wanted:
            if post.subscription is None:
                post.subscription = await client.subscribe(
                    post.subject,
                    cb=post.hear,
                    pending_msgs_limit=MOST_UNREAD,
                    pending_bytes_limit=MOST_UNREAD_BYTES,
                )
            await post.speak(client)
        elif post.subscription is not None:
            subscription, post.subscription = post.subscription, None
            await post.leave(subscription)
        self._forget_unwanted(post)

    def _forget_unwanted(self, post: Post) -> None:
        table: dict[str, Any] = self._seats if isinstance(post, Seat) else self._ears
        key = post.subject if isinstance(post, Seat) else post.subject.removesuffix(TOLD)
        if not post.is_wanted and table.get(key) is post:
            del table[key]
