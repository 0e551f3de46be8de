"""Which tariff applies where and when: versions valid from-to; of assignments the closest wins. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from itertools import zip_longest
from typing import NamedTuple

from csms.domain.tariff import Tariff


class Level(StrEnum):
    """What a tariff is assigned to."""

    CONNECTOR = "connector"
    SITE = "site"
    OPERATOR = "operator"


class Version(NamedTuple):
    """What a tariff says from `valid_from` on, until `valid_until` or until a later version begins."""

    version_id: int
    tariff_id: int
    code: str
    number: int
    valid_from: datetime
    valid_until: datetime | None
    tariff: Tariff


class Assignment(NamedTuple):
    """From `valid_from` on a tariff is for one operator, site, or connector. `place`: see `places`.

    It is its operator's: a site or station that goes to another leaves it behind.
    """

    assignment_id: int
    tariff_id: int
    operator_id: int
    place: tuple[Level, int, int, int]
    valid_from: datetime


class Applied(NamedTuple):
    """The version that applies, and because of which assignment."""

    version: Version
    assignment: Assignment


class Valid(NamedTuple):
    """From when to when (None: no end is known) a version applies."""

    start: datetime
    end: datetime | None
    version: Version


class Where(NamedTuple):
    """A connector of a charging station, or as much as is known of it."""

    operator_id: int | None
    site_id: int | None = None
    station_id: int | None = None
    evse: int = 0
    connector: int = 0


def places(where: Where) -> list[tuple[Level, int, int, int]]:
    """What a tariff for `where` can be assigned to, the closest first."""
    found = []
    if where.station_id is not None:
        found.append((Level.CONNECTOR, where.station_id, where.evse, where.connector))
    if where.site_id is not None:
        found.append((Level.SITE, where.site_id, 0, 0))
    if where.operator_id is not None:
        found.append((Level.OPERATOR, where.operator_id, 0, 0))
    return found


class TariffBook:
    """All versions and assignments. Of several that are valid, the one that began last counts, and of those
    that began together, the one that was made last.
    """

    def __init__(self, versions: Iterable[Version], assignments: Iterable[Assignment]) -> None:
        self._versions: dict[int, list[Version]] = {}
        for version in sorted(versions, key=lambda one: (one.valid_from, one.number), reverse=True):
            self._versions.setdefault(version.tariff_id, []).append(version)
        self._assigned: dict[tuple[Level, int, int, int], list[Assignment]] = {}
        latest = sorted(assignments, key=lambda one: (one.valid_from, one.assignment_id), reverse=True)
        for assignment in latest:
            self._assigned.setdefault(assignment.place, []).append(assignment)

    def applies(self, where: Where, at: datetime) -> Applied | None:
        """The tariff for `where` at an instant: the connector's, else the site's, else the operator's.

        An assignment whose tariff has no valid version counts for nothing.
        """
        for place in places(where):
            given = (one for one in self._assigned.get(place, ()) if one.operator_id == where.operator_id)
            assignment = next((one for one in given if one.valid_from <= at), None)
            version = None if assignment is None else self._version(assignment.tariff_id, at)
            if assignment is not None and version is not None:
                return Applied(version, assignment)
        return None

    def coming(self, where: Where, since: datetime) -> list[Valid]:
        """What applies to `where` from `since` on, in order; times without a tariff are left out."""
        edges = sorted({since, *(at for at in self._edges(where) if at > since)})
        found: list[Valid] = []
        for start, end in zip_longest(edges, edges[1:]):
            applied = self.applies(where, start)
            if applied is None:
                continue
            if found and found[-1].end == start and found[-1].version is applied.version:
                found[-1] = found[-1]._replace(end=end)
            else:
                found.append(Valid(start, end, applied.version))
        return found

    def _edges(self, where: Where) -> Iterator[datetime]:
        """Every time at which another version may begin to apply."""
        for place in places(where):
            for assignment in self._assigned.get(place, ()):
                yield assignment.valid_from
                for version in self._versions.get(assignment.tariff_id, ()):
                    yield version.valid_from
                    if version.valid_until is not None:
                        yield version.valid_until

    def _version(self, tariff_id: int, at: datetime) -> Version | None:
        for version in self._versions.get(tariff_id, ()):
            if version.valid_from <= at and (version.valid_until is None or at < version.valid_until):
                return version
        return None
