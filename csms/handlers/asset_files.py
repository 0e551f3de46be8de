"""Asset data in files: imported all or nothing with every problem by row and column, exported, templates.

A CSV file holds one level (operators, sites, equipment or connectors), told by its columns; a workbook has a
sheet for each, told by its name. A column that is left out keeps what is stored; an empty cell is unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from csms.domain.asset_fields import KEYS, LEVELS, Field, fields_of, read, write
from csms.domain.city_names import station_id as default_station_id
from csms.domain.inventory import AssetRecord, OperatorRecord, SiteRecord
from csms.errors import InvalidInput
from csms.sheets.cells import csv_lines
from csms.sheets.reading import Line, Table, tables_of
from csms.sheets.writing import Sheet, xlsx
from csms.store.assets import AssetStore

MOST_PROBLEMS = 1_000
BYTE_ORDER_MARK = "\ufeff"  # so that spreadsheets read Chinese names right


class FileProblem(NamedTuple):
    """Where in the file what is wrong; row 1 is the header, 0 the whole sheet."""

    sheet: str
    row: int
    column: str
    problem: str


class Report(NamedTuple):
    """What an import did, or would do. With problems nothing was written.

    `moved`: identities of charging stations that belong to another site now.
    """

    tally: dict[str, dict[str, int]]
    problems: list[FileProblem]
    moved: list[str]


class _Source(NamedTuple):
    """Where a record came from."""

    sheet: str
    row: int


class _Entry(NamedTuple):
    source: _Source
    kind: type[AssetRecord]
    values: dict[str, Any]


@dataclass(slots=True)
class _Reading:
    entries: list[_Entry] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)

    def complain(self, sheet: str, row: int, column: str, problem: str) -> None:
        self.problems.append(FileProblem(sheet, row, column, problem))


async def import_file(
    store: AssetStore, content: bytes, now: datetime, *, own: str | None = None, dry_run: bool = False
) -> Report:
    """Import a file, or (`dry_run`, or any problem) only say what would come of it.

    `own`: the only operator whose records exist for the caller. Raises InvalidInput for what is no table.
    """
    reading = _read(tables_of(content))
    records = await _completed(store, reading.entries)
    done = await store.put(records, now, own=own, dry_run=dry_run or bool(reading.problems))
    problems = list(reading.problems)
    for each in done.problems:
        sheet, row = reading.entries[each.index].source
        text = each.text.replace("as record ", "as entry ")
        problems.append(FileProblem(sheet, row, each.field, text))
    problems.sort(key=lambda problem: problem[:2])
    return Report(done.tally, problems[:MOST_PROBLEMS], done.moved)


def _read(tables: Iterable[Table]) -> _Reading:
    reading = _Reading()
    for table in tables:
        level = _level_of(table)
        if level is not None:
            _read_table(table, LEVELS[level], reading)
        elif table.lines or not table.name:
            known = ", ".join(LEVELS)
            reading.complain(table.name, 0, "", f"its columns or name tell none of: {known}")
    return reading


def _level_of(table: Table) -> str | None:
    """The level of a table: its name, or the longest key of which all columns are there."""
    if table.name.lower() in LEVELS:
        return table.name.lower()
    titles = set(table.titles)
    for level in ("connectors", "equipment", "sites", "operators"):
        if titles.issuperset(KEYS[LEVELS[level]]):
            return level
    return None


def _read_table(table: Table, kind: type[AssetRecord], reading: _Reading) -> None:
    fields = {each.name: each for each in fields_of(kind)}
    for title in table.titles:
        if title and title not in fields:
            reading.complain(table.name, 1, title, "there is no such column; see the template")
        elif table.titles.count(title) > 1 and title:
            reading.complain(table.name, 1, title, "this column stands twice")
    lacking = [name for name in KEYS[kind] if name not in table.titles]
    for name in lacking:
        reading.complain(table.name, 1, name, "this column is missing")
    if not lacking:
        for line in table.lines:
            _read_line(table.name, line, kind, fields, reading)


def _read_line(
    sheet: str, line: Line, kind: type[AssetRecord], fields: dict[str, Field], reading: _Reading
) -> None:
    values: dict[str, Any] = {}
    for title, text in line.cells.items():
        if title in fields:
            try:
                values[title] = read(fields[title], text)
            except InvalidInput as exc:
                reading.complain(sheet, line.number, title, str(exc.args[0]))
    gaps = [name for name in KEYS[kind] if not values.get(name)]
    for name in gaps:
        reading.complain(sheet, line.number, name, "is missing")
    if not gaps:
        reading.entries.append(_Entry(_Source(sheet, line.number), kind, values))


async def _completed(store: AssetStore, entries: Sequence[_Entry]) -> list[AssetRecord]:
    """The records of entries: what a file does not say is as stored."""
    stored: dict[tuple[Any, ...], AssetRecord] = {}
    for kind in LEVELS.values():
        keys = [_key(each) for each in entries if each.kind is kind]
        if keys:
            stored |= {(kind, *key): record for key, record in (await store.records(kind, keys)).items()}
    return [_record(each, stored.get((each.kind, *_key(each)))) for each in entries]


def _key(entry: _Entry) -> tuple[str, ...]:
    return tuple(entry.values[name] for name in KEYS[entry.kind])


def _record(entry: _Entry, stored: AssetRecord | None) -> AssetRecord:
    values = dict(entry.values)
    if entry.kind in (OperatorRecord, SiteRecord) and values.get("name", "") is None:
        values["name"] = ""  # theirs is a column of the registry, which is never unknown
    if entry.kind is SiteRecord and not values.get("station_id", stored):
        values["station_id"] = default_station_id(values["site"])
    if stored is not None:
        return replace(stored, **values)
    blank: dict[str, Any] = {each.name: "" for each in fields_of(entry.kind) if each.name in _REQUIRED}
    make: Any = entry.kind
    return make(**(blank | values))  # type: ignore[no-any-return]  # a record of that kind


# Fields without a default that are no key everywhere: left out of a file, they are faults of the record.
_REQUIRED = frozenset({"site", "equipment_id", "station_id"})


def template(level: str | None, form: str) -> bytes:
    """An empty file with every column: CSV of one level, XLSX of all with an explanation at each column."""
    return exported({level or "sites": []} if form == "csv" else {name: [] for name in LEVELS}, form)


def exported(records: Mapping[str, Sequence[AssetRecord]], form: str) -> bytes:
    """Records as a file that can be imported again: CSV of one level, XLSX of several."""
    sheets = [_sheet(level, some) for level, some in records.items()]
    if form == "xlsx":
        return xlsx(sheets)
    (sheet,) = sheets
    return (BYTE_ORDER_MARK + csv_lines([sheet.header, *sheet.rows])).encode()


def _sheet(level: str, records: Sequence[AssetRecord]) -> Sheet:
    fields = fields_of(LEVELS[level])
    rows = [[_shown(getattr(record, each.name)) for each in fields] for record in records]
    return Sheet(level, [each.name for each in fields], rows, [each.hint for each in fields])


def _shown(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else write(value)
