"""Log lines: one JSON object each, whatever stations put into their strings."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from csms import log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave no logger behind that writes to this test's streams."""
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


def test_a_hostile_string_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A03: line breaks and control characters of a station's text do not make new records."""
    hostile = "a\r\nb\x1b[31m\u2028c%s</script>"
    log.configure("info", "json")

    structlog.get_logger().info("station_said", station=hostile)

    (line,) = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert (record["event"], record["station"], record["level"]) == ("station_said", hostile, "info")


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    """The hot path's debug lines cost nothing."""
    log.configure("warning", "json")

    structlog.get_logger().info("quiet")

    assert capsys.readouterr().err == ""
