"""Texts in two languages; numbers and times as people read them."""

from zoneinfo import ZoneInfo

import pytest

from csms.books.words import WORDS, Words, clock, cny, kwh


def test_both_languages_say_the_same() -> None:
    """With the same places for values."""
    for english, chinese in WORDS.values():
        assert english
        assert chinese
        assert english.count("{") == chinese.count("{")
    assert Words("zh-CN")("parking", n=45) == "停车费，45 分钟"
    assert Words("en")("parking", n=45) == "Parking, 45 min"


@pytest.mark.parametrize(
    ("wh", "shown"), [(None, ""), (0, "0.000"), (22_501, "22.501"), (1_234_567, "1,234.567")]
)
def test_energy(wh: int | None, shown: str) -> None:
    """kWh, exact."""
    assert kwh(wh) == shown


def test_money_and_times() -> None:
    """Thousands apart; local clocks."""
    assert [cny(money) for money in (None, "0.00", "-1234.50")] == ["", "0.00", "-1,234.50"]
    assert clock("2026-01-01T10:00:00.250Z", ZoneInfo("Asia/Shanghai")) == "2026-01-01 18:00:00"
    assert clock(None, ZoneInfo("UTC")) == ""
