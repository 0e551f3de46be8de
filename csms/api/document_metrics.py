"""How schedules' deliveries fare, in Prometheus' form. Sums of the database, the same on every node."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from csms.api.parts import ApiParts
from csms.errors import StoreUnavailable
from csms.store.deliveries import Tallies

NONE = Tallies({}, None)


class DocumentMetrics(Collector):
    """Everything in one collection."""

    def __init__(self, tallies: Tallies, running: int, now: datetime) -> None:
        self._tallies, self._running, self._now = tallies, running, now

    def collect(self) -> Iterator[Metric]:
        """Every metric with its samples."""
        found = GaugeMetricFamily(
            "csms_report_deliveries", "Files of schedules that are kept in the history.", labels=("state",)
        )
        for state in ("waiting", "delivered", "failed"):
            found.add_metric([state], self._tallies.states.get(state, 0))
        yield found
        oldest = self._tallies.oldest
        late_s = 0.0 if oldest is None else max((self._now - oldest).total_seconds(), 0.0)
        yield GaugeMetricFamily(
            "csms_report_delivery_age_seconds", "Age of the oldest file that waits.", value=late_s
        )
        yield GaugeMetricFamily(
            "csms_exports_running", "Files being made by this process.", value=self._running
        )


async def delivery_tallies(parts: ApiParts) -> Tallies:
    """As things stand; no deliveries while the database is away."""
    try:
        return await parts.deliveries.tallies()
    except StoreUnavailable:
        return NONE
