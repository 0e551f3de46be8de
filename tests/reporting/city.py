"""The city of the published table: 47 operators, 2,077 sites and 115,107 chargers, put in through the store.

Before 2017: 23 operators, 1,406 sites, 12,146 social-public chargers; the rest joined in 2017. Private and
dedicated chargers stand at sites of their own kind, which the table does not count.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from csms.domain.inventory import (
    AssetRecord,
    ChargerClass,
    EquipmentKind,
    EquipmentRecord,
    OperatorRecord,
    SiteKind,
    SiteRecord,
)

OPERATORS, SITES, CHARGERS = (23, 47), (1406, 2077), (12_146, 18_807)
PRIVATE, DEDICATED, WORKPLACE = 83_300, 13_000, 4_000
EARLY, LATE = datetime(2015, 1, 10, tzinfo=UTC), datetime(2017, 1, 10, tzinfo=UTC)


def code(n: int) -> str:
    """The n-th operator's code."""
    return f"MA{n:07d}"


def operators() -> list[OperatorRecord]:
    """All of them, in the order in which they joined."""
    return [
        OperatorRecord(code(n), f"Operator {n}", joined_at=_joined(n, OPERATORS)) for n in range(OPERATORS[1])
    ]


def sites() -> list[SiteRecord]:
    """The public sites on a grid over the city, and one for private, one for dedicated chargers."""
    made = []
    for n in range(SITES[1]):
        whose = n % OPERATORS[0] if n < SITES[0] else n % OPERATORS[1]
        where = (39.75 + 0.4 * (n // 46) / 46, 116.2 + 0.5 * (n % 46) / 46)
        made.append(_site(f"S{n:04d}", whose, SiteKind.PUBLIC, _joined(n, SITES), where))
    others = (("HOME", SiteKind.PRIVATE), ("DEPOT", SiteKind.WORKPLACE))
    return [*made, *(_site(name, 0, kind, EARLY, (39.9, 116.4)) for name, kind in others)]


def chargers(*, social_only: bool = False) -> Iterator[EquipmentRecord]:
    """Every charger, in the order in which they joined."""
    public = sites()[: SITES[1]]
    for n in range(CHARGERS[1]):
        here = public[n % SITES[0] if n < CHARGERS[0] else n % SITES[1]]
        joined = max(_joined(n, CHARGERS), here.joined_at or EARLY)
        yield _charger(here.operator, here.site, f"E{n:06d}", ChargerClass.SOCIAL_PUBLIC, joined)
    if social_only:
        return
    numbers = count(CHARGERS[1])
    for number, kind, where in (
        (PRIVATE, ChargerClass.PRIVATE, "HOME"),
        (DEDICATED - WORKPLACE, ChargerClass.PUBLIC_DEDICATED, "DEPOT"),
        (WORKPLACE, ChargerClass.WORKPLACE_INTERNAL, "DEPOT"),
    ):
        for _ in range(number):
            yield _charger(code(0), where, f"E{next(numbers):06d}", kind, EARLY)


def everything() -> list[AssetRecord]:
    """The whole city."""
    return [*operators(), *sites(), *chargers()]


def _joined(n: int, steps: tuple[int, int]) -> datetime:
    # Spread over 2015 to 2016, or over 2017, each a little after the one before it.
    if n < steps[0]:
        return EARLY + timedelta(days=700) * n / (steps[0] * 2)
    return LATE + timedelta(days=350) * (n - steps[0]) / (steps[1] - steps[0])


def _site(name: str, whose: int, kind: SiteKind, joined: datetime, where: tuple[float, float]) -> SiteRecord:
    late = max(joined, operators_joined(whose))
    return SiteRecord(
        code(whose),
        name,
        name,
        f"Site {name}",
        kind=kind,
        latitude=where[0],
        longitude=where[1],
        joined_at=late,
    )


def operators_joined(n: int) -> datetime:
    """When the n-th operator joined."""
    return _joined(n, OPERATORS)


def _charger(whose: str, site: str, name: str, kind: ChargerClass, joined: datetime) -> EquipmentRecord:
    """One charger."""
    return EquipmentRecord(
        whose, site, name, kind=EquipmentKind.AC, power_w=7000, charger_class=kind, joined_at=joined
    )
