"""`csms platform`: list, pause, resume, resend, on a database of its own."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from csms.cli import app
from csms.store.database import Database
from csms.store.outbox import Hold, Outbox
from csms.store.records import OutboxRow

RUN = CliRunner()
CONFIG = """
database: {{url: "sqlite:///{folder}/csms.db"}}
reporting:
  platforms:
  - name: city
    profile: beijing
    url: http://127.0.0.1:9
    operator: "123456789"
    operator_secret: s
    data_secret: "0123456789abcdef"
    data_secret_iv: "0123456789abcdef"
    sig_secret: s
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG.format(folder=tmp_path))
    return str(file)


def csms(*words: str, config: str) -> str:
    done = RUN.invoke(app, ["platform", *words, "--config", config], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output + str(done.exception)
    return done.stdout


def test_a_platforms_life(config: str, tmp_path: Path) -> None:
    """Paused and resumed; what was set aside is owed again with one command."""
    import asyncio

    async def set_aside() -> None:
        database = await Database.open(f"sqlite:///{tmp_path}/csms.db")
        now = datetime.now(UTC)
        outbox = Outbox(database)
        await outbox.enqueue([OutboxRow.of("city", "charge-order", str(n), str(n), {}, now) for n in (1, 2)])
        await outbox.dead(Hold(1), now, "poison")
        await outbox.dead(Hold(2), now, "poison")
        await database.close()

    assert "served" in csms("list", config=config)
    asyncio.run(set_aside())
    assert "city is paused" in csms("pause", "city", "--reason", "repair", config=config)
    assert "paused: repair" in csms("list", config=config)
    assert "city is resumed" in csms("resume", "city", config=config)
    assert "1 record of city owed again" in csms("resend", "city", "1", config=config)
    assert "1 record of city owed again" in csms("resend", "city", config=config)
    assert "0 records of city owed again" in csms("resend", "city", config=config)


@pytest.mark.parametrize("words", [("pause", "atlantis"), ("resend", "atlantis"), ("resend", "city", "99")])
def test_what_there_is_not(config: str, words: tuple[str, ...]) -> None:
    """A platform or a record nobody knows is named."""
    done = RUN.invoke(app, ["platform", *words, "--config", config])

    assert done.exit_code != 0
    assert words[-1] in str(done.exception)
