"""Where files may be delivered to: folders below the configured root, and webhooks. Pure judgement.

What a webhook's name resolves to is judged when it is called.
"""

import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from csms.config_documents import DocumentSettings
from csms.domain.addresses import is_public
from csms.errors import InvalidInput

LONGEST_URL = 500


def folder_of(settings: DocumentSettings, address: str) -> Path:
    """The folder below the root. Raises InvalidInput where there is none, or it is out of the root."""
    if not settings.folder:
        raise InvalidInput("address: folders need the setting documents.folder")
    parts = address.split("/")
    if any(part in ("", ".", "..") or part != part.strip() or "\\" in part or "\0" in part for part in parts):
        raise InvalidInput("address: use names separated by /, such as city/monthly")
    root = Path(settings.folder).resolve()
    folder = root.joinpath(*parts).resolve()
    # Also through a link that somebody put there.
    if not folder.is_relative_to(root):
        raise InvalidInput("address: it leads out of the configured folder")
    return folder


def check_url(settings: DocumentSettings, url: str) -> None:
    """Raises InvalidInput for a URL that is none, or may not be called. What its name means is seen later."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise InvalidInput("address: it is no URL") from exc
    schemes = ("https", "http") if settings.webhook_private else ("https",)
    if len(url) > LONGEST_URL or parts.scheme not in schemes or not host:
        raise InvalidInput(f"address: use {' or '.join(schemes)}://host/path")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidInput("address: no user, password or fragment; the signature says who sends")
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        raise InvalidInput("address: it has spaces or control characters")
    allowed = settings.webhook_hosts
    if allowed and host not in allowed and f"{host}:{port}" not in allowed:
        raise InvalidInput("address: its host is not one of documents.webhook_hosts")
    if _is_literal(host) and not (settings.webhook_private or is_public(host)):
        raise InvalidInput("address: it is not on the public Internet")


def _is_literal(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host.partition("%")[0])
            return True
    return False
