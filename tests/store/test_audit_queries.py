"""What the audit log's queries find is tested in `tests/api/test_audit_log.py`; here are their plans."""

import pytest
from sqlalchemy import text

from csms.store.audit_queries import AuditFilter, _selected, a
from csms.store.database import Database


@pytest.mark.parametrize("wanted", [{}, {"actor": "user:li"}, {"action": "sign-in"}, {"subject": "CS-1"}])
async def test_no_filter_scans_the_table(sqlite_url: str, wanted: dict[str, str]) -> None:
    """An index or the primary key gives the order: nothing is sorted, and a page is a page."""
    database = await Database.open(sqlite_url)
    query = _selected(AuditFilter(**wanted)).order_by(a.c.audit_id.desc()).limit(10)
    compiled = query.compile(dialect=database.dialect_of, compile_kwargs={"literal_binds": True})
    plan = str(await database.read(text(f"EXPLAIN QUERY PLAN {compiled}")))
    await database.close()

    assert "TEMP B-TREE" not in plan
    assert ("SEARCH" in plan) == bool(wanted)
