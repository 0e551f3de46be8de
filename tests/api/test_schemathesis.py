"""Every operation of the OpenAPI document, asked with what the document allows and with what it forbids.

Schemathesis makes the requests, the real application answers them over a real database: nothing is a failure
of the server, every answer is one the document describes, what the document forbids is refused, and every
refusal is a problem. The examples are the same each time; `CSMS_TEST_EXAMPLES` asks for more of them.
"""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.generation.modes import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from csms.api.server import BASE
from csms.domain.scope import WHOLE
from csms.store.users import UserForm
from tests.api.conftest import Desk, opened
from tests.api.kit import begin_visit, places_of, prepare

EXAMPLES = int(os.environ.get("CSMS_TEST_EXAMPLES", "4"))
# The first word of each path.
RESOURCES = [
    "alarms",
    "api-keys",
    "assets",
    "audit",
    "changes",
    "charging-stations",
    "command-batches",
    "commands",
    "exports",
    "id-tokens",
    "live",
    "me",
    "messages",
    "operators",
    "orphan-stops",
    "outbox",
    "platform",
    "platforms",
    "quarantine",
    "reports",
    "schedules",
    "sessions",
    "sign-in",
    "sign-out",
    "sites",
    "tariffs",
    "totals",
    "users",
    "webhooks",
    "work-queues",
    "healthz",
    "readyz",
    "metrics",
]
# A stream of events has no end to wait for; `test_live` reads it from a socket.
ENDLESS = {f"{BASE}/live"}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
]
PROBLEM = "application/problem+json"


class Asker:
    """Sends requests of one test, each as somebody who may: an administrator's key, or a person's browser."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._opened = opened(url)
        self.desk: Desk = runner.run(self._opened.__aenter__())
        self.command_id = runner.run(self._fill())
        self._key = runner.run(self.desk.key())
        self._client = self.desk.anonymous()
        self.schema = schemathesis.openapi.from_dict(self.desk.app.openapi())
        # Whoever has no key is another test's matter.
        self.schema.config.generation.with_security_parameters = False

    async def _fill(self) -> str:
        command_id = await prepare(self.desk)
        await self.desk.parts.users.add(UserForm("li", "admin", WHOLE), "no hash", False, self.desk.clock[0])
        return command_id

    def operations(self, resource: str) -> Iterator[APIOperation[Any, Any, Any, Any]]:
        """The document's operations on a resource."""
        for found in self.schema.get_all_operations():
            operation = found.ok()
            if resource_of(operation.path) == resource and operation.path not in ENDLESS:
                yield operation

    def send(self, case: Case) -> httpx.Response:
        """The application's answer to a request, byte for byte as Schemathesis would send it."""
        asked = case.as_transport_kwargs(base_url="http://csms.test")
        parts = ("method", "url", "params", "json", "data", "files", "headers", "cookies")
        made = requests.Request(**{name: asked[name] for name in parts if name in asked}).prepare()
        content = made.body.encode() if isinstance(made.body, str) else made.body or b""
        return self._runner.run(self._ask(made, content, case.operation.definition.raw))

    async def _ask(self, made: Any, content: bytes, operation: dict[str, Any]) -> httpx.Response:
        headers = {name: value for name, value in made.headers.items() if name != "Authorization"}
        if operation.get("x-roles") == []:
            headers |= await begin_visit(self.desk, "li")
        else:
            headers["Authorization"] = f"Bearer {self._key}"
        encoded = [(name.encode(), _bytes(value)) for name, value in headers.items()]
        return await self._client.request(made.method, made.url, content=content, headers=encoded)

    def close(self) -> None:
        """Let go of everything."""
        self._runner.run(self._client.aclose())
        self._runner.run(self._opened.__aexit__(None, None, None))


def resource_of(path: str) -> str:
    """The first word of a path."""
    return path.removeprefix(BASE).split("/")[1]


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1")


@pytest.fixture
def asker(sqlite_url: str) -> Iterator[Asker]:
    """The application over SQLite."""
    with asyncio.Runner() as runner:
        asker = Asker(sqlite_url, runner)
        yield asker
        asker.close()


def cases_of(operation: APIOperation[Any, Any, Any, Any], command_id: str) -> st.SearchStrategy[Case]:
    """Requests as the document allows them, of records that are there too, and as it forbids them."""
    good, bad = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
    kinds = [operation.as_strategy(generation_mode=good), operation.as_strategy(generation_mode=bad)]
    known = places_of(operation.path, command_id=command_id)
    named = {one.name: known[one.name] for one in operation.path_parameters}
    if named:
        kinds.append(operation.as_strategy(generation_mode=good, path_parameters=named))
        kinds.append(operation.as_strategy(generation_mode=bad, path_parameters=named))
    return st.one_of(kinds)


def check(case: Case, answer: httpx.Response) -> None:
    """The answer is one of the document's, and a refusal says what is wrong in its one form."""
    case.validate_response(answer, checks=CHECKS)
    kind = answer.headers.get("content-type")
    is_ours = case.operation.path.startswith(BASE) and not case.operation.path.endswith("/import")
    assert not is_ours or answer.status_code < 400 or kind == PROBLEM, (kind, answer.text)


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_operation_keeps_to_the_document(asker: Asker, resource: str) -> None:
    """Whatever is asked, the document says what can come of it."""
    for operation in asker.operations(resource):

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases_of(operation, asker.command_id))
        def ask(case: Case) -> None:
            check(case, asker.send(case))

        ask()


def test_no_operation_is_left_out(desk_document: dict[str, Any]) -> None:
    """Each resource is asked by the test above."""
    assert {resource_of(path) for path in desk_document["paths"]} == set(RESOURCES)
