"""Webhooks never go into our own network, by whatever name or spelling."""

import socket
import threading
from typing import Any

import pytest

from csms.config_live import WebhookSettings
from csms.domain.addresses import is_public
from csms.live.addresses import AddressRefused, NotLookedUp, target_of

STRICT = WebhookSettings()


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://0.0.0.0/", "https://127.1/",
        "https://2130706433/", "https://10.0.0.1/", "https://192.168.1.1/", "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data/", "https://[fe80::1]/", "https://[fc00::1]/",
        "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",
        "https://100.64.0.1/", "https://224.0.0.1/", "https://255.255.255.255/", "https://192.0.2.1/",
        "https://[::]/", "https://[2001:0:1::]/",
    ],
)  # fmt: skip
async def test_addresses_of_ours_are_refused(url: str) -> None:
    """Loopback, private, link-local, metadata, groups, and IPv4 inside of IPv6."""
    with pytest.raises(AddressRefused, match="public"):
        await target_of(url, STRICT)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://93.184.216.34/", "https"),
        ("ftp://93.184.216.34/", "https"), ("file:///etc/passwd", "https"),
        ("gopher://93.184.216.34/", "https"), ("https://a:b@93.184.216.34/", "password"),
        ("https://93.184.216.34/#x", "fragment"), ("https:///x", "host"), ("https://[::1/", "read"),
        ("https://93.184.216.34:99999/", "read"), ("https://93.184.216.34/a b", "characters"),
        ("https://93.184.216.34/\r\nX: y", "characters"), ("https://bücher.example/", "characters"),
        ("", "https"),
    ],
)  # fmt: skip
async def test_other_urls_are_refused(url: str, told: str) -> None:
    """Other schemes, credentials, what is no URL."""
    with pytest.raises(AddressRefused, match=told):
        await target_of(url, STRICT)


async def test_a_name_that_is_not_there() -> None:
    """Is told apart: it may be there later."""
    with pytest.raises(NotLookedUp):
        await target_of("https://nothing.invalid/", STRICT)


async def test_the_address_that_was_looked_at_is_the_one_connected_to() -> None:
    """With the name in Host, the path and query as they are."""
    target = await target_of("https://93.184.216.34:8443/a/b?c=d", STRICT)
    plain = await target_of("http://localhost/x", WebhookSettings(private_addresses=True, plain_http=True))

    assert target.url == "https://93.184.216.34:8443/a/b?c=d"
    assert target.host_header == "93.184.216.34:8443"
    assert plain.host_header == "localhost"
    assert plain.url in ("http://127.0.0.1:80/x", "http://[::1]:80/x")


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(text: str) -> None:
    """In every spelling."""
    assert is_public(text)


async def test_looking_up_has_threads_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that does not answer keeps nobody else from working."""
    threads: list[str] = []
    look_up = socket.getaddrinfo

    def noted(*asked: Any, **more: Any) -> Any:
        threads.append(threading.current_thread().name)
        return look_up(*asked, **more)

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    await target_of("https://93.184.216.34/", STRICT)

    assert threads[0].startswith("csms-names")
