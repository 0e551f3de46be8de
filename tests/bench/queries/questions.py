"""What people ask of a large network, as requests with other parameters each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from tests.bench.queries.city import HEARD_EVERY, OPERATORS, SITES, TOKENS, Size

Ask = Callable[["Draw"], str]


@dataclass(frozen=True, slots=True)
class Draw:
    """Chooses what a request is about: anything that is there."""

    random: Random
    size: Size

    @property
    def operator(self) -> str:
        return f"OP{1_000_000 + self.random.randrange(OPERATORS)}"

    @property
    def site(self) -> str:
        return f"SITE-{10_000 + self.random.randrange(SITES)}"

    @property
    def station(self) -> str:
        return f"CS-{1_000_000 + self.random.randrange(self.size.stations)}"

    @property
    def token(self) -> str:
        return f"TOK{self.random.randrange(min(TOKENS, self.size.sessions))}"

    @property
    def session(self) -> int:
        return self.random.randrange(self.size.sessions) + 1

    @property
    def metered(self) -> int:
        """A session with readings."""
        return self.session // HEARD_EVERY * HEARD_EVERY or HEARD_EVERY

    def ended(self, length: int) -> str:
        """A stretch of days in which sessions end."""
        since, until = self.days(length).split("&")
        return f"ended_{since}&ended_{until}"

    def month_name(self) -> str:
        """A month of the year, as it is called."""
        return self.month()[len("from=") :][: len("2026-01")]

    def dates(self) -> str:
        """Thirty days, as dates."""
        return "&".join(part[: part.index("T")] for part in self.days(30).split("&"))

    def days(self, length: int) -> str:
        """A stretch of `length` days of the year, as parameters."""
        latest = (self.size.until - self.size.since).days - length
        since = self.size.since + timedelta(days=self.random.randrange(latest))
        return f"from={_text(since)}&to={_text(since + timedelta(days=length))}"

    def month(self) -> str:
        """A whole month before the last one, as parameters."""
        start = (self.size.until - timedelta(days=32 * self.random.randint(1, 10))).replace(day=1, hour=0)
        return f"from={_text(start)}&to={_text((start + timedelta(days=32)).replace(day=1))}"


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


QUESTIONS: dict[str, Ask] = {
    "stations": lambda d: "charging-stations?limit=100",
    "stations of an operator": lambda d: f"charging-stations?operator={d.operator}&limit=100",
    "stations of a site": lambda d: f"charging-stations?site={d.site}",
    "stations that are offline": lambda d: "charging-stations?state=offline&limit=100",
    "one station": lambda d: f"charging-stations/{d.station}",
    "newest sessions": lambda d: "sessions?limit=100",
    "sessions of a month": lambda d: f"sessions?{d.month()}&limit=100",
    "sessions of an operator, a month": lambda d: f"sessions?operator={d.operator}&{d.month()}&limit=100",
    "sessions of a site": lambda d: f"sessions?site={d.site}&{d.days(30)}",
    "sessions of a station": lambda d: f"sessions?station={d.station}",
    "sessions of a token": lambda d: f"sessions?token={d.token}",
    "sessions that run": lambda d: "sessions?state=active&limit=100",
    "sessions that run at a site": lambda d: f"sessions?state=active&site={d.site}",
    "sessions with a gap": lambda d: "sessions?quality=gap&limit=100",
    "sessions of an operator with a gap": lambda d: f"sessions?quality=gap&operator={d.operator}",
    "sessions of much energy": lambda d: "sessions?energy_from=44000&limit=100",
    "dear sessions of an operator": lambda d: f"sessions?operator={d.operator}&cost_from=70",
    "sessions that ended in a way": lambda d: f"sessions?stop_reason=EVDisconnected&{d.days(7)}",
    "sessions with a text": lambda d: f"sessions?text={d.token}&{d.days(7)}",
    "a month's sessions added up": lambda d: f"sessions/totals?operator={d.operator}&{d.month()}",
    "sessions of a connector": lambda d: f"sessions?station={d.station}&evse=1&sort=oldest",
    "sessions that ended on a day": lambda d: f"sessions?site={d.site}&{d.ended(1)}",
    "one session": lambda d: f"sessions/{d.session}",
    "timeline of a session": lambda d: f"sessions/{d.metered}/timeline",
    "evidence of a session": lambda d: f"sessions/{d.metered}/evidence",
    "curve of a session": lambda d: f"sessions/{d.metered}/curve",
    "what cities were told of a session": lambda d: f"sessions/{d.session}/told",
    "receipt of a session": lambda d: f"sessions/{d.session}/receipt",
    "an operator's month": lambda d: f"reports/statement?operator={d.operator}&month={d.month_name()}",
    "days of all operators as a chart": lambda d: f"reports/totals?by=day&of=operator&{d.dates()}",
    "months of all sites as a chart": lambda d: f"reports/totals?by=month&of=site&id={d.site}&{d.dates()}",
    "stations by state": lambda d: "charging-stations/counts",
    "stations of a firmware": lambda d: "charging-stations?firmware=1.3&limit=100",
    "work queues": lambda d: "work-queues",
    "alarms": lambda d: "alarms",
    "days of a station": lambda d: f"totals?by=day&of=station&id={d.station}&{d.days(90)}",
    "months of a station": lambda d: f"totals?by=month&of=station&id={d.station}",
    "days of a site": lambda d: f"totals?by=day&of=site&id={d.site}&{d.days(90)}",
    "hours of a site, a day": lambda d: f"totals?by=hour&of=site&id={d.site}&{d.days(1)}",
    "a month of all sites": lambda d: f"totals?by=month&of=site&{d.month()}&limit=1000",
    "a day of all operators": lambda d: f"totals?by=day&of=operator&{d.days(1)}",
    "the year of all operators": lambda d: "totals?by=month&of=operator&limit=1000",
    "what the city has not got": lambda d: "outbox?state=waiting&limit=100",
    "what the city got": lambda d: "outbox?state=sent&platform=city&kind=charge-order&limit=100",
}
