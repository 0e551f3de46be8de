"""Pushes records to one city platform over HTTP and says how it went.

It knows tokens, time limits and what may be believed of an answer. It does not know the outbox: whether
and when something is sent again is decided by whoever calls `push`. Secrets, keys and bodies are never
logged.
"""

import asyncio
import hashlib
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Self

import httpx
import msgspec
import structlog

from csms.config import PlatformSettings
from csms.errors import CsmsError
from csms.reporting.tcec import messages
from csms.reporting.tcec.envelope import (
    EnvelopeError,
    Keys,
    Response,
    SeqCounter,
    open_response,
    seal_request,
)
from csms.reporting.tcec.outcomes import (
    UNAUTHORIZED,
    Delivered,
    Disputed,
    Ignored,
    Outcome,
    Refused,
    Rejected,
    Retry,
    Token,
    judge,
    judge_http,
    judge_token,
    printable,
)
from csms.reporting.tcec.profile import Profile, load_profile

__all__ = [
    "Account", "Delivered", "Disputed", "Ignored", "Outcome", "PlatformClient", "Refused",
    "Rejected", "Retry",
]  # fmt: skip

CONNECT_S = 5.0
TOTAL_S = 30.0
RENEW_BEFORE_S = 60.0

Pairs = Callable[[datetime], Awaitable[tuple[str, str]]]
"""TimeStamp and Seq of the next envelope, which no other has."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are to a platform. `name` is ours for logs; `url` is scheme and host, and a prefix if any."""

    name: str
    url: str
    operator_id: str
    operator_secret: str = field(repr=False)
    keys: Keys


