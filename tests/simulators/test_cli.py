"""The command line, as a child process: exit codes and what it says."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tests.simulators.fake_csms import FakeCsms
from tests.simulators.talk import until

ROOT = Path(__file__).parents[2]


async def start(*arguments: str) -> asyncio.subprocess.Process:
    """python -m simulators ..."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulators",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def finish(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    """Exit code and output."""
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, output.decode()


def fleet(csms: FakeCsms, path: Path) -> list[str]:
    """A small fleet at a fake central system."""
    where = ["--url", csms.url, "--api", csms.api, "--api-key", "k", "--journal", str(path / "j.jsonl")]
    return ["fleet", "--stations", "6", "--sessions", "1", "--sites", "2", "--seed", "7", *where]


async def test_a_fleet_that_agrees_exits_0(tmp_path: Path) -> None:
    """With flaky stations in it."""
    async with FakeCsms() as csms:
        code, output = await finish(await start(*fleet(csms, tmp_path), "--verify", "--scenario", "flaky"))
    assert code == 0, output
    assert "equals the truth" in output


async def test_a_fleet_that_differs_exits_1_and_shows_it(tmp_path: Path) -> None:
    """The differences are listed."""
    async with FakeCsms(tamper=lambda rows: rows[1:]) as csms:
        code, output = await finish(await start(*fleet(csms, tmp_path), "--verify", "--scenario", "calm"))
    assert code == 1, output
    assert "times in history" in output


async def test_a_station_says_what_it_does_and_ends(tmp_path: Path) -> None:
    """One session in fast motion, with a misbehaviour."""
    async with FakeCsms() as csms:
        csms.sites["CS-9"] = "S"
        one = ["--identity", "CS-9", "--version", "1.6", "--url", csms.url, "--misbehave", "duplicate-stop"]
        code, output = await finish(await start("station", *one, "--sessions", "1", "--speed", "200"))
    assert code == 0, output
    assert "StartTransaction" in output
    assert len([text for _, text in csms.frames if '"StopTransaction"' in text]) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signals_end_it_cleanly(number: signal.Signals) -> None:
    """Sockets are closed and the exit code is 0."""
    async with FakeCsms() as csms:
        process = await start("station", "--identity", "CS-9", "--url", csms.url)
        await until(lambda: csms.frames)
        process.send_signal(number)
        code, output = await finish(process)
    assert code == 0, output


@pytest.mark.parametrize(
    "arguments",
    [
        ["station", "--version", "1.5"],
        ["station", "--misbehave", "nonsense"],
        ["fleet", "--scenario", "nonsense"],
        ["fleet", "--verify", "--forever"],
    ],
)
async def test_wrong_arguments_exit_2(arguments: list[str]) -> None:
    """And say what is wrong."""
    code, output = await finish(await start(*arguments))
    assert code == 2, output


async def test_quirks_are_listed() -> None:
    """By name."""
    code, output = await finish(await start("quirks"))
    assert code == 0
    assert "boot-loop" in output
