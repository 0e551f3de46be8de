"""The API client: pages, patience and where the key comes from."""

import sys
from pathlib import Path

import httpx
import pytest

from simulators import management
from simulators.management import ApiError, Management, find_key


def client(
    answers: list[httpx.Response | Exception], patience_s: float = 5
) -> tuple[Management, list[httpx.Request]]:
    """A client whose server gives these answers in turn."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        following = answers.pop(0)
        if isinstance(following, Exception):
            raise following
        return following

    api = Management("http://csms", "KEY", patience_s)
    api._client = httpx.AsyncClient(base_url="http://csms", transport=httpx.MockTransport(answer))
    return api, asked


async def test_all_pages_are_read() -> None:
    """The cursor is handed back until there is none."""
    first = {"items": [{"session_id": 1}], "next": "c1"}
    api, asked = client([httpx.Response(200, json=page) for page in (first, {"items": [], "next": None})])
    async with api:
        assert await api.sessions_at(["S1"]) == [{"session_id": 1}]
    assert [dict(request.url.params).get("after") for request in asked] == [None, "c1"]


async def test_a_server_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connection errors and 503 are tried again."""
    monkeypatch.setattr(management, "RETRY_S", 0.001)
    away = [httpx.ConnectError("refused"), httpx.Response(503), httpx.Response(201, json={})]
    api, asked = client([*away])
    async with api:
        await api.put("sites", [{"code": "S"}])
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("answer", "patience_s"), [(httpx.Response(422, text="bad"), 5), (httpx.Response(503), 0)]
)
async def test_errors_are_told(answer: httpx.Response, patience_s: float) -> None:
    """What will not get better, or not in time, is an error with the server's words."""
    api, _ = client([answer], patience_s)
    async with api:
        with pytest.raises(ApiError, match=str(answer.status_code)):
            await api.readings_count("1")


def test_the_key_is_the_one_given_or_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line comes first."""
    monkeypatch.setenv("CSMS_API_KEY", "env")
    assert find_key("given") == "given"
    assert find_key(None) == "env"


def test_the_key_is_asked_of_the_csms_beside_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line printed is the key; a failure is told."""
    monkeypatch.delenv("CSMS_API_KEY", raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ApiError, match="api-key create"):
        find_key(None)

    csms = tmp_path / "csms"
    csms.write_text('#!/bin/sh\necho "$@"\necho fresh-key\n')
    csms.chmod(0o755)

    assert find_key(None) == "fresh-key"
