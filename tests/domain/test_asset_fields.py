"""Texts to values and back, and what is wrong with a record."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.asset_fields import LEVELS, Field, faults, fields_of, read, write
from csms.domain.inventory import (
    ConnectorRecord,
    EquipmentKind,
    EquipmentRecord,
    Facility,
    OperatorRecord,
    SiteRecord,
)
from csms.errors import InvalidInput

OPERATOR = "MA1JXN9C2"


def field(level: str, name: str) -> Field:
    """A field by its name."""
    return next(each for each in fields_of(LEVELS[level]) if each.name == name)


@pytest.mark.parametrize(
    ("level", "name", "text", "value"),
    [
        ("sites", "parking_spaces", "12.0", 12),
        ("sites", "open_all_day", "是", True),
        ("sites", "facilities", "toilet; shop", (Facility.TOILET, Facility.SHOP)),
        ("sites", "opened_on", "2016-05-01 00:00:00", date(2016, 5, 1)),
        ("sites", "joined_at", "2016-05-01", datetime(2016, 4, 30, 16, tzinfo=UTC)),
        ("sites", "joined_at", "2016-05-01T08:00:00Z", datetime(2016, 5, 1, 8, tzinfo=UTC)),
        ("equipment", "kind", "dc", EquipmentKind.DC),
        ("equipment", "power_w", " ", None),
        ("sites", "pictures", "", ()),
    ],
)
def test_cells_become_values(level: str, name: str, text: str, value: object) -> None:
    """As people and spreadsheets write them; a time without an offset is Beijing's."""
    assert read(field(level, name), text) == value


@pytest.mark.parametrize(
    ("level", "name", "text", "told"),
    [
        ("equipment", "kind", "DC/AC", "dc | ac | ac-dc"),
        ("equipment", "power_w", "7,5", "whole number"),
        ("equipment", "power_w", "٧", "whole number"),
        ("sites", "latitude", "north", "number"),
        ("sites", "open_all_day", "maybe", "true or false"),
        ("sites", "opened_on", "1.5.2016", "YYYY-MM-DD"),
        ("sites", "joined_at", "soon", "YYYY-MM-DD"),
    ],
)
def test_a_cell_that_cannot_be_read_is_explained(level: str, name: str, text: str, told: str) -> None:
    """The message says what is expected."""
    with pytest.raises(InvalidInput) as caught:
        read(field(level, name), text)
    assert told in str(caught.value)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.booleans())
def test_values_come_back(at: datetime, is_so: bool) -> None:
    """What is exported is imported as the same."""
    assert read(field("sites", "joined_at"), write(at)) == at
    assert read(field("sites", "barrier"), write(is_so)) is is_so
    assert read(field("sites", "facilities"), write((Facility.SHOP,))) == (Facility.SHOP,)
    assert write(None) == ""


def test_every_field_has_a_hint() -> None:
    """The template explains each column; what we set ourselves is no column."""
    for kind in LEVELS.values():
        assert all(each.hint for each in fields_of(kind))
        assert "modified_at" not in {each.name for each in fields_of(kind)}


@pytest.mark.parametrize(
    ("record", "name", "told"),
    [
        (OperatorRecord("short"), "operator", "nine letters"),
        (OperatorRecord(OPERATOR, uscid="91350100M000100Y44"), "uscid", "check character"),
        (OperatorRecord(OPERATOR, note="a\x00"), "note", "control"),
        (OperatorRecord(OPERATOR, note="a\ud800"), "note", "control"),
        (SiteRecord(OPERATOR, "S", "S" * 21), "station_id", "21 characters; 20"),
        (SiteRecord(OPERATOR, "", "S"), "site", "missing"),
        (SiteRecord(OPERATOR, "S", "S", latitude=39.9), "longitude", "both"),
        (SiteRecord(OPERATOR, "S", "S", latitude=99.0, longitude=0.0), "latitude", "from -90 to 90"),
        (SiteRecord(OPERATOR, "S", "S", area_code="beijing"), "area_code", "GB/T 2260"),
        (SiteRecord(OPERATOR, "S", "S", facilities=(Facility.SHOP,) * 21), "facilities", "21 values"),
        (EquipmentRecord(OPERATOR, "S", "E 1"), "equipment_id", "no spaces"),
        (EquipmentRecord(OPERATOR, "S", "E", produced_on=date(1066, 1, 1)), "produced_on", "1990"),
        (EquipmentRecord(OPERATOR, "S", "E", power_w=-1), "power_w", "from 0"),
        (ConnectorRecord(OPERATOR, "E", "C", evse=1), "identity", "all three"),
        (
            ConnectorRecord(OPERATOR, "E", "C", voltage_upper_v=200, voltage_lower_v=750),
            "voltage_lower_v",
            "750",
        ),
    ],
)
def test_what_is_wrong_is_told_by_field(record: OperatorRecord, name: str, told: str) -> None:
    """One fault, at its field."""
    (fault,) = faults(record)

    assert fault.field == name
    assert told in fault.text


def test_a_good_record_has_no_fault() -> None:
    """Unknown fields are no fault."""
    assert faults(SiteRecord(OPERATOR, "BJ-GUOMAO", "BJ-GUOMAO", area_code="110105", country_code="CN")) == []
