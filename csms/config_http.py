"""Settings of the HTTP port: programs, people, and what their pages show."""

import re
from typing import Literal
from urllib.parse import urlsplit

from pydantic import field_validator

from csms.config_values import Port, Positive, Section


class HttpSettings(Section):
    """The door for programs and people."""

    host: str = "127.0.0.1"
    port: Port = 8080
    status_page: Literal["people", "public"] = "people"
    page_limit: Positive = 1_000
    trusted_proxies: tuple[str, ...] = ()


class ConsoleSettings(Section):
    """The pages for people."""

    tile_url: str = ""
    tile_attribution: str = ""

    @field_validator("tile_url")
    @classmethod
    def _usable(cls, text: str) -> str:
        if text and not is_tile_url(text):
            raise ValueError("use https://HOST/.../{z}/{x}/{y}.png, or leave it empty")
        return text


def is_tile_url(url: str) -> bool:
    """Whether tiles can be had there: an address of http(s) with {z}, {x} and {y} behind its host."""
    try:
        parts = urlsplit(url)
        has_host = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False
    # The origin goes into a header.
    is_plain = re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", parts.netloc) is not None
    return has_host and is_plain and all(name in parts.path + parts.query for name in ("{z}", "{x}", "{y}"))


class AccountSettings(Section):
    """People who sign in."""

    idle_min: Positive = 30
    longest_h: Positive = 12
