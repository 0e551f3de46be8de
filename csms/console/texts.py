"""What the page says, in Chinese and English; numbers and times as people read them. Knows no page."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import yaml

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")

TABLE: dict[str, tuple[str, str]] = yaml.safe_load(
    Path(__file__).with_name("texts.yaml").read_text(encoding="utf-8")
)
TEXTS: dict[Language, dict[str, str]] = {
    "zh-CN": {key: chinese for key, (chinese, _) in TABLE.items()},
    "en": {key: english for key, (_, english) in TABLE.items()},
}
EN = TEXTS["en"]
DASH = "–"


def preferred(cookie: str | None, accept_language: str) -> Language:
    """The language chosen before, else the one the browser asks for first, else English."""
    if cookie in LANGUAGES:
        return "zh-CN" if cookie == "zh-CN" else "en"
    return "zh-CN" if accept_language.strip().lower().startswith("zh") else "en"


def grouped(number: int) -> str:
    """12345 as `12,345`."""
    return f"{number:,}"


def energy(wh: int | None) -> tuple[str, str]:
    """Energy as number and unit: kWh with two decimals; MWh from 100,000 kWh on."""
    if wh is None:
        return DASH, "kWh"
    if abs(wh) >= 100_000_000:
        return f"{wh / 1_000_000:,.2f}", "MWh"
    return f"{wh / 1000:,.2f}", "kWh"


def power(watts: int | None) -> tuple[str, str]:
    """Power as number and unit: kW with one decimal; MW from 100,000 kW on."""
    if watts is None:
        return DASH, "kW"
    if abs(watts) >= 100_000_000:
        return f"{watts / 1_000_000:,.2f}", "MW"
    return f"{watts / 1000:,.1f}", "kW"


def duration(length: timedelta) -> str:
    """Hours, minutes and seconds: `1:02:03`."""
    seconds = max(0, int(length.total_seconds()))
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def clock(at: datetime | None) -> str:
    """Hour, minute, second; the caller has put the time into the zone it is shown in."""
    return DASH if at is None else f"{at:%H:%M:%S}"


def ago(words: dict[str, str], at: datetime | None, now: datetime) -> str:
    """How long ago something was, in the largest unit that fits."""
    if at is None:
        return words["never"]
    seconds = max(0, int((now - at).total_seconds()))
    for unit, size in (("days_ago", 86_400), ("hours_ago", 3_600), ("minutes_ago", 60)):
        if seconds >= 2 * size:
            return words[unit].format(n=seconds // size)
    return words["seconds_ago"].format(n=seconds)
