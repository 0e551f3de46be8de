"""Secrets that we must be able to read again, encrypted at rest: of one-time codes, of what we sign.

The key is `database.secrets_key`. Without one a SQLite database has a file beside it, made once, for its
owner alone: a copy of the database opens nothing. Nodes that share PostgreSQL have no file in common: there
secrets are kept as they are until a key is configured. What was in clear is sealed at the next start; what
another key has sealed, by `csms secrets reseal`.
"""

import base64
import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import make_url

from csms.errors import ConfigError

MARK = "\x02"  # begins what is sealed; no secret that people choose can


class Seal:
    """Closes secrets for the database and opens them again. Without a key it leaves them as they are."""

    def __init__(self, key: str = "") -> None:
        """`key`: any text that nobody can guess."""
        digest = hashlib.sha256(key.encode()).digest()
        self._fernet = Fernet(base64.urlsafe_b64encode(digest)) if key else None

    @property
    def has_key(self) -> bool:
        """Whether it closes anything."""
        return self._fernet is not None

    def close(self, secret: str) -> str:
        """As it is stored."""
        return secret if self._fernet is None else MARK + self._fernet.encrypt(secret.encode()).decode()

    def open(self, stored: str) -> str:
        """As it was given. Raises ConfigError for what another key has sealed."""
        if not stored.startswith(MARK):
            return stored
        try:
            if self._fernet is not None:
                return self._fernet.decrypt(stored.removeprefix(MARK).encode()).decode()
        except InvalidToken:
            pass
        raise ConfigError(
            "database.secrets_key: it is not the key that secrets in the database are sealed with; "
            "after a change of key `csms secrets reseal --old-key-file FILE` seals them with the new one"
        )


def seal_for(url: str, key: str) -> Seal:
    """The seal of the database at `url`. Raises ConfigError when its key file cannot be made or read."""
    database = make_url(url)
    if key or database.get_backend_name() != "sqlite" or database.database in (None, "", ":memory:"):
        return Seal(key)
    file = key_file(url)
    try:
        return Seal(_kept_in(file))
    except OSError as exc:
        raise ConfigError(f"database.secrets_key: none is set, and {file}: {exc.strerror}") from exc


def key_file(url: str) -> Path:
    """Where the key of a SQLite database lies: `csms.db` has `csms.key`."""
    return Path(make_url(url).database or "").with_suffix(".key")


def _kept_in(file: Path) -> str:
    """The key in a file that only its owner can read; made where there is none."""
    if not file.exists():
        fresh = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(32) + "\n")
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileExistsError):
            os.link(fresh, file)  # whole or not at all: another process may start, too
        fresh.unlink()
    return file.read_text().strip()
