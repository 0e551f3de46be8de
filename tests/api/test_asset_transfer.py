"""/assets/import, /export, /template."""

from typing import Any

from csms.api.shield import LARGER_BODIES
from csms.sheets.reading import tables_of
from csms.store.tables import audit_log

MINE, OTHER = "123456789", "987654321"
BASE = "/api/v1/assets"
GOOD = f"operator,site,area_code\n{MINE},S01,110105\n{MINE},S02,110108\n"


async def test_all_or_nothing(desk_on_each: Any) -> None:
    """A dry run tells with 200, a refused import with 422, both by row and column; a good one counts."""
    bad = GOOD + f"{MINE},S03,north\n"
    async with await desk_on_each.client() as client:
        dry = await client.post(f"{BASE}/import?dry_run=true", content=bad)
        refused = await client.post(f"{BASE}/import", content=bad)
        before = (await client.get(f"{BASE}/sites?operator={MINE}")).json()["items"]
        done = await client.post(f"{BASE}/import", content=GOOD)
        again = await client.post(f"{BASE}/import", content=GOOD)

    assert (dry.status_code, refused.status_code) == (200, 422)
    (problem,) = refused.json()["problems"]
    assert (problem["row"], problem["column"]) == (4, "area_code")
    assert dry.json()["problems"] == refused.json()["problems"]
    assert dry.json()["outcome"] == refused.json()["outcome"] == "refused"
    assert [each["site"] for each in before] == ["S01"]
    assert done.json() == {
        "outcome": "imported",
        "counts": {"sites": {"added": 1, "changed": 1, "unchanged": 0}},
        "problems": [],
    }
    assert again.json()["counts"] == {"sites": {"added": 0, "changed": 0, "unchanged": 2}}
    assert [row["action"] for row in await desk_on_each.rows(audit_log)].count("assets-import") == 2


async def test_export_and_template(desk: Any) -> None:
    """What is exported is imported without a change; a template has every column."""
    async with await desk.client() as client:
        await client.post(f"{BASE}/import", content=GOOD)
        book = await client.get(f"{BASE}/export?format=xlsx")
        lines = await client.get(f"{BASE}/export?of=sites&operator={OTHER}")
        again = await client.post(f"{BASE}/import", content=book.content)
        empty = await client.get(f"{BASE}/template?of=connectors")

    assert [each.name for each in tables_of(book.content)] == [
        "operators",
        "sites",
        "equipment",
        "connectors",
    ]
    assert again.json()["counts"]["sites"]["unchanged"] == 2
    assert "attachment" in book.headers["content-disposition"]
    assert lines.text.count("\r\n") == 2
    assert "connector_id" in empty.text


async def test_what_is_no_table_and_what_is_too_large(desk: Any) -> None:
    """422 and 413; only this path takes more than other bodies."""
    most = LARGER_BODIES[f"{BASE}/import"]
    async with await desk.client() as client:
        nothing = await client.post(f"{BASE}/import", content=b"\x89PNG\xff\xff")
        large = await client.post(f"{BASE}/import", content=b"x" * (most + 1))

    assert nothing.status_code == 422
    assert large.status_code == 413
    assert str(most) in large.json()["detail"]


async def test_a_limited_key_imports_its_own(desk: Any) -> None:
    """Another's rows are like those of nobody; viewers import nothing."""
    async with await desk.client(operator=OTHER) as client:
        refused = await client.post(f"{BASE}/import", content=GOOD)
    async with await desk.client("viewer") as client:
        forbidden = await client.post(f"{BASE}/import", content=GOOD)

    assert {each["column"] for each in refused.json()["problems"]} == {"operator"}
    assert forbidden.status_code == 403


async def test_the_yearbook_is_answered(desk: Any) -> None:
    """As JSON; a date is needed."""
    async with await desk.client("viewer") as client:
        book = await client.get("/api/v1/reports/yearbook?as_of=2025-12-31")
        none = await client.get("/api/v1/reports/yearbook")

    assert book.status_code == 200, book.text
    assert [row["name"] for row in book.json()["rows"]] == [
        "operators",
        "sites",
        "chargers",
        "energy",
        "sessions",
    ]
    assert book.json()["unentered"] == 2
    assert none.status_code == 422
