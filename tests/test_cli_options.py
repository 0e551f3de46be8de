"""The settings that commands work with."""

from pathlib import Path

import pytest
import structlog

from csms.cli_options import settings_of
from csms.errors import ConfigError


def test_settings_of_a_file(tmp_path: Path) -> None:
    """The file's values, logging set up with them; a key that does not exist is an error."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("http: {port: 18080}\nlog: {level: error}\n")
    bad.write_text("http: {prt: 18080}\n")

    assert settings_of(good).http.port == 18080
    assert structlog.is_configured()
    with pytest.raises(ConfigError, match="prt"):
        settings_of(bad)
