"""Snapshots of any instant, and the work of a span; what a yearbook makes of them is tested with it."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csms.domain.inventory import ChargerClass, EquipmentRecord, OperatorRecord, SiteRecord
from csms.store.asset_counts import AssetCounts
from csms.store.assets import AssetStore
from csms.store.database import InlineDatabase
from csms.store.migrations import upgrade_database

A = "MA1JXN9C2"
T0 = datetime(2016, 1, 1, tzinfo=UTC)
NOW = T0 + timedelta(days=2000)
CLASS = ChargerClass.SOCIAL_PUBLIC
SPANS = st.lists(st.tuples(st.integers(0, 900), st.none() | st.integers(1, 900)), max_size=12)


def day(n: int) -> datetime:
    """So many days after the beginning."""
    return T0 + timedelta(days=n)


@given(SPANS, st.integers(-5, 2000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_a_snapshot_counts_what_was_there(spans: list[tuple[int, int | None]], asked: int) -> None:
    """Whatever joined before and had not retired, for every instant; and how long all were there."""
    database = InlineDatabase()
    await upgrade_database(database)
    chargers = [
        EquipmentRecord(
            A,
            "S1",
            f"E{n}",
            charger_class=CLASS,
            joined_at=day(start),
            retired_at=day(start + stay) if stay else None,
        )
        for n, (start, stay) in enumerate(spans)
    ]
    records = [OperatorRecord(A, joined_at=day(0)), SiteRecord(A, "S1", "S1", joined_at=day(0)), *chargers]
    assert (await AssetStore(database).put(records, NOW)).problems == []
    counts = AssetCounts(database)

    found = await counts.at(day(asked), (CLASS,))
    work = await counts.work(day(0), day(1000))

    present = [s for s, stay in spans if s <= asked and (stay is None or asked < s + stay)]
    assert found.chargers == len(present)
    assert found.sites == int(bool(present))
    assert found.operators == int(asked >= 0)
    ends = [min(s + stay, 1000) if stay else 1000 for s, stay in spans]
    assert work.charger_s == 86_400 * sum(end - s for end, (s, _) in zip(ends, spans, strict=True))
    await database.close()
