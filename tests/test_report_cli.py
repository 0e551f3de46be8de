"""`csms report yearbook` as its user sees it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from csms.cli import app
from csms.errors import InvalidInput
from csms.sheets.reading import tables_of

SQUARE = [[116.2, 39.7], [116.6, 39.7], [116.6, 40.1], [116.2, 40.1], [116.2, 39.7]]
OPERATORS = "operator,name,joined_at\nMA1JXN9C2,A,2015-01-01\n"
SITES = (
    "operator,site,latitude,longitude,joined_at\nMA1JXN9C2,S1,39.9,116.4,2015-01-01\n"
    "MA1JXN9C2,S2,39.95,116.3,2017-01-02\n"
)
CHARGERS = (
    "operator,site,equipment_id,charger_class,joined_at\nMA1JXN9C2,S1,E1,social-public,2015-01-01\n"
    "MA1JXN9C2,S2,E2,social-public,2017-05-01\n"
)


@pytest.fixture
def config(tmp_path: Path, sqlite_url: str) -> Path:
    """Settings of a database with one operator, two sites and two chargers."""
    file = tmp_path / "config.yaml"
    file.write_text(f"database:\n  url: {sqlite_url}\n")
    for n, text in enumerate((OPERATORS, SITES, CHARGERS)):
        table = tmp_path / f"{n}.csv"
        table.write_text(text)
        done = CliRunner().invoke(app, ["assets", "import", str(table), "-c", str(file)])
        assert done.exit_code == 0, done.output
    return file


def yearbook(config: Path, *words: str) -> bytes:
    """What the command printed."""
    done = CliRunner().invoke(app, ["report", "yearbook", "--as-of", "2017-12-31", "-c", str(config), *words])
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


def test_text_and_markdown(config: Path) -> None:
    """Figures, growth, classes in ten thousands."""
    text = yearbook(config).decode()
    markdown = yearbook(config, "--format", "md").decode()

    line = next(each for each in text.splitlines() if each.startswith("chargers connected"))
    assert line.split()[2:] == ["2", "1", "+1", "100.00", "%"]
    assert "0.00 = 0.00 + 0.00 + 0.00 (万)" in text
    assert "| sites connected | 2 | 1 | +1 | 100 % |" in markdown


def test_csv_and_xlsx_into_files(config: Path, tmp_path: Path) -> None:
    """A spreadsheet opens both."""
    yearbook(config, "--format", "csv", "--output", str(tmp_path / "y.csv"))
    yearbook(config, "--format", "xlsx", "--output", str(tmp_path / "y.xlsx"))

    assert "chargers connected,2,1,1,100.00\n" in (tmp_path / "y.csv").read_text("utf-8-sig")
    book = tables_of((tmp_path / "y.xlsx").read_bytes())
    assert [each.name for each in book] == ["yearbook 2017-12-31", "classes", "remarks"]
    assert list(book[0].lines[2].cells.values())[:4] == ["chargers connected", "2", "1", "1"]


def test_service_radius(config: Path, tmp_path: Path) -> None:
    """Of the sites inside the polygon of a GeoJSON file; a broken file is named."""
    area = tmp_path / "area.geojson"
    area.write_text(json.dumps({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [SQUARE]}}))

    printed = yearbook(config, "--polygon", str(area)).decode()

    (sites,) = [line for line in printed.splitlines() if line.startswith("counted sites inside")]
    assert sites.split()[-1] == "2"
    (radius,) = [line for line in printed.splitlines() if line.startswith("mean service radius")]
    assert 10 < float(radius.split()[-1]) < 20
    area.write_text("{}")
    done = CliRunner().invoke(
        app, ["report", "yearbook", "--as-of", "2017-12-31", "-c", str(config), "--polygon", str(area)]
    )
    assert isinstance(done.exception, InvalidInput)
    assert "area.geojson" in str(done.exception)


def test_a_statement(config: Path, tmp_path: Path) -> None:
    """JSON on standard output, a workbook and a page in files; a month there is not is refused."""
    usual = ["report", "statement", "--operator", "MA1JXN9C2", "-c", str(config)]
    printed = CliRunner().invoke(app, [*usual, "--month", "2026-01", "--format", "json"])
    for form in ("xlsx", "html"):
        file = str(tmp_path / f"s.{form}")
        done = CliRunner().invoke(
            app, [*usual, "--month", "2026-01", "--format", form, "--lang", "en", "--output", file]
        )
        assert done.exit_code == 0, done.output
    wrong = CliRunner().invoke(app, [*usual, "--month", "2026-13", "--format", "json"])

    assert json.loads(printed.stdout)["totals"]["total"] == "0.00"
    sheets = [table.name for table in tables_of((tmp_path / "s.xlsx").read_bytes())]
    assert sheets[0] == "Summary"
    assert "<h1>Statement 2026-01</h1>" in (tmp_path / "s.html").read_text()
    assert isinstance(wrong.exception, InvalidInput)
