"""What every request passes: a limit on its body, security headers, and the last net for errors. Pure ASGI.

Knows no resource and no key.
"""

import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from csms.api.problems import Problem, problem_response

MAX_BODY_BYTES = 1_048_576
# A city's chargers in one file.
LARGER_BODIES = {"/api/v1/assets/import": 33_554_432}

# The API serves data, never a document: nothing of it may be loaded, framed or run.
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
# The page's own scripts start inline and compile templates (Vue); nothing may come from elsewhere.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)


def page_policy(images: str) -> str:
    """The policy of a page that shows images of one more origin."""
    return PAGE_POLICY.replace("img-src 'self' data:", f"img-src 'self' data: {images}")


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: forms of our own page would come with `Origin: null` then.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
DATA_PATHS = ("/api/", "/metrics", "/healthz", "/readyz")

log = structlog.get_logger()


class Shield:
    """ASGI middleware; the outermost of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        if exchange.declares_too_much():
            await problem_response(413, exchange.limit_text)(scope, receive, exchange.send)
            return
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as exc:  # the last net: the caller gets an id, the log gets the cause
            await exchange.fail(exc)


class _Exchange:
    """One request and its response on their way through."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._is_data = scope["path"].startswith(DATA_PATHS)
        self._most = LARGER_BODIES.get(scope["path"], MAX_BODY_BYTES)
        self._taken = 0
        self._started = False

    @property
    def limit_text(self) -> str:
        """What a caller is told whose body is too large."""
        return f"The body may have {self._most} bytes."

    def declares_too_much(self) -> bool:
        """Whether Content-Length alone is reason enough to refuse."""
        declared = Headers(scope=self._scope).get("content-length", "0")
        return declared.isdecimal() and int(declared) > self._most

    async def receive(self) -> Message:
        """The next part of the body. Raises Problem 413 once there were too many bytes (chunked bodies)."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            if self._taken > self._most:
                raise Problem(413, self.limit_text)
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the response on; the first gets the headers."""
        if message["type"] == "http.response.start":
            self._started = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Content-Security-Policy", API_POLICY if self._is_data else PAGE_POLICY)
            if self._is_data:
                headers.setdefault("Cache-Control", "no-store")
        await self._send(message)

    async def fail(self, exc: Exception) -> None:
        """Answer 500 without saying why, unless an answer is already under way: then it is cut off."""
        number = uuid.uuid4().hex
        log.error("request_failed", request=number, path=self._scope["path"], exc_info=exc)
        if self._started:
            raise exc
        detail = "The cause is in the server's log under the instance given here."
        answer = problem_response(500, detail, instance=f"urn:csms:request:{number}")
        await answer(self._scope, self._receive, self.send)
