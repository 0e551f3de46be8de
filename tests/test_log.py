"""Log lines: one JSON object each, whatever stations put into their strings."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from csms import log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave no logger behind that writes to this test's streams."""
    yield
    logging.getLogger().handlers.clear()


def test_a_hostile_string_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A03: line breaks and control characters of a station's text do not make new records."""
    hostile = "a\r\nb\x1b[31m\u2028c%s</script>"
    log.configure("info", "json")

    structlog.get_logger().info("station_said", station=hostile)

    (line,) = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert (record["event"], record["station"], record["level"]) == ("station_said", hostile, "info")


def test_a_logger_outlives_the_stream_it_first_wrote_to(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command whose output was captured leaves loggers behind that others go on using."""
    captured, logger = io.StringIO(), structlog.get_logger()
    with monkeypatch.context() as for_a_while:
        for_a_while.setattr(sys, "stderr", captured)
        log.configure("info", "json")
        logger.info("first")
        logging.getLogger("library").warning("first")
    captured.close()

    logger.info("second")
    logging.getLogger("library").warning("third")

    said = capsys.readouterr().err
    assert "second" in said
    assert "third" in said


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    """The hot path's debug lines cost nothing."""
    log.configure("warning", "json")

    structlog.get_logger().info("quiet")

    assert capsys.readouterr().err == ""
