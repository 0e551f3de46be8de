"""How pages read and act: through the program's own HTTP API, in process, as the person who looks.

Rights, scope, checks, audit and the words of a refusal live in the API alone; the console is its first
customer. Knows no page, and of the API only its address.
"""

import re
from collections.abc import Mapping
from typing import Any

import httpx
from starlette.types import ASGIApp

BASE = "/api/v1"
TIMEOUT_S = 60.0  # a charging station may take its time to answer a command


class Refused(Exception):
    """The API refused. `title` and `detail` say what happened and what to do; `errors` name fields."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(status, problem)
        self.status = status
        self.title: str = problem.get("title", f"HTTP {status}")
        self.detail: str = problem.get("detail", "")
        self.errors: list[Mapping[str, str]] = problem.get("errors") or []
        self.instance: str | None = problem.get("instance")


class SignedOut(Exception):
    """The person is not signed in any more: 401."""


class Catalogue:
    """What the API offers, from its OpenAPI document; read once a process."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._document: dict[str, Any] | None = None

    async def document(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if self._document is None:
            async with _client(self.app, {}, "") as client:
                self._document = (await client.get(f"{BASE}/openapi.json")).json()
        return self._document


def _client(app: ASGIApp, headers: Mapping[str, str], address: str) -> httpx.AsyncClient:
    # The API answers every failure itself, as a problem.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address or "127.0.0.1", 0))
    return httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=dict(headers), timeout=TIMEOUT_S
    )


class Desk:
    """The API for one person. `headers` say who it is, `address` where from.

    Every method raises Refused, or SignedOut on 401.
    """

    def __init__(self, catalogue: Catalogue, headers: Mapping[str, str], address: str = "") -> None:
        self._catalogue = catalogue
        self._headers = headers
        self._address = address

    async def get(self, path: str, /, **params: Any) -> Any:
        """What is at `path`. Parameters that are None or empty are left out; `from_` is `from`."""
        return await self._ask("GET", path, params, None)

    async def post(self, path: str, body: Any = None, /, **params: Any) -> Any:
        """Make or do something."""
        return await self._ask("POST", path, params, body)

    async def put(self, path: str, body: Any = None, /, **params: Any) -> Any:
        """Set something."""
        return await self._ask("PUT", path, params, body)

    async def patch(self, path: str, body: Any = None, /, **params: Any) -> Any:
        """Change a part of something."""
        return await self._ask("PATCH", path, params, body)

    async def delete(self, path: str, /, **params: Any) -> Any:
        """Remove something."""
        return await self._ask("DELETE", path, params, None)

    async def offers(self, path: str, parameter: str | None = None, method: str = "get") -> bool:
        """Whether the API has this resource, and takes this query parameter. `path` as in its document."""
        operation = await self.operation(path, method)
        if operation is None or parameter is None:
            return operation is not None
        return any(one["name"] == parameter for one in operation.get("parameters", ()))

    async def operation(self, path: str, method: str = "get") -> dict[str, Any] | None:
        """The operation as the OpenAPI document has it."""
        wanted = _shape(BASE + path)
        for known, operations in (await self._catalogue.document())["paths"].items():
            if _shape(known) == wanted:
                return operations.get(method)  # type: ignore[no-any-return]  # JSON
        return None

    async def body(self, path: str, method: str) -> dict[str, Any]:
        """The schema of what the operation takes, perhaps a reference; empty where it takes nothing."""
        asked = (await self.operation(path, method) or {}).get("requestBody", {}).get("content", {})
        return asked.get("application/json", {}).get("schema", {})  # type: ignore[no-any-return]  # JSON

    async def schemas(self) -> dict[str, Any]:
        """The named schemas of the document."""
        return (await self._catalogue.document())["components"]["schemas"]  # type: ignore[no-any-return]  # JSON

    async def _ask(self, method: str, path: str, params: Mapping[str, Any], body: Any) -> Any:
        written = {key.rstrip("_"): value for key, value in params.items() if value not in (None, "")}
        async with _client(self._catalogue.app, self._headers, self._address) as client:
            answer = await client.request(method, BASE + path, params=written, json=body)
        return _read(answer)


def _shape(path: str) -> str:
    """A path whose variables have no names: they may differ."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def _read(answer: httpx.Response) -> Any:
    if answer.status_code == 401:
        raise SignedOut
    is_json = "json" in answer.headers.get("content-type", "")
    if answer.is_success:
        return answer.json() if is_json and answer.content else answer.text
    raise Refused(answer.status_code, answer.json() if is_json else {"detail": answer.reason_phrase})
