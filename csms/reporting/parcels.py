"""Where a schedule's file goes: a folder below the configured root, or a webhook. Knows no report.

Raises ParcelRefused with what a person needs to know. A webhook's host is resolved once, judged, and the
very address is connected to: a name that resolves otherwise the next moment gains nothing.
"""

import asyncio
import hashlib
import hmac
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import httpx

from csms.books.targets import check_url
from csms.config_documents import DocumentSettings
from csms.errors import CsmsError, InvalidInput
from csms.live.addresses import AddressRefused, NotLookedUp, looked_up

CHUNK = 262_144


class ParcelRefused(CsmsError):
    """The file was not taken:"""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file that is finished, and what tells it apart."""

    file: IO[bytes]
    name: str
    media_type: str
    delivery_id: int
    sha256: str


def digest_of(file: IO[bytes]) -> tuple[int, str]:
    """Bytes and SHA-256 of a file."""
    found, size = hashlib.sha256(), 0
    file.seek(0)
    while part := file.read(CHUNK):
        found.update(part)
        size += len(part)
    return size, found.hexdigest()


def put_into(folder: Path, parcel: Parcel) -> None:
    """Write the file under another name and rename it: whoever looks sees all of it or nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{parcel.name}.{os.getpid()}.part"
        try:
            parcel.file.seek(0)
            with open(draft, "wb") as out:
                shutil.copyfileobj(parcel.file, out, CHUNK)
                out.flush()
                os.fsync(out.fileno())
            os.replace(draft, folder / parcel.name)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
    except OSError as exc:
        raise ParcelRefused(exc.strerror or str(exc)) from exc


class Webhooks:
    """Sends files. One client for all; `close` it."""

    def __init__(self, settings: DocumentSettings) -> None:
        self._settings = settings
        # No proxy of the environment, no redirect: what was judged is what is called.
        self._client = httpx.AsyncClient(trust_env=False, timeout=settings.webhook_timeout_s)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def send(self, url: str, secret: str, parcel: Parcel, now: datetime) -> None:
        """POST the file, signed. Raises ParcelRefused for anything but a 2xx within the time there is."""
        try:
            check_url(self._settings, url)
            async with asyncio.timeout(self._settings.webhook_timeout_s):
                target = await looked_up(urlsplit(url), allow_private=self._settings.webhook_private)
                stamp = str(int(now.timestamp()))
                headers = {
                    "Host": target.host_header,
                    "Content-Type": parcel.media_type,
                    "Content-Disposition": f'attachment; filename="{parcel.name}"',
                    "X-CSMS-Delivery": str(parcel.delivery_id),
                    "X-CSMS-Timestamp": stamp,
                    "X-CSMS-Digest": f"sha256={parcel.sha256}",
                    "X-CSMS-Signature": "sha256=" + await asyncio.to_thread(signature, secret, stamp, parcel),
                    "Content-Length": str(parcel.file.seek(0, os.SEEK_END)),
                }
                name = {"sni_hostname": target.host}
                async with self._client.stream(
                    "POST", target.url, content=_parts(parcel.file), headers=headers, extensions=name
                ) as answer:
                    status = answer.status_code
        except (InvalidInput, NotLookedUp) as exc:
            raise ParcelRefused(str(exc.args[0])) from exc
        except AddressRefused as exc:
            raise ParcelRefused("address: its host is not on the public Internet") from exc
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, UnicodeError) as exc:
            raise ParcelRefused(f"{type(exc).__name__} {exc}".strip()[:300]) from exc
        if not 200 <= status < 300:
            raise ParcelRefused(f"HTTP status {status}")


def signature(secret: str, stamp: str, parcel: Parcel) -> str:
    """HMAC-SHA-256 (hex) over `TIMESTAMP.` and the file: an old message cannot be sent again as a new one."""
    made = hmac.new(secret.encode(), f"{stamp}.".encode(), hashlib.sha256)
    parcel.file.seek(0)
    while part := parcel.file.read(CHUNK):
        made.update(part)
    return made.hexdigest()


async def _parts(file: IO[bytes]) -> AsyncIterator[bytes]:
    file.seek(0)
    while part := await asyncio.to_thread(file.read, CHUNK):
        yield part
