"""Lines of a page: every subject in every period, once, whatever the size of the pages."""

from datetime import timedelta

import pytest

from csms.errors import InvalidInput
from csms.store.database import Database
from csms.store.paging import cursor_of
from csms.store.platform_lines import Cursor, Line, PlatformFilter, cursor, page_of, span_of
from csms.store.platform_subjects import Scope
from csms.store.registry import OperatorForm, Registry, SiteForm, StationForm
from csms.store.times import micros
from tests.store.test_use_days import MIDNIGHT

DAY = timedelta(days=1)
NOW = MIDNIGHT + 3 * DAY


async def network(database: Database) -> None:
    """Three operators of two clocks, each with two sites of two stations."""
    registry = Registry(database)
    clocks = ("Asia/Shanghai", "Asia/Urumqi", "Asia/Shanghai")
    for n, clock in enumerate(clocks):
        code = f"{n:09}"
        await registry.put_operator(OperatorForm(code, "", clock))
        for site in ("A", "B"):
            await registry.put_site(SiteForm(site, code, ""))
            for k in (1, 2):
                form = StationForm(f"CS-{n}{site}-{k}", site, operator=code)
                await registry.put_station(form, MIDNIGHT)


def name_of(line: Line) -> tuple[str, str | None, str]:
    """A line as text."""
    return f"{line.span.start:%d %H}", line.subject.operator, line.subject.id


@pytest.mark.parametrize("of", ["equipment", "site", "operator", "district", "city"])
@pytest.mark.parametrize("most", [1, 3, 50])
async def test_every_line_once(database: Database, of: str, most: int) -> None:
    """Hours are left alone: they have lines before anything was ever told."""
    await network(database)
    wanted = PlatformFilter("hour", Scope(of), NOW - timedelta(hours=2), NOW)
    span, found, after = span_of(wanted, NOW), list[Line](), None

    while True:
        page, more = await database.browse(
            lambda connection, after=after: page_of(wanted, span, after, most, connection)
        )
        assert 0 < len(page) <= most
        found += page
        if not more:
            break
        after = cursor(page[-1])

    subjects = {"equipment": 12, "site": 6, "operator": 3, "district": 2, "city": 2}[of]
    assert len(found) == 2 * subjects
    assert len({(name_of(line), line.subject.zone) for line in found}) == 2 * subjects
    starts = [line.span.start for line in found]
    assert starts == sorted(starts)


async def test_days_before_anything_was_known_have_no_lines(database: Database) -> None:
    """A question from the year 2000 on is no thousand empty pages."""
    await network(database)
    wanted = PlatformFilter("day", Scope("site"), MIDNIGHT - 3000 * DAY, NOW)

    page, more = await database.browse(
        lambda connection: page_of(wanted, span_of(wanted, NOW), None, 1000, connection)
    )

    assert not more
    assert {line.span.start for line in page} <= {
        NOW - DAY,
        NOW - 2 * DAY,
        NOW - 2 * DAY + timedelta(hours=2),
    } | {NOW - DAY + timedelta(hours=2)}


def test_a_cursor_is_one_of_ours() -> None:
    """Anything else is refused, also times that cannot be."""
    made = cursor_of(micros(MIDNIGHT), "UTC", "CS-1", "", 1, 2)
    assert Cursor.of(made) == Cursor(micros(MIDNIGHT), "UTC", ("CS-1", "", 1, 2))
    assert Cursor.of(None) is None
    for wrong in ("x", cursor_of(1), cursor_of(2**62, "UTC", "", "", 0, 0)):
        with pytest.raises(InvalidInput):
            Cursor.of(wrong)
