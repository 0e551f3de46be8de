"""What nobody means and somebody sends, in each place of each operation in turn: refused, or of no harm.

What a database does not take differs: PostgreSQL has no NUL and no integer of 65 bits.
"""

from typing import Any

import pytest

from tests.api.conftest import Desk, opened
from tests.api.kit import begin_visit, odd_requests, prepare

ODD = [
    ("sqlite_url", "a\ud800b"),  # half a surrogate pair: JSON can say it, UTF-8 cannot
    ("postgres_url", "\0"),
    ("postgres_url", 2**63),
]
ENDLESS = "/api/v1/live"


@pytest.fixture(params=ODD, ids=["half-a-letter", "nul", "65-bits"])
def odd_for(request: pytest.FixtureRequest) -> tuple[str, Any]:
    """A database's address and a value."""
    fixture, odd = request.param
    return request.getfixturevalue(fixture), odd


async def test_an_odd_value_harms_nothing(odd_for: tuple[str, Any]) -> None:
    """No failure of the server, and no status that the document does not have."""
    url, odd = odd_for
    async with opened(url) as desk:
        command_id, document = await prepare(desk), desk.app.openapi()

        wrong, asked = [], 0
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                sent = odd_requests(document, path, operation, odd, command_id=command_id)
                for address, content in sent if path != ENDLESS else ():
                    answer = await _answer(desk, method, address, content, operation)
                    asked += 1
                    if answer.status_code >= 500 or str(answer.status_code) not in operation["responses"]:
                        wrong.append((method, address, content, answer.status_code, answer.text[:200]))

    assert wrong == []
    assert asked > 500


async def _answer(desk: Desk, method: str, url: str, content: bytes | None, operation: Any) -> Any:
    headers = {"Content-Type": "application/json"}
    if operation.get("x-roles") == []:
        headers |= await begin_visit(desk, "wang")
    else:
        headers["Authorization"] = f"Bearer {await desk.key()}"
    async with desk.anonymous(headers) as client:
        return await client.request(method, url, content=content)
