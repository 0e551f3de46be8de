"""Secrets are closed for the database, and opened again with the same key alone."""

import stat
from pathlib import Path

import pytest

from csms.errors import ConfigError
from csms.store.sealing import MARK, Seal, key_file, seal_for

KEY = "a key of a test that nobody can guess"


def test_what_is_closed_can_be_opened() -> None:
    """The same secret looks different each time and does not show."""
    seal = Seal(KEY)
    first, second = seal.close("secret"), seal.close("secret")

    assert (seal.open(first), seal.open(second)) == ("secret", "secret")
    assert first != second
    assert first.startswith(MARK)
    assert "secret" not in first


def test_what_is_in_clear_is_read_as_it_is() -> None:
    """As it was kept before there was a key; and without a key it stays so."""
    assert Seal(KEY).open("secret") == "secret"
    assert Seal().close("secret") == "secret"


@pytest.mark.parametrize("other", [Seal(), Seal(KEY + "x")])
def test_another_key_opens_nothing(other: Seal) -> None:
    """The error names the setting and not the secret."""
    with pytest.raises(ConfigError, match=r"database\.secrets_key") as told:
        other.open(Seal(KEY).close("secret"))

    assert "secret:" not in str(told.value)


def test_a_sqlite_database_has_a_key_beside_it(tmp_path: Path) -> None:
    """Made once, for its owner alone; whoever comes later has the same."""
    url = f"sqlite:///{tmp_path}/csms.db"
    closed = seal_for(url, "").close("secret")

    assert seal_for(url, "").open(closed) == "secret"
    assert key_file(url) == tmp_path / "csms.key"
    assert stat.S_IMODE(key_file(url).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["csms.key"]


def test_a_key_that_cannot_be_kept(tmp_path: Path) -> None:
    """The error names the file; a database in memory has none and needs none."""
    with pytest.raises(ConfigError, match=r"nowhere/csms\.key"):
        seal_for(f"sqlite:///{tmp_path}/nowhere/csms.db", "")

    assert not seal_for("sqlite:///:memory:", "").has_key


def test_a_configured_key_needs_no_file(tmp_path: Path) -> None:
    """It is the one that counts; PostgreSQL has nothing beside it."""
    url = f"sqlite:///{tmp_path}/csms.db"
    closed = seal_for(url, KEY).close("secret")

    assert Seal(KEY).open(closed) == "secret"
    assert list(tmp_path.iterdir()) == []
    assert seal_for("postgresql://127.0.0.1/csms", "").close("secret") == "secret"
