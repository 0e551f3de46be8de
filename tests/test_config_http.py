"""Settings of the HTTP port."""

import pytest
from pydantic import ValidationError

from csms.config_http import ConsoleSettings


@pytest.mark.parametrize(
    "url", ["", "https://t.example/{z}/{x}/{y}.png", "http://127.0.0.1:81/t?z={z}&x={x}&y={y}"]
)
def test_a_ground_for_the_map(url: str) -> None:
    """Any server that takes zoom, column and row; or none."""
    assert ConsoleSettings(tile_url=url).tile_url == url


@pytest.mark.parametrize(
    "url",
    [
        "t.example/{z}/{x}/{y}",
        "https://t.example/{z}/{x}",
        "ftp://t.example/{z}/{x}/{y}",
        "https://t.example:x/{z}/{x}/{y}",
        "https://a; script-src *//{z}/{x}/{y}",
        "https://u:p@t.example/{z}/{x}/{y}",
        "https://{s}.t.example/{z}/{x}/{y}",
    ],
)
def test_what_is_none(url: str) -> None:
    """Is refused, above all what would write more than a host into the header."""
    with pytest.raises(ValidationError):
        ConsoleSettings(tile_url=url)
