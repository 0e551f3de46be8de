"""Audit: who changed what, with the details."""

from tests.console.kit import running


async def test_changes_are_there(sqlite_url: str) -> None:
    """A change through the API is listed with who made it, what it was about, and from where."""
    async with running(sqlite_url) as kit:
        async with await kit.desk.client() as client:
            made = await client.post("/api/v1/id-tokens", json={"token": "B7", "type": "ISO14443"})
        page = await kit.page("/audit")

    assert made.status_code == 201
    for part in ("admin of a test", "B7", "192.0.2.99"):
        assert part in page
