"""The benchmark runs, from start to table, with every server that can run here. No time is asserted."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench import report
from tests.bench.__main__ import chosen, parse, run
from tests.bench.load import Findings, Stretch
from tests.clients.node import require_node

SMALL = ["--connections", "20", "--rounds", "1", "--seconds", "0.3", "--messages", "600"]


@pytest.mark.slow
@pytest.mark.parametrize("server", ["floor", "csms", "ocpp-rpc", "plain"])
async def test_a_small_run_is_answered_without_error(server: str, tmp_path: Path) -> None:
    """Twenty stations of each version are connected, served and counted."""
    if server == "ocpp-rpc":
        require_node()
    options, said = parse([*SMALL, "--only", server, "--build", str(tmp_path)]), io.StringIO()
    servers = chosen(server)

    rounds = await run(options, servers, Console(file=said))

    assert {version for _, version in rounds} == set(servers[0].versions)
    for findings in rounds.values():
        (found,) = findings
        assert (found.connections, found.errors, found.trouble) == (20, 0, [])
        assert found.saturation.messages >= 20
        assert found.half.messages >= 20


def stretch(cpu_us: float) -> Stretch:
    return Stretch(1_000, 1.0, 1_000.0, cpu_us, 9.0, 1.0, 2.0, 3.0)


def findings(cpu_us: float) -> Findings:
    return Findings(10, 100.0, 11.0, stretch(cpu_us), stretch(cpu_us), 0, 0, [])


def test_the_least_round_is_quoted_and_ratios_follow(tmp_path: Path) -> None:
    """Ours at 30 and 40 us over a floor of 10 is 3.0; every round is kept, one line goes to the history."""
    rounds = {
        ("floor", "echo"): [findings(10.0), findings(12.0)],
        ("csms", "1.6"): [findings(40.0), findings(30.0)],
        ("plain", "1.6"): [findings(900.0), findings(950.0)],
    }
    said = io.StringIO()

    summary = report.summarize(rounds)
    report.write(summary, rounds, tmp_path)
    report.write(summary, rounds, tmp_path)
    report.show(summary, {"floor": "floor", "csms": "csms", "plain": "plain"}, Console(file=said, width=120))

    assert summary["ratios"] == {"csms 1.6 / floor": 3.0, "csms 1.6 / plain 1.6": pytest.approx(30 / 900)}
    written = json.loads((tmp_path / "bench.json").read_text())
    assert len(written["all_rounds"]["csms 1.6"]) == 2
    assert written["machine"]["cores"] >= 1
    assert len((tmp_path / "bench-history.jsonl").read_text().splitlines()) == 2
    assert "csms 1.6 / floor: 3.00" in said.getvalue()


def test_an_unknown_server_is_refused() -> None:
    """A misspelt --only ends with the names that exist."""
    with pytest.raises(SystemExit, match="known: floor, csms, ocpp-rpc, plain"):
        chosen("floor,nginx")
