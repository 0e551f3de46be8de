"""How city platforms are served, in Prometheus' form. No label names a station.

Counters are sums of the database, the same on every node and after every restart.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from csms.api.parts import ApiParts
from csms.api.platforms import CHINA, figures, timeliness, upload_rate
from csms.errors import StoreUnavailable
from csms.store.platforms import Tally

DAYS = 7
EVER = date(1970, 1, 1)


class PlatformMetrics(Collector):
    """Everything in one collection."""

    def __init__(
        self,
        ever: Sequence[Tally],
        lately: Sequence[Tally],
        limits: Mapping[tuple[str, str], float],
        paused: Mapping[str, bool],
        disputes: Mapping[str, int],
    ) -> None:
        """`ever` since the beginning, `lately` of the last week."""
        self._ever, self._lately, self._limits = ever, lately, limits
        self._paused, self._disputes = paused, disputes

    def collect(self) -> Iterator[Metric]:
        """Every metric with its samples."""
        told = CounterMetricFamily(
            "csms_reports", "Records told to platforms.", labels=("platform", "kind", "outcome")
        )
        late = GaugeMetricFamily(
            "csms_reports_late", "Records that wait longer than allowed.", labels=("platform", "kind")
        )
        for tally in self._ever:
            key = [tally.platform, tally.kind]
            told.add_metric([*key, "on-time"], tally.on_time)
            told.add_metric([*key, "late"], tally.sent - tally.on_time)
            told.add_metric([*key, "disputed"], tally.disputed)
            told.add_metric([*key, "dead"], tally.dead)
            late.add_metric(key, tally.late)
        yield told
        yield late
        yield from self._rates()
        yield _by_platform("csms_platform_paused", "1: nothing is told.", self._paused)
        yield _by_platform("csms_platform_disputes", "Disputes nobody has settled.", self._disputes)

    def _rates(self) -> Iterator[Metric]:
        on_time, uploaded = dict[str, float | None](), dict[str, float | None]()
        for name in sorted({tally.platform for tally in self._lately}):
            mine = [tally for tally in self._lately if tally.platform == name]
            kinds = [figures(tally, self._limits.get((name, tally.kind))) for tally in mine]
            on_time[name], uploaded[name] = timeliness(kinds), upload_rate(mine)
        yield _by_platform("csms_platform_on_time_ratio", "Records told in time, last 7 days.", on_time)
        yield _by_platform("csms_platform_orders_ratio", "Orders accepted of finished, 7 days.", uploaded)


async def platform_metrics(parts: ApiParts) -> PlatformMetrics:
    """As things stand; nothing while the database is away."""
    now: datetime = parts.now()
    today, limits = (now + CHINA).date(), dict(parts.limits)
    names = [one.name for one in parts.settings.reporting.platforms]
    if not names:
        return PlatformMetrics((), (), {}, {}, {})
    try:
        ever = await parts.platforms.tallies(EVER, today, now, limits)
        lately = await parts.platforms.tallies(today - timedelta(days=DAYS - 1), today, now, limits)
        pauses, disputes = await parts.platforms.pauses(), await parts.disputes.open_disputes()
    except StoreUnavailable:
        return PlatformMetrics((), (), {}, {}, {})
    by_settings = {one.name: one.paused for one in parts.settings.reporting.platforms}
    paused = {name: by_settings[name] or bool(pauses.get(name, {}).get("paused")) for name in names}
    return PlatformMetrics(ever, lately, limits, paused, {name: disputes.get(name, 0) for name in names})


def _by_platform(name: str, what: str, numbers: Mapping[str, float | None]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=("platform",))
    for platform, n in numbers.items():
        if n is not None:
            family.add_metric([platform], float(n))
    return family
