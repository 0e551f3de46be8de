"""What a process is subscribed to: the subjects it serves and those it listens to. Opens no connection.

Plain subscriptions deliver a request to every node that believes it serves a subject, a queue group to a
random one of them. So each server, when it begins and whenever NATS comes back, publishes a claim on the
subject itself. Claims are ordered: whoever hears one above its own gives way, whoever hears one below its own
repeats it. Being on the same subject, a claim reaches the older server before the requests that follow it.
Only a request that falls between the two lines a newcomer sends in one packet can reach both; the first
answer counts.
"""

from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, NamedTuple, Protocol

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as NatsSubscription

from csms.cluster.bus import BusError, Handler, Listener, attend

log = structlog.get_logger()

# On the wire between nodes, so frozen like the commands.
CLAIM = "Csms-Claim"  # header: someone serves the subject from now on
GONE = "Csms-Gone"  # header of an answer: not served here any more
FAILED = "Csms-Failed"  # header of an answer: why there is none
TOLD = ".told"  # published messages go beside requests, else NATS took listeners for responders

MOST_SERVING = 100  # requests of one subject at once; a charging station queues 32
MOST_REASON = 500  # characters of a failure that are passed on


class Claim(NamedTuple):
    """Who serves a subject: the highest is asked."""

    rank: int
    since_ns: int  # by the server's clock: decides only among equal ranks
    node: str

    def __str__(self) -> str:
        return f"{self.rank} {self.since_ns} {self.node}"

    @classmethod
    def read(cls, text: str) -> "Claim":
        """Raises ValueError. What newer releases add at the end is left out."""
        rank, since_ns, node, *_ = text.split(" ")
        return cls(int(rank), int(since_ns), node)


class Owner(Protocol):
    """What a post needs of its bus."""

    def mark(self, post: "Post") -> None:
        """NATS is to be brought in line with this post."""

    def own(self, work: Coroutine[Any, Any, None]) -> None:
        """Let this run to its end."""

    async def reply(self, message: Msg, answer: bytes, headers: dict[str, str] | None = None) -> None:
        """Answer a request; may be lost."""


class Post(ABC):
    """A subject on NATS, and the subscription it has there at present."""

    def __init__(self, owner: Owner, subject: str) -> None:
        self.owner, self.subject = owner, subject
        self.subscription: NatsSubscription | None = None

    @property
    @abstractmethod
    def is_wanted(self) -> bool:
        """Whether there has to be a subscription."""

    @abstractmethod
    def clear(self) -> None:
        """Nobody wants it any more."""

    def forget_subscription(self) -> None:
        """The connection it was made on is gone."""
        self.subscription = None

    @abstractmethod
    async def hear(self, message: Msg) -> None:
        """Something came in. Returns at once: claims must not wait behind requests."""

    @abstractmethod
    async def speak(self, client: Client) -> None:
        """Say what is to be said, now that there is a subscription."""

    async def leave(self, subscription: NatsSubscription) -> None:
        """End the subscription."""
        await subscription.unsubscribe()


class Service:
    """One call of `serve`; cancelling it leaves the others."""

    def __init__(self, seat: "Seat", handler: Handler, claim: Claim) -> None:
        self._seat, self.handler, self.claim = seat, handler, claim

    async def cancel(self) -> None:
        """Stop; requests already being served are finished."""
        self._seat.remove(self)


