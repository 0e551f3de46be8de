"""`csms assets` as its user sees it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from csms.cli import app
from csms.sheets.reading import tables_of

A = "MA1JXN9C2"


@pytest.fixture
def config(tmp_path: Path, sqlite_url: str) -> Path:
    """Settings of an empty database."""
    file = tmp_path / "config.yaml"
    file.write_text(f"database:\n  url: {sqlite_url}\n")
    return file


def assets(config: Path, *words: str, code: int = 0) -> str:
    """What the command printed."""
    done = CliRunner().invoke(
        app, ["assets", *words, *(["-c", str(config)] if words[0] != "template" else [])]
    )
    assert done.exit_code == code, done.output
    return done.output


def test_import_dry_run_and_again(config: Path, tmp_path: Path) -> None:
    """A dry run says what would come; a second import changes nothing; problems end with code 1."""
    file = tmp_path / "operators.csv"
    file.write_text(f"operator,name,uscid\n{A},Example,\n")

    assert "would be imported" in assets(config, "import", str(file), "--dry-run")
    assert "operators: 1 added" in assets(config, "import", str(file))
    assert "1 unchanged" in assets(config, "import", str(file))
    file.write_text(f"operator,name,uscid\n{A},Example,1\n")
    told = assets(config, "import", str(file), code=1)
    assert "row 2 uscid: has 1 characters" in told
    assert "1 problems; nothing was imported" in told


def test_export_and_template(config: Path, tmp_path: Path) -> None:
    """By the file's suffix."""
    source = tmp_path / "in.csv"
    source.write_text(f"operator,name\n{A},Example\n")
    assets(config, "import", str(source))

    assets(config, "export", str(tmp_path / "all.xlsx"))
    assets(config, "export", str(tmp_path / "one.csv"), "--of", "operators", "--operator", A)
    assets(config, "template", str(tmp_path / "empty.xlsx"))

    assert len(tables_of((tmp_path / "all.xlsx").read_bytes())[0].lines) == 1
    assert f"{A},Example" in (tmp_path / "one.csv").read_text("utf-8-sig")
    assert all(each.lines == [] for each in tables_of((tmp_path / "empty.xlsx").read_bytes()))
    assert "must end in" in assets(config, "export", str(tmp_path / "x.pdf"), code=2)
