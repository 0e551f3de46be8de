"""/metrics: numbers the parts keep anyhow, put into Prometheus' form at scrape time. No per-station label.

Knows the names of metrics; the counting is done elsewhere, in plain numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from csms.store.commit_tallies import CommitTallies


class GatewayNumbers(Protocol):
    """What the gateway counts since the start of the process."""

    @property
    def messages(self) -> Mapping[tuple[str, str], int]:
        """By action and outcome."""

    @property
    def handshakes(self) -> Mapping[str, int]:
        """By outcome."""

    @property
    def closes(self) -> Mapping[int, int]:
        """By WebSocket close code."""

    @property
    def bad_frames(self) -> Mapping[str, int]:
        """By what was wrong."""

    @property
    def commands(self) -> Mapping[tuple[str, str], int]:
        """By command and result."""

    @property
    def latency(self) -> Sequence[int]:
        """Messages by time from frame to answer; one more than there are bounds."""

    @property
    def latency_sum_s(self) -> float:
        """Seconds, all messages together."""

    @property
    def takeovers(self) -> int:
        """Connections that replaced a live one of the same station."""

    @property
    def read_pauses(self) -> int:
        """How often a station's socket was not read for a while."""

    @property
    def send_timeouts(self) -> int:
        """Stations cut off because they did not read."""


class Moment(NamedTuple):
    """What must be asked for at each scrape."""

    connections: Mapping[tuple[str, str], int]  # (OCPP version, state) -> open sockets
    outbox_depth: Mapping[str, int]  # platform -> records that wait
    outbox_age_s: Mapping[str, float]  # platform -> how long the oldest has waited
    settling_age_s: float  # how long the longest due session has waited to be priced and totalled
    writes_waiting: int
    store_healthy: bool
    messages_dropped: int  # message log entries lost because too many waited
    batch_results: Mapping[str, int]  # stations that were given a batch's command, by result
    city_queries: Mapping[tuple[str, str, str], int] = {}  # by platform, kind of query, and Ret
    alarms: Mapping[tuple[str, str], int] = {}  # open ones by kind and severity
    live_readers: int = 0
    workers: int = 1
    sign_ins: Mapping[str, int] = {}  # people's attempts by how they went


class Metrics(Collector):
    """Everything in one collection."""

    def __init__(
        self,
        gateway: GatewayNumbers,
        latency_bounds_s: Sequence[float],
        commits: CommitTallies,
        moment: Moment,
    ) -> None:
        self._gateway, self._bounds, self._commits, self._moment = gateway, latency_bounds_s, commits, moment

    def collect(self) -> Iterator[Metric]:
        """Every metric with its samples."""
        yield from self._of_the_gateway()
        yield from self._of_the_store()
        yield from self._of_the_outbox()
        yield _gauge("csms_alarms", "Open alarms.", ("kind", "severity"), self._moment.alarms)
        what = "People's attempts to sign in."
        yield _counter("csms_sign_ins", what, ("outcome",), _single(self._moment.sign_ins))
        yield GaugeMetricFamily("csms_live_readers", "Open live streams.", value=self._moment.live_readers)

    def _of_the_gateway(self) -> Iterator[Metric]:
        numbers = self._gateway
        yield _gauge("csms_connections", "Open connections.", ("version", "state"), self._moment.connections)
        what = "Processes that let charging stations in."
        yield GaugeMetricFamily("csms_workers", what, value=self._moment.workers)
        yield _counter("csms_messages", "Messages by outcome.", ("action", "outcome"), numbers.messages)
        yield _counter("csms_handshakes", "WebSocket handshakes.", ("outcome",), _single(numbers.handshakes))
        what = "Stations given the command of a batch."
        yield _counter("csms_batch_items", what, ("result",), _single(self._moment.batch_results))
        closes = {(str(code),): n for code, n in numbers.closes.items()}
        yield _counter("csms_closes", "Connections closed.", ("code",), closes)
        yield _counter("csms_bad_frames", "Frames refused.", ("error",), _single(numbers.bad_frames))
        yield _counter("csms_commands", "Commands to stations.", ("command", "result"), numbers.commands)
        yield _histogram(
            "csms_message_seconds",
            "Time from a station's frame to its answer.",
            self._bounds,
            numbers.latency,
            numbers.latency_sum_s,
        )
        plain = {
            "csms_takeovers": ("Connections that replaced a live one.", numbers.takeovers),
            "csms_read_pauses": ("Times a socket was not read.", numbers.read_pauses),
            "csms_send_timeouts": ("Stations cut off for not reading.", numbers.send_timeouts),
            "csms_message_log_dropped": ("Message log entries lost.", self._moment.messages_dropped),
        }
        for name, (what, n) in plain.items():
            yield CounterMetricFamily(name, what, value=n)

    def _of_the_store(self) -> Iterator[Metric]:
        rows, seconds = self._commits.rows, self._commits.seconds
        yield _histogram("csms_commit_rows", "Rows of a commit.", rows.bounds, rows.counts, rows.total)
        yield _histogram(
            "csms_commit_seconds", "Duration of a commit.", seconds.bounds, seconds.counts, seconds.total
        )
        waiting, healthy = self._moment.writes_waiting, self._moment.store_healthy
        yield GaugeMetricFamily("csms_writes_waiting", "Writes waiting for a commit.", value=waiting)
        yield GaugeMetricFamily("csms_store_healthy", "1: the database takes writes.", value=int(healthy))

    def _of_the_outbox(self) -> Iterator[Metric]:
        depth, age = self._moment.outbox_depth, self._moment.outbox_age_s
        yield _gauge("csms_outbox_depth", "Records owed to a platform.", ("platform",), _single(depth))
        what = "How long the oldest record has been owed."
        yield _gauge("csms_outbox_age_seconds", what, ("platform",), _single(age))
        what = "Queries of city platforms; without a platform they were no envelope, or a stranger's."
        labels = ("platform", "query", "ret")
        yield _counter("csms_city_queries", what, labels, self._moment.city_queries)
        what = "How long a session has waited to be priced, totalled and owed."
        yield GaugeMetricFamily("csms_settling_age_seconds", what, value=self._moment.settling_age_s)


def _single(numbers: Mapping[str, float]) -> dict[tuple[str, ...], float]:
    return {(name,): n for name, n in numbers.items()}


Labelled = (
    Mapping[tuple[str, str, str], float]
    | Mapping[tuple[str, str], float]
    | Mapping[tuple[str, ...], float]
    | Mapping[tuple[str], float]
)


def _counter(name: str, what: str, labels: Sequence[str], numbers: Labelled) -> Metric:
    return _filled(CounterMetricFamily(name, what, labels=labels), numbers)


def _gauge(name: str, what: str, labels: Sequence[str], numbers: Labelled) -> Metric:
    return _filled(GaugeMetricFamily(name, what, labels=labels), numbers)


def _filled(family: CounterMetricFamily | GaugeMetricFamily, numbers: Labelled) -> Metric:
    # A copy: the counting goes on while the text is written.
    for values, n in list(numbers.items()):
        family.add_metric([str(value) for value in values], n)
    return family


def _histogram(
    name: str, what: str, bounds: Sequence[float], counts: Sequence[int], total: float
) -> HistogramMetricFamily:
    """`counts` has one more than `bounds`, each the number under its bound alone; Prometheus adds them up."""
    buckets: list[tuple[str, float]] = []
    so_far = 0
    for bound, n in zip([*map(str, bounds), "+Inf"], counts, strict=True):
        so_far += n
        buckets.append((bound, so_far))
    family = HistogramMetricFamily(name, what)
    family.add_metric([], buckets, total)
    return family
