"""Where a webhook may go: never, by accident or by somebody's wish, into our own network.

The name is looked up here and every address it has must be public; the connection then goes to the very
address that was looked at, so that a name cannot mean another one a moment later.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from csms.config_live import WebhookSettings
from csms.domain.addresses import is_public
from csms.errors import CsmsError

# A resolver that does not answer must not take the threads of everything else.
LOOK_UPS = ThreadPoolExecutor(32, "csms-names")
PORTS = {"https": 443, "http": 80}


class AddressRefused(CsmsError):
    """This address is not one that webhooks may have:"""


class NotLookedUp(AddressRefused):
    """The name of this webhook's host cannot be looked up now:"""


class Target(NamedTuple):
    """Where to connect, and as whom to speak to it."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def url(self) -> str:
        """The address that was looked at, in place of the name."""
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{shown}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        """The name, with the port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if PORTS[self.scheme] == self.port else f"{host}:{self.port}"


async def target_of(url: str, settings: WebhookSettings) -> Target:
    """Where `url` leads now. Raises AddressRefused."""
    return await looked_up(_checked(url, settings), allow_private=settings.private_addresses)


async def looked_up(parts: SplitResult, *, allow_private: bool) -> Target:
    """Where a URL that may be called leads now. Raises AddressRefused when that is within our own network."""
    host = parts.hostname or ""
    port = PORTS[parts.scheme] if parts.port is None else parts.port
    try:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(LOOK_UPS, look_up)
    except (OSError, UnicodeError) as exc:
        raise NotLookedUp(f"there is no {host}") from exc
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not (allow_private or all(map(is_public, addresses))):
        raise AddressRefused(f"{host} is not on the public network")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, addresses[0], path)


def _checked(url: str, settings: WebhookSettings) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError as exc:
        raise AddressRefused("it cannot be read") from exc
    if any(ord(letter) <= 32 or ord(letter) > 126 for letter in url):
        raise AddressRefused("it has characters that a URL cannot have")
    if parts.scheme not in PORTS or (parts.scheme == "http" and not settings.plain_http):
        raise AddressRefused("it must begin with https://")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise AddressRefused("it must have no user, password or fragment")
    if not parts.hostname:
        raise AddressRefused("it names no host")
    return parts
