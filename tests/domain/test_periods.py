"""Figures of a station's connectors by period."""

from datetime import timedelta

from csms.domain.assets import ConnectorStatus as S
from csms.domain.periods import Served, figures
from csms.domain.rates import Figures
from csms.domain.timeline import Evidence, Link, Usage
from tests.domain.test_timeline import at, span, told

MINUTE = timedelta(minutes=1)
UP = Link(at(0), True)


def test_figures_of_two_connectors_in_two_hours() -> None:
    """One connector comes in the second hour; equipment's time stands once."""
    one = Evidence([told(0, S.AVAILABLE), told(30, S.CHARGING)], (), [UP])
    two = Evidence([told(90, S.FAULTED)], (), [UP])

    first, second = figures({1: Served(one, 6000), 2: Served(two)}, [span(0, 60), span(60, 120)])

    assert first == {
        1: Figures(
            Usage(charging=30 * MINUTE, free=30 * MINUTE),
            capacity_wh=6000,
            equipment=60 * MINUTE,
            records=3,
        )
    }
    assert second == {
        1: Figures(Usage(charging=60 * MINUTE), capacity_wh=6000, equipment=60 * MINUTE),
        2: Figures(Usage(fault=30 * MINUTE), capacity_wh=None, records=1, fault_records=1),
    }


def test_service_by_date() -> None:
    """A retired connector leaves no figures; rated energy is of the time in service."""
    evidence = Evidence([told(0, S.AVAILABLE)], (), [UP])

    first, second = figures({"a": Served(evidence, 6000, at(-90), at(30))}, [span(0, 60), span(60, 120)])

    assert first["a"].capacity_wh == 3000
    assert first["a"].usage == Usage(free=30 * MINUTE)
    assert second == {}
