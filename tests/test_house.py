"""The floors of the house, the size of its rooms, and a test file for every file."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    p for p in [*ROOT.glob("csms/**/*.py"), *ROOT.glob("simulators/**/*.py")] if p.read_text().strip()
)
MOST_LINES = 330


def test_floors_hold() -> None:
    """No room knows one above it, and the simulators know none of them."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_outgrows_its_reader(source: Path) -> None:
    """A file that needs scrolling for minutes needs a second file."""
    assert len(source.read_text().splitlines()) <= MOST_LINES
