"""Files of assets: every problem by row and column, all or nothing, and back again."""

from datetime import UTC, datetime, timedelta

import pytest

from csms.domain.inventory import ConnectorRecord, EquipmentRecord, OperatorRecord, SiteRecord
from csms.errors import InvalidInput
from csms.handlers.asset_files import FileProblem, exported, import_file, template
from csms.sheets.reading import tables_of
from csms.sheets.writing import Sheet, xlsx
from csms.store.assets import AssetStore
from csms.store.database import Database

NOW = datetime(2018, 6, 1, tzinfo=UTC)
A = "MA1JXN9C2"
OPERATORS = f"operator,name,tel\n{A},京能充电,010-65550000\n"
SITES = f"operator,site,name,kind,latitude,longitude,joined_at\n{A},S1,国贸,public,39.9,116.4,2016-01-01\n"
EQUIPMENT = (
    "operator,site,equipment_id,kind,power_w,charger_class,joined_at\n"
    f"{A},S1,E1,dc,60000,social-public,2016-02-01\n{A},S1,E2,ac,7000.0,social-public,2016-02-01\n"
)


@pytest.fixture
def store(database: Database) -> AssetStore:
    """The store on each database."""
    return AssetStore(database)


async def test_csv_files_by_level(store: AssetStore) -> None:
    """The level is told by the columns; again changes nothing."""
    tallies = []
    for _ in range(2):
        for text in (OPERATORS, SITES, EQUIPMENT):
            report = await import_file(store, text.encode(), NOW)
            assert report.problems == []
            tallies.append(report.tally)

    counts = [next(iter(each.values())) for each in tallies]
    assert [each["added"] for each in counts] == [1, 1, 2, 0, 0, 0]
    assert [each["unchanged"] for each in counts] == [0, 0, 0, 1, 1, 2]
    site = await store.record(SiteRecord, (A, "S1"))
    assert (site.name, site.station_id) == ("国贸", "S1")
    assert site.joined_at == datetime(2015, 12, 31, 16, tzinfo=UTC)


async def test_a_chinese_spreadsheet_s_csv(store: AssetStore) -> None:
    """GB 18030, with semicolons."""
    report = await import_file(store, OPERATORS.replace(",", ";").encode("gb18030"), NOW)

    assert report.problems == []
    assert (await store.record(OperatorRecord, (A,))).name == "京能充电"


async def test_every_problem_is_told_and_nothing_imported(store: AssetStore) -> None:
    """By row and column, those of cells, records and references together."""
    await import_file(store, OPERATORS.encode(), NOW)
    text = (
        "operator,site,kind,colour,latitude,longitude\n"
        f"{A},S1,public,red,39.9,116.4\n"
        f"{A},S2,open,red,north,116.4\n"
        f"{A},,public,red,39.9,116.4\n"
        "\n"
        f"000000000,S4,public,red,99,116.4\n"
        "111111111,S5,public,red,39,116.4\n"
        f"{A},S1,public,red,39.9,116.4\n"
    )

    report = await import_file(store, text.encode(), NOW)

    assert [(p.row, p.column) for p in report.problems] == [
        (1, "colour"), (3, "kind"), (3, "latitude"), (3, "latitude"), (4, "site"), (6, "latitude"),
        (7, "operator"), (8, ""),
    ]  # fmt: skip
    assert report.problems[-1].problem == "this stands twice; first as entry 1"
    assert (await store.page(SiteRecord)).items == []


async def test_a_dry_run_only_tells(store: AssetStore) -> None:
    """The same report, and nothing stored."""
    dry = await import_file(store, OPERATORS.encode(), NOW, dry_run=True)

    assert dry.tally == {"operators": {"added": 1, "changed": 0, "unchanged": 0}}
    assert (await store.page(OperatorRecord)).items == []


async def test_a_workbook_with_all_levels(store: AssetStore) -> None:
    """Exported, it is imported again without a change; what the sheets leave out stays as it is."""
    for text in (OPERATORS, SITES, EQUIPMENT):
        await import_file(store, text.encode(), NOW)
    kinds = {"operators": OperatorRecord, "sites": SiteRecord, "equipment": EquipmentRecord}
    records = {level: await store.everything(kind) for level, kind in kinds.items()}

    again = await import_file(store, exported(records, "xlsx"), NOW + timedelta(days=1))
    part = Sheet("equipment", ("operator", "equipment_id", "power_w", "site"), [(A, "E1", 120_000, "S1")])
    changed = await import_file(store, xlsx([part]), NOW + timedelta(days=1))

    assert again.problems == changed.problems == []
    assert {level: counts["unchanged"] for level, counts in again.tally.items()} == {
        "operators": 1, "sites": 1, "equipment": 2,
    }  # fmt: skip
    first = await store.record(EquipmentRecord, (A, "E1"))
    assert (first.power_w, first.kind, first.joined_at) == (120_000, "dc", records["equipment"][0].joined_at)


async def test_names_that_look_like_formulas_come_back(store: AssetStore) -> None:
    """A quote guards them in the file and is gone when it is imported."""
    await import_file(store, f"operator,name\n{A},=HYPERLINK(1)\n".encode(), NOW)
    stored = await store.record(OperatorRecord, (A,))

    for form in ("csv", "xlsx"):
        content = exported({"operators": [stored]}, form)
        report = await import_file(store, content, NOW)
        assert report.tally["operators"]["unchanged"] == 1
    assert b"'=HYPERLINK" in exported({"operators": [stored]}, "csv")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"",
            FileProblem(
                "", 0, "", "its columns or name tell none of: operators, sites, equipment, connectors"
            ),
        ),
        (
            b"a,b\n1,2\n",
            FileProblem(
                "", 0, "", "its columns or name tell none of: operators, sites, equipment, connectors"
            ),
        ),
        (f"operator,site,site\n{A},S1,S1\n".encode(), FileProblem("", 1, "site", "this column stands twice")),
    ],
)
async def test_files_about_nothing(store: AssetStore, content: bytes, told: FileProblem) -> None:
    """Said once, of the whole file."""
    assert told in (await import_file(store, content, NOW)).problems


async def test_a_file_that_is_no_table(store: AssetStore) -> None:
    """Refused with one sentence."""
    for content in (b"\x89PNG\r\n\x1a\n\xff\xff", b"PK\x03\x04broken", b"operator\0"):
        with pytest.raises(InvalidInput, match="file:"):
            await import_file(store, content, NOW)


async def test_a_limited_caller_imports_its_own(store: AssetStore) -> None:
    """Rows of other operators are problems like those of unknown ones."""
    await import_file(store, OPERATORS.encode(), NOW)

    report = await import_file(store, SITES.encode(), NOW, own="MA2KYP7D5")

    assert [(p.row, p.problem) for p in report.problems] == [(2, f"there is no operator {A}")]


def test_templates_have_every_column() -> None:
    """CSV of one level; a workbook of all, each explained."""
    (table,) = tables_of(template("connectors", "csv"))
    workbook = tables_of(template(None, "xlsx"))

    assert set(ConnectorRecord.__dataclass_fields__) - {"modified_at"} == set(table.titles)
    assert [each.name for each in workbook] == ["operators", "sites", "equipment", "connectors"]
