"""Settings: what may be written, and the two that matter."""

import pytest

from simulators.settings import HEARTBEAT, SAMPLING, Settings
from tests.simulators.talk import VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_intervals_follow_their_settings(version: str) -> None:
    """A write changes behaviour; sampling is never faster than a second."""
    settings = Settings(version, 2)
    assert settings.write(HEARTBEAT[version], "42") == "Accepted"
    assert settings.write(SAMPLING[version], "0") == "Accepted"
    assert (settings.heartbeat_s, settings.sample_s) == (42, 1)
    settings.sample_every(7.5)
    assert settings.sample_s == 7.5


def test_writes_are_checked() -> None:
    """Unknown, read-only and not a number."""
    settings = Settings("1.6", 2)
    assert settings.write("Nonsense", "1") == "Unknown"
    assert settings.write("NumberOfConnectors", "9") == "Rejected"
    assert settings.write("HeartbeatInterval", "soon") == "Rejected"
    assert settings.all["NumberOfConnectors"].value == "2"
