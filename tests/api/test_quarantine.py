"""/quarantine: unknown stations listed, approved, dismissed."""

from typing import Any


async def test_quarantine(desk: Any) -> None:
    """Unknown stations are listed, approved with a password, or dismissed; then they are gone from it."""
    for identity in ("CS-A", "CS-B", "<script>"):
        await desk.parts.registry.put_in_quarantine(identity, "192.0.2.1", "not registered", desk.clock[0])

    async with await desk.client() as client:
        before = (await client.get("/api/v1/quarantine")).json()
        approved = await client.post("/api/v1/quarantine/CS-A/approve", json={"site": "S01"})
        denied = await client.post("/api/v1/quarantine/CS-B/deny")
        odd = await client.post("/api/v1/quarantine/%3Cscript%3E/deny")
        twice = await client.post("/api/v1/quarantine/CS-B/deny")
        unknown = await client.post("/api/v1/quarantine/CS-A/approve", json={})
        after = (await client.get("/api/v1/quarantine")).json()

    assert {each["identity"] for each in before["items"]} == {"CS-A", "CS-B", "<script>"}
    assert approved.json()["verdict"] == "approved"
    assert len(approved.json()["password"]) == 20
    assert (denied.status_code, odd.status_code, twice.status_code, unknown.status_code) == (
        200,
        200,
        404,
        404,
    )
    assert after == {"items": []}
    station = await desk.parts.registry.station("CS-A")
    assert station.site_code == "S01"
