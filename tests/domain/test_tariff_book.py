"""The closest assignment wins, and the version that is valid."""

from datetime import timedelta

from csms.domain.tariff_book import Assignment, Level, TariffBook, Version, Where, places
from tests.domain.prices import BEIJING
from tests.domain.story import T0

DAY = timedelta(days=1)
HERE = Where(1, 2, 3, 1, 1)
CONNECTOR, SITE, OPERATOR = places(HERE)


def version(tariff_id: int, number: int = 1, since: int = 0, until: int | None = None) -> Version:
    """Valid from day `since` to day `until`."""
    end = None if until is None else T0 + until * DAY
    return Version(
        10 * tariff_id + number, tariff_id, f"T{tariff_id}", number, T0 + since * DAY, end, BEIJING
    )


def applied(book: TariffBook, day: int, where: Where = HERE) -> tuple[str, int, str] | None:
    """Code, version and level."""
    found = book.applies(where, T0 + day * DAY)
    return (
        None if found is None else (found.version.code, found.version.number, found.assignment.place[0].value)
    )


def test_the_closest_assignment_wins() -> None:
    """Connector before site before operator, each from its own day on."""
    book = TariffBook(
        [version(n) for n in (1, 2, 3)],
        [
            Assignment(1, 1, 1, OPERATOR, T0),
            Assignment(2, 2, 1, SITE, T0 + DAY),
            Assignment(3, 3, 1, CONNECTOR, T0 + 2 * DAY),
        ],
    )
    assert [applied(book, day) for day in (-1, 0, 1, 2)] == [
        None,
        ("T1", 1, "operator"),
        ("T2", 1, "site"),
        ("T3", 1, "connector"),
    ]
    assert applied(book, 9, HERE._replace(evse=2)) == ("T2", 1, "site")
    assert applied(book, 9, Where(1)) == ("T1", 1, "operator")
    assert applied(book, 9, Where(None)) is None
    assert places(HERE) == [(Level.CONNECTOR, 3, 1, 1), (Level.SITE, 2, 0, 0), (Level.OPERATOR, 1, 0, 0)]


def test_versions_follow_each_other() -> None:
    """A later one ends the one before; of two from one day the later made counts; one may have an end."""
    book = TariffBook(
        [version(1), version(1, 2, 5), version(1, 3, 5), version(1, 4, 8, 9)], [Assignment(1, 1, 1, SITE, T0)]
    )
    assert [applied(book, day) for day in (0, 4, 5, 8, 9)] == [
        ("T1", 1, "site"),
        ("T1", 1, "site"),
        ("T1", 3, "site"),
        ("T1", 4, "site"),
        ("T1", 3, "site"),
    ]


def test_assignments_follow_each_other() -> None:
    """The one that began last counts, and of those that began together the one made last."""
    book = TariffBook(
        [version(1), version(2), version(3)],
        [
            Assignment(1, 1, 1, SITE, T0),
            Assignment(2, 2, 1, SITE, T0 + DAY),
            Assignment(3, 3, 1, SITE, T0 + DAY),
        ],
    )
    assert [applied(book, day) for day in (0, 1)] == [("T1", 1, "site"), ("T3", 1, "site")]


def test_an_assignment_without_a_valid_version_counts_for_nothing() -> None:
    """The site's tariff is over: the operator's applies."""
    book = TariffBook(
        [version(1), version(2, 1, 0, 3)], [Assignment(1, 1, 1, OPERATOR, T0), Assignment(2, 2, 1, SITE, T0)]
    )
    assert [applied(book, day) for day in (2, 3)] == [("T2", 1, "site"), ("T1", 1, "operator")]


def test_a_tariff_stays_with_its_operator() -> None:
    """A station, or a site with its stations, that goes to another: that one's own tariff applies."""
    book = TariffBook(
        [version(n) for n in (1, 2, 3, 4)],
        [
            Assignment(1, 1, 1, CONNECTOR, T0),
            Assignment(2, 2, 1, SITE, T0),
            Assignment(3, 3, 9, (Level.OPERATOR, 9, 0, 0), T0),
        ],
    )

    assert applied(book, 1) == ("T1", 1, "connector")
    assert applied(book, 1, HERE._replace(operator_id=9)) == ("T3", 1, "operator")
    assert applied(book, 1, HERE._replace(operator_id=8)) is None
