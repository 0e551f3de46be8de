"""`csms report uptime` on a database with a month of history."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from csms.cli import app
from csms.domain.assets import ConnectorStatus as S
from csms.errors import InvalidInput, NotFound
from csms.store.database import Database
from tests.store.connector_history import link, state, tell
from tests.store.given import stations

START = datetime(2025, 12, 31, 16, tzinfo=UTC)  # of January 2026 in Shanghai
DAY = timedelta(days=1)


@pytest.fixture
def config(sqlite_url: str, tmp_path: Path) -> str:
    """Settings of a database where a station was off-line for a day and out of order for two."""

    async def fill() -> None:
        database = await Database.open(sqlite_url)
        station, _ = await stations(database, 2)
        await tell(
            database,
            station,
            [
                link(station, START - DAY, "connected"),
                state(station, START - DAY, S.AVAILABLE),
                link(station, START + 2 * DAY, "disconnected"),
                link(station, START + 3 * DAY, "connected"),
                state(station, START + 9 * DAY, S.FAULTED),
                state(station, START + 11 * DAY, S.AVAILABLE),
            ],
        )
        await database.close()

    asyncio.run(fill())
    file = tmp_path / "config.yaml"
    file.write_text(f"database:\n  url: {sqlite_url}\n")
    return str(file)


def run(config: str, *arguments: str) -> str:
    """What the command printed."""
    done = CliRunner().invoke(app, ["report", "uptime", "--month", "2026-01", "--config", config, *arguments])
    if done.exception is not None:
        raise done.exception
    return done.output


def test_side_by_side_as_text(config: str) -> None:
    """A line for the connector, what each rule says of all of them, and every definition."""
    shown = run(config)

    line = next(line for line in shown.splitlines() if line.strip().startswith("CS-0001/1/1"))
    assert line.split() == [
        "CS-0001/1/1",
        "1440",
        "2880",
        "96.7742",
        "6.6667",
        "90.3226",
        "25",
        "90.3226",
        "99.1781",
        "93.5484",
        "93.5484",
    ]
    assert "1 connectors in service" in shown
    assert "NEVI: 0 ports at 97 % or less." in shown
    assert "UK: no rapid charge point (0 rapid)." in shown
    assert "own online_rate: 在线率" in shown


def test_one_regime_as_csv_and_json(config: str) -> None:
    """Figures under their names."""
    (row,) = csv.DictReader(io.StringIO(run(config, "--regime", "nevi", "--format", "csv")))
    assert (row["nevi_month_outage_minutes"], row["minutes_offline"]) == ("4320.0", "1440.0")
    body = json.loads(run(config, "--regime", "uk", "--format", "json", "--station", "CS-0001"))
    assert body["items"][0]["uk"]["month"]["reliability"] == 93.5484
    assert list(body["definitions"]) == ["uk"]


def test_nothing_to_tell(config: str) -> None:
    """An empty table for a network, an error for a station, and for a month that is none."""
    assert "0 connectors in service" in run(config, "--operator", "000000000")
    assert run(config, "--operator", "000000000", "--format", "csv").strip() == ""
    with pytest.raises(NotFound):
        run(config, "--station", "CS-0002")
    with pytest.raises(InvalidInput):
        run(config, "--month", "2026-1")
