"""Records as values of columns."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from csms.sheets.columns import Column, Kind, plain, row_of

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("kind", "places", "value", "expected"),
    [
        (Kind.TEXT, 0, 5, "5"),
        (Kind.TEXT, 0, ["a", "b"], "a b"),
        (Kind.TEXT, 0, None, None),
        (Kind.WHOLE, 0, 5, 5),
        (Kind.DECIMAL, 3, 22_500, Decimal("22.500")),
        (Kind.DECIMAL, 3, 0, Decimal("0.000")),
        (Kind.DECIMAL, 2, "12.30", Decimal("12.30")),
        (Kind.YES_NO, 0, False, False),
        (Kind.DAY, 0, "2026-02-28", date(2026, 2, 28)),
    ],
)
def test_values(kind: Kind, places: int, value: Any, expected: Any) -> None:
    """Integers count units of the last digit; decimal text is taken as it is."""
    (found,) = row_of([Column("c", "c", "C", kind, places)], {"c": value}, NEW_YORK)

    assert (found, str(found)) == (expected, str(expected))


def test_times_are_those_of_the_zone() -> None:
    """Through a change of summer time; plain text has no offset, as its title names the zone."""
    column = Column("at", "at", "At", Kind.INSTANT)
    rows = [
        row_of([column], {"at": at}, NEW_YORK)[0] for at in ("2026-03-08T06:59:59Z", "2026-03-08T07:00:00Z")
    ]

    assert [plain(at) for at in rows] == ["2026-03-08 01:59:59", "2026-03-08 03:00:00"]
    assert plain(date(2026, 1, 2)) == "2026-01-02"
    assert plain(Decimal("1.50")) == Decimal("1.50")
    assert rows[0] == datetime.fromisoformat("2026-03-08T06:59:59Z")