class _Unanswered(CsmsError):
    """The platform gave no answer to believe."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class PlatformClient:
    """One platform, one operator's account. Any number of `push` may run at once; `close` at the end."""

    def __init__(
        self,
        profile: Profile,
        account: Account,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        connect_s: float = CONNECT_S,
        total_s: float = TOTAL_S,
        pairs: Pairs | None = None,
    ) -> None:
        """`pairs` gives TimeStamp and Seq; without it the client counts as the only one of its platform."""
        self._profile, self._account = profile, account
        self._now, self._monotonic, self._sleep, self._total_s = now, monotonic, sleep, total_s
        self._pairs = pairs or SeqCounter().give
        self._log = log.bind(platform=account.name)
        self._token: Token | None = None
        self._token_ends = self._next_start = 0.0
        self._token_lock = asyncio.Lock()
        self._token_failures = 0
        self._token_failure: Outcome | None = None
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=tls or True,
            timeout=httpx.Timeout(total_s, connect=connect_s),
            follow_redirects=False,
            # Only what the configuration names decides where an operator's records go: no proxy by chance.
            trust_env=False,
            headers={"Content-Type": "application/json;charset=utf-8", "Accept-Encoding": "identity"},
        )

    @classmethod
    def from_settings(
        cls, settings: PlatformSettings, *, tls: ssl.SSLContext | None = None, pairs: Pairs | None = None
    ) -> Self:
        """The client for a platform of config.yaml. Raises ProfileError or BadEnvelope (unusable keys)."""
        keys = Keys(
            settings.data_secret.get_secret_value(),
            settings.data_secret_iv.get_secret_value(),
            settings.sig_secret.get_secret_value(),
        )
        secret = settings.operator_secret.get_secret_value()
        account = Account(settings.name, settings.url, settings.operator, secret, keys)
        return cls(load_profile(settings.profile), account, tls=tls, pairs=pairs)

    @property
    def profile(self) -> Profile:
        """The platform's profile."""
        return self._profile

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def push(self, kind: str, payload: Mapping[str, object]) -> Outcome:
        """Send one outbox record and say how it went; at most `total_s` from the first byte on.

        Raises nothing for what a platform does or for what stands in `payload`; what `pairs` raises.
        """
        try:
            record = messages.read(kind, payload)
            message = messages.message(record, self._profile)
        except (messages.BadRecord, messages.KindNotTaken) as exc:
            return Rejected(str(exc))
        if len(message.text.encode()) > self._profile.limits.request_bytes:
            return Rejected("the message is larger than the platform takes")
        await self._pace()
        try:
            async with asyncio.timeout(self._total_s):
                return _told(judge(record, await self._sent(message), self._profile), message)
        except _Unanswered as exc:
            return exc.outcome
        except TimeoutError:
            return Retry(f"no complete answer within {self._total_s:g} s")

    async def _sent(self, message: messages.Message) -> Response:
        """The platform's answer; a token it no longer takes is renewed once. Raises _Unanswered."""
        token = await self._valid_token()
        try:
            answer = await self._exchange(message.path, message.text, token)
        except _Unanswered as exc:
            # Some platforms say 401 where the standard has Ret 4002.
            if exc.outcome != UNAUTHORIZED:
                raise
        else:
            if answer.ret not in self._profile.answers.token:
                return answer
        self._forget(token)
        return await self._exchange(message.path, message.text, await self._valid_token())

    async def _valid_token(self) -> Token:
        """A token with a minute of life left, shared by all pushes. Raises _Unanswered."""
        failures = self._token_failures
        async with self._token_lock:
            if self._token is not None and self._monotonic() < self._token_ends:
                return self._token
            # Those who waited for a query_token that failed share its failure: one call, not a hundred.
            if self._token_failure is not None and failures != self._token_failures:
                raise _Unanswered(self._token_failure)
            try:
                self._token = await self._new_token()
            except _Unanswered as exc:
                self._token_failure = exc.outcome
                self._token_failures += 1
                raise
            return self._token

    async def _new_token(self) -> Token:
        asked_at = self._monotonic()
        account = self._account
        credentials = {"OperatorID": account.operator_id, "OperatorSecret": account.operator_secret}
        path = self._profile.url_path(self._profile.query_token)
        answer = await self._exchange(path, msgspec.json.encode(credentials).decode(), None)
        token = judge_token(answer, self._profile)
        if not isinstance(token, Token):
            raise _Unanswered(token)
        early = min(RENEW_BEFORE_S, token.lives_s / 2)
        self._token_ends = asked_at + token.lives_s - early
        self._log.debug("city_token_renewed", lives_s=token.lives_s)
        return token

    def _forget(self, token: Token) -> None:
        # Another push may have renewed it already.
        if self._token is token:
            self._token = None

    async def _exchange(self, path: str, text: str, token: Token | None) -> Response:
        """One request and its opened answer. Raises _Unanswered."""
        account = self._account
        body = seal_request(account.keys, account.operator_id, text, *await self._pairs(self._now()))
        headers = {} if token is None else {"Authorization": f"Bearer {token.text}"}
        url = account.url.rstrip("/") + path
        try:
            async with self._http.stream(
                "POST", url, content=msgspec.json.encode(body), headers=headers
            ) as answer:
                outcome = judge_http(answer.status_code, answer.headers.get("Retry-After"))
                if outcome is not None:
                    raise _Unanswered(outcome)
                return self._believed(await self._bounded(answer))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as exc:
            raise _Unanswered(_failure(exc)) from exc

    async def _bounded(self, answer: httpx.Response) -> bytes:
        """The body as it came, no more of it than the profile allows. Raises _Unanswered."""
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise _Unanswered(Retry("the answer is compressed, which was not asked for"))
        body = bytearray()
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > self._profile.limits.answer_bytes:
                raise _Unanswered(Retry("the answer is too large"))
        return bytes(body)

    def _believed(self, body: bytes) -> Response:
        """The opened answer. Nothing in it, Ret least of all, is believed before its signature."""
        try:
            return open_response(self._account.keys, body)
        except EnvelopeError as exc:
            raise _Unanswered(Retry(str(exc))) from exc

    async def _pace(self) -> None:
        """Wait for our turn under the platform's rate."""
        now = self._monotonic()
        start = max(now, self._next_start)
        self._next_start = start + 1 / self._profile.limits.requests_per_s
        if start > now:
            await self._sleep(start - now)


def _told(outcome: Outcome, message: messages.Message) -> Outcome:
    """With what was told, for the audit."""
    if isinstance(outcome, Delivered | Ignored | Disputed):
        return replace(outcome, sha256=hashlib.sha256(message.text.encode()).hexdigest())
    return outcome


def _failure(exc: Exception) -> Retry | Refused:
    """What a failed exchange means. A wrong certificate is no passing trouble."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Refused(f"certificate: {cause.verify_message}")
        cause = cause.__cause__ or cause.__context__
    # The text of these errors may quote what the peer sent, never a header or a body of ours.
    return Retry(printable(f"{type(exc).__name__}: {exc}".rstrip(": ")))
