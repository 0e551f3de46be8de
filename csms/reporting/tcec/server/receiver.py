"""Opens a platform's request in the standard's order of checks, has it answered, and seals the answer.

Form, sender, signature, token, rate, time window and replay, decryption, payload: each is believed only after
the one before. A sender nobody knows cannot get a signed answer (HTTP 401, empty), nor can what is no
envelope (HTTP 400, empty); whatever else is wrong is a signed Ret. Knows no interface and no HTTP.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import structlog

from csms.errors import StoreUnavailable
from csms.reporting.tcec.envelope import (
    BadCiphertext,
    BadEnvelope,
    BadSignature,
    SealedRequest,
    decrypt,
    moment,
    parse_object,
    read_request,
    seal_response,
    verify,
)
from csms.reporting.tcec.server import refusals
from csms.reporting.tcec.server.inbound import Inbound
from csms.reporting.tcec.server.rate import Rate
from csms.reporting.tcec.server.refusals import Refusal
from csms.store.platform_envelopes import EnvelopeName, EnvelopeStore

Answerer = Callable[[Inbound, str, Mapping[str, Any]], Awaitable[str]]
"""(platform, kind of query, payload) -> the answer's text. Raises Refusal."""

TOKEN_KIND = "query-token"
BEARER = "bearer "
LOGGED = (1.0, 10.0)  # lines a second about strangers, and a burst

log = structlog.get_logger()


class Reply(NamedTuple):
    """What goes back: the HTTP status, and the sealed body where there is one."""

    status: int
    body: bytes = b""


class Receiver:
    """Serves sealed requests. `monotonic` gives seconds of a clock that never steps back."""

    def __init__(
        self,
        envelopes: EnvelopeStore,
        answerer: Answerer,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._envelopes, self._answerer = envelopes, answerer
        self._now, self._monotonic = now, monotonic
        self.queries: Counter[tuple[str, str, str]] = Counter()
        """Requests by platform, kind of query, and Ret; `400` and `401` for those without a Ret."""
        self._strangers = Rate(*LOGGED)

    async def receive(
        self, kinds: Mapping[str, tuple[Inbound, str]], body: bytes, authorization: str
    ) -> Reply:
        """Answer one request. `kinds`: by OperatorID, who may ask here and what is asked."""
        try:
            sealed = read_request(body)
        except BadEnvelope as exc:
            self._log_stranger("city_request_unreadable", error=str(exc))
            self.queries["", "", "400"] += 1
            return Reply(400)
        if sealed.operator_id not in kinds:
            self._log_stranger("city_request_of_stranger", operator_id=sealed.operator_id)
            self.queries["", "", "401"] += 1
            return Reply(401)
        platform, kind = kinds[sealed.operator_id]
        ret, msg, text = await self._ret(platform, kind, sealed, authorization)
        self.queries[platform.name, kind, str(ret)] += 1
        answer = seal_response(platform.keys, ret, msg, text)
        return Reply(200, msgspec.json.encode(answer))

    def _log_stranger(self, event: str, **about: str) -> None:
        """Anybody can send what is no envelope: all of it is counted, some of it is told."""
        if self._strangers.take(self._monotonic()):
            log.warning(event, **about)

    async def _ret(
        self, platform: Inbound, kind: str, sealed: SealedRequest, authorization: str
    ) -> tuple[int, str, str | None]:
        bound = log.bind(platform=platform.name, query=kind)
        try:
            text = await self._answered(platform, kind, sealed, authorization)
        except Refusal as exc:
            bound.warning("city_query_refused", ret=exc.ret, reason=exc.msg)
            return exc.ret, exc.msg, None
        except StoreUnavailable as exc:
            bound.warning("city_query_not_served", error=str(exc))
            return refusals.BUSY, "the system is busy; ask again later", None
        except Exception:
            # Its cause is ours to read; the platform is told nothing of the inside.
            bound.exception("city_query_failed")
            return refusals.FAILED, "the system failed over this request", None
        bound.debug("city_query_answered")
        return refusals.DONE, "", text

    async def _answered(self, platform: Inbound, kind: str, sealed: SealedRequest, authorization: str) -> str:
        """The checks that may be told under signature, in their order, then the answer. Raises Refusal."""
        try:
            verify(platform.keys, sealed)
        except BadSignature as exc:
            raise refusals.bad_signature() from exc
        if kind != TOKEN_KIND and not self._may_enter(platform, authorization):
            raise refusals.bad_token()
        if not platform.rate.take(self._monotonic()):
            per_s = platform.profile.limits.pull_requests_per_s
            raise refusals.busy(f"more than {per_s:g} requests a second; ask again later")
        await self._take(platform, sealed)
        return await self._answerer(platform, kind, _payload(platform, sealed))

    def _may_enter(self, platform: Inbound, authorization: str) -> bool:
        if not authorization.lower().startswith(BEARER):
            return False
        return platform.mint.knows(authorization[len(BEARER) :].strip(), self._now())

    async def _take(self, platform: Inbound, sealed: SealedRequest) -> None:
        """Time window and replay."""
        now, window = self._now(), platform.window
        try:
            off = moment(sealed.timestamp) - now
        except BadEnvelope as exc:
            raise refusals.bad_parameter(str(exc)) from exc
        if abs(off) > window:
            raise refusals.bad_parameter(
                f"TimeStamp is {off.total_seconds():+.0f} s from our clock; "
                f"{window.total_seconds():.0f} s are allowed"
            )
        name = EnvelopeName(platform.name, sealed.operator_id, sealed.timestamp, sealed.seq, sealed.sig)
        if not await self._envelopes.take(name, now):
            raise refusals.bad_parameter("this very request came before; use another Seq")


def _payload(platform: Inbound, sealed: SealedRequest) -> dict[str, Any]:
    try:
        return parse_object(decrypt(platform.keys, sealed.data))
    except BadCiphertext as exc:
        raise refusals.bad_parameter("Data cannot be decrypted with the DataSecret agreed upon") from exc
    except BadEnvelope as exc:
        raise refusals.bad_parameter("Data holds no JSON object") from exc
