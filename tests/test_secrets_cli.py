"""`csms secrets` as it is called; what it does is tested in `test_secrets_operations`."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from csms.cli import app
from csms.config import Settings
from csms.errors import InvalidInput
from csms.store.sealing import key_file
from tests.test_secrets_operations import NEW, OLD, keep_one, settings_with


@pytest.fixture
def call(sqlite_url: str, tmp_path: Path) -> list[str]:
    """A database with a secret under the old key, and the settings of the new one."""
    asyncio.run(keep_one(settings_with(sqlite_url, OLD)))
    config = tmp_path / "config.yaml"
    config.write_text(f"database: {{url: '{sqlite_url}', secrets_key: '{NEW}'}}\nlog: {{level: error}}\n")
    return ["--config", str(config)]


def test_a_key_in_a_file(call: list[str], tmp_path: Path) -> None:
    """It says how many; a second call has nothing to do."""
    (tmp_path / "old").write_text(OLD + "\n")
    reseal = ["secrets", "reseal", "--old-key-file", str(tmp_path / "old"), *call]

    first, again = (CliRunner().invoke(app, reseal) for _ in range(2))

    assert first.stdout == "re-sealed secrets: 1; sealed with the new key already: 0\n"
    assert again.stdout == "re-sealed secrets: 0; sealed with the new key already: 1\n"


def test_a_key_from_standard_input(call: list[str]) -> None:
    """For those who keep it in no file."""
    done = CliRunner().invoke(app, ["secrets", "reseal", "--old-key-file", "-", *call], input=OLD)

    assert done.exit_code == 0
    assert "re-sealed secrets: 1;" in done.stdout


@pytest.mark.parametrize("given", [None, b"", b"\xff\xfe"])
def test_no_key_in_the_file(call: list[str], tmp_path: Path, given: bytes | None) -> None:
    """A file that is not there, is empty, or holds no text is said in a line."""
    if given is not None:
        (tmp_path / "old").write_bytes(given)

    done = CliRunner().invoke(app, ["secrets", "reseal", "--old-key-file", str(tmp_path / "old"), *call])

    assert isinstance(done.exception, InvalidInput)
    assert "the old key" in str(done.exception)


def test_help_names_the_command() -> None:
    """A newcomer finds it."""
    assert "reseal" in CliRunner().invoke(app, ["secrets", "--help"]).stdout


def test_the_key_file_of_a_database_is_an_old_key(sqlite_url: str) -> None:
    """As it lies there: it ends with a line's end."""
    asyncio.run(keep_one(Settings.model_validate({"database": {"url": sqlite_url}})))
    environment = {"CSMS_DATABASE__URL": sqlite_url, "CSMS_DATABASE__SECRETS_KEY": NEW}

    reseal = ["secrets", "reseal", "--old-key-file", str(key_file(sqlite_url))]
    done = CliRunner().invoke(app, reseal, env=environment)

    assert "re-sealed secrets: 1;" in done.stdout
