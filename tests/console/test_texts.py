"""Two languages that say the same, and numbers as people read them."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from csms.console import texts

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_both_languages_say_everything() -> None:
    """The same keys, none empty, the same places for numbers."""
    english, chinese = texts.TEXTS["en"], texts.TEXTS["zh-CN"]

    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert text
        assert chinese[key]
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", chinese[key]), key


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "zh-CN,zh;q=0.9", "zh-CN"),
        (None, "zh", "zh-CN"),
        (None, "de-DE,zh;q=0.5", "en"),
        ("en", "zh-CN", "en"),
        ("zh-CN", "en", "zh-CN"),
        ("<script>", "en", "en"),
    ],
)
def test_language(cookie: str | None, accepted: str, language: str) -> None:
    """What was chosen before, else what the browser asks for first, else English."""
    assert texts.preferred(cookie, accepted) == language


@pytest.mark.parametrize(
    ("wh", "shown"),
    [
        (None, ("–", "kWh")),
        (0, ("0.00", "kWh")),
        (22_505, ("22.50", "kWh")),
        (99_999_999, ("100,000.00", "kWh")),
        (100_000_000, ("100.00", "MWh")),
        (-5, ("-0.01", "kWh")),
    ],
)
def test_energy(wh: int | None, shown: tuple[str, str]) -> None:
    """kWh with two decimals, MWh when it gets long."""
    assert texts.energy(wh) == shown


def test_power() -> None:
    """kW with one decimal, MW when it gets long."""
    assert texts.power(7_400) == ("7.4", "kW")
    assert texts.power(None) == ("–", "kW")
    assert texts.power(250_000_000) == ("250.00", "MW")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00:00"), (59, "0:00:59"), (3723, "1:02:03"), (-5, "0:00:00"), (360_000, "100:00:00")],
)
def test_duration(seconds: int, shown: str) -> None:
    """Hours, minutes, seconds; a clock that ran backwards is no time at all."""
    assert texts.duration(timedelta(seconds=seconds)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (7200, "2 h ago"),
        (172_800, "2 d ago"),
        (-3, "0 s ago"),
    ],
)
def test_ago(seconds: int, shown: str) -> None:
    """In the largest unit that fits twice."""
    assert texts.ago(texts.EN, NOW - timedelta(seconds=seconds), NOW) == shown
    assert texts.ago(texts.EN, None, NOW) == "never"