class Seat(Post):
    """A subject this process serves."""

    def __init__(self, owner: Owner, subject: str) -> None:
        super().__init__(owner, subject)
        self._services: list[Service] = []  # the newest first
        self._claim_due = True
        self._gave_way = False
        self._serving = 0

    @property
    def is_wanted(self) -> bool:
        return bool(self._services)

    @property
    def newest(self) -> Service | None:
        """Who is to be asked, if anyone here."""
        return max(self._services, key=lambda service: service.claim.rank, default=None)

    def add(self, handler: Handler, claim: Claim) -> Service:
        """Serve, in place of whoever did so far."""
        service = Service(self, handler, claim)
        self._services.insert(0, service)
        self._claim_due, self._gave_way = True, False
        self.owner.mark(self)
        return service

    def remove(self, service: Service) -> None:
        """This one serves no more."""
        if service in self._services:
            self._services.remove(service)
            self.owner.mark(self)

    def clear(self) -> None:
        self._services.clear()
        self.owner.mark(self)

    def forget_subscription(self) -> None:
        super().forget_subscription()
        self._claim_due = True

    async def hear(self, message: Msg) -> None:
        claim = (message.headers or {}).get(CLAIM)
        if claim is not None:
            self._weigh(claim)
        elif message.reply:
            self._take(message)

    async def speak(self, client: Client) -> None:
        if self._claim_due and self.newest is not None:
            self._claim_due = False
            await client.publish(self.subject, headers={CLAIM: str(self.newest.claim)})

    async def leave(self, subscription: NatsSubscription) -> None:
        # A newer server has what still comes in; without one the askers are to hear that nobody is here.
        if self._gave_way:
            await subscription.unsubscribe()
        else:
            await subscription.drain()  # type: ignore[no-untyped-call]  # the library left it out
        self._claim_due = True

    def _weigh(self, text: str) -> None:
        try:
            theirs = Claim.read(text)
        except ValueError:
            log.warning("claim_not_understood", subject=self.subject, claim=text[:MOST_REASON])
            return
        if self.newest is None or theirs > self.newest.claim:
            self._services.clear()
            self._gave_way = True
        else:
            self._claim_due = True
        self.owner.mark(self)

    def _take(self, message: Msg) -> None:
        if self.newest is None:
            if not self._gave_way:
                self.owner.own(self.owner.reply(message, b"", {GONE: "1"}))
        elif self._serving >= MOST_SERVING:
            self.owner.own(self.owner.reply(message, b"", {FAILED: "too many requests wait there"}))
        else:
            self._serving += 1
            self.owner.own(self._answer(self.newest.handler, message))

    async def _answer(self, handler: Handler, message: Msg) -> None:
        try:
            await self.owner.reply(message, await attend(handler, message.data))
        except BusError as exc:
            why = exc.args[0] if exc.args else exc
            await self.owner.reply(message, b"", {FAILED: str(why)[:MOST_REASON]})
        finally:
            self._serving -= 1


class Hearing:
    """One call of `listen`."""

    def __init__(self, ear: "Ear", listener: Listener) -> None:
        self._ear, self.listener = ear, listener

    async def cancel(self) -> None:
        """Hear no more."""
        self._ear.remove(self)


class Ear(Post):
    """A subject this process listens to."""

    def __init__(self, owner: Owner, subject: str) -> None:
        super().__init__(owner, subject + TOLD)
        self._hearings: list[Hearing] = []

    @property
    def is_wanted(self) -> bool:
        return bool(self._hearings)

    def add(self, listener: Listener) -> Hearing:
        """Let this one hear too."""
        hearing = Hearing(self, listener)
        self._hearings.append(hearing)
        self.owner.mark(self)
        return hearing

    def remove(self, hearing: Hearing) -> None:
        """Let it hear no more."""
        if hearing in self._hearings:
            self._hearings.remove(hearing)
            self.owner.mark(self)

    def clear(self) -> None:
        self._hearings.clear()
        self.owner.mark(self)

    async def hear(self, message: Msg) -> None:
        self.tell(message.data)

    async def speak(self, client: Client) -> None:
        return  # who listens claims nothing

    def tell(self, payload: bytes) -> None:
        """Pass it on to all of them. One that fails is logged and does not keep it from the others."""
        for hearing in list(self._hearings):
            try:
                hearing.listener(payload)
            except Exception as exc:
                log.exception("listener_failed", subject=self.subject, error=repr(exc))
