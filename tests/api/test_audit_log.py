"""The audit log as administrators read it: filters, text, pages."""

from datetime import timedelta
from typing import Any

import pytest

from csms.store import audit_queries
from csms.store.records import AuditRow


async def fill(desk: Any, count: int = 6) -> None:
    """Entries of two people, a minute apart."""
    for number in range(count):
        at = desk.clock[0] + timedelta(minutes=number)
        who = ("user:li", "user:wang")[number % 2]
        row = AuditRow.of(at, who, f"did-{number % 3}", f"CS-{number}", {"note": f"100%_{number}"})
        await desk.parts.desk.audit(row)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [5, 4, 3, 2, 1, 0]),
        ({"actor": "user:li"}, [4, 2, 0]),
        ({"action": "did-1"}, [4, 1]),
        ({"subject": "CS-3"}, [3]),
        ({"text": "100%_2"}, [2]),
        ({"text": "cs-4"}, [4]),
        ({"actor": "user:li", "from": "2026-01-01T12:01:00Z", "to": "2026-01-01T12:04:00Z"}, [2]),
    ],
)
async def test_filters(desk_on_each: Any, asked: dict[str, str], found: list[int]) -> None:
    """Newest first; wildcards are letters, and letters are found in either case."""
    await fill(desk_on_each)
    async with await desk_on_each.client() as client:
        answer = await client.get("/api/v1/audit", params=asked)

    subjects = [one["subject"] for one in answer.json()["items"]]
    assert subjects == [f"CS-{number}" for number in found]


async def test_pages(desk_on_each: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By cursor; a search for text stops after a bounded number of entries and goes on from there."""
    await fill(desk_on_each, 12)
    monkeypatch.setattr(audit_queries, "MOST_SEARCHED", 5)
    async with await desk_on_each.client() as client:
        for asked, wanted in (({"limit": 5}, 12), ({"text": "100%_1", "limit": 5}, 3)):
            seen, after = [], None
            while True:
                page = (
                    await client.get("/api/v1/audit", params=asked | ({"after": after} if after else {}))
                ).json()
                seen += [one["subject"] for one in page["items"]]
                after = page["next"]
                if after is None:
                    break
            assert len(seen) == len(set(seen)) == wanted
