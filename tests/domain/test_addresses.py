"""Addresses of the public Internet, and all others (row A07)."""

import pytest

from csms.domain.addresses import is_public


@pytest.mark.parametrize("text", ["8.8.8.8", "203.119.25.1", "2400:3200::1", "::ffff:8.8.8.8"])
def test_public(text: str) -> None:
    """They may be called."""
    assert is_public(text)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "feff::1",
        "192.0.0.9",
        "192.0.0.170",
        "::ffff:192.0.0.9",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "localhost",
        "",
    ],
)
def test_not_public(text: str) -> None:
    """Private, loopback, link-local, shared, multicast, or in disguise."""
    assert not is_public(text)
