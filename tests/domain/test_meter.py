"""Values as stations write them, and what they are in thousandths of one unit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.domain.meter import ENERGY_IMPORT_REGISTER, is_number, parse_value, read_decimal

E = ENERGY_IMPORT_REGISTER


@pytest.mark.parametrize(
    "text", ["1_000", " 12 ", "１２", "nan", "0x10", "1,5", "", "1e999999", ".", "-", "1.2.3"]
)
def test_what_is_no_decimal_number_is_kept_as_text_j10(text: str) -> None:
    """J10: strict grammar; float() would take four of them."""
    assert parse_value(text, "Wh", None, E) == (None, f"{text} Wh")


@pytest.mark.parametrize(
    ("text", "unit", "thousandths"),
    [
        ("16.1", "kWh", 16_100_000),
        ("1.005", "kWh", 1_005_000),
        ("0.1", "Wh", 100),
        ("2", "MWh", 2_000_000_000),
    ],
)
def test_units_are_converted_exactly_j11(text: str, unit: str, thousandths: int) -> None:
    """J11: 16.1 kWh are 16,100 Wh, not 16,100.000000000002."""
    value, _ = parse_value(text, unit, None, E)

    assert value == thousandths


@pytest.mark.parametrize(
    ("unit", "multiplier", "thousandths"),
    [
        (None, None, 7_000),
        ("", None, 7_000),
        ("Wh", 0, 7_000),
        ("kWh", None, 7_000_000),
        ("kwh", None, 7_000_000),
        ("Wh", -3, 7),
        ("Wh", 6, 7_000_000_000),
        ("foo", None, None),
        ("W", None, None),
        ("Wh", 40, None),
    ],
)
def test_unit_and_multiplier_scale_the_value_j12(
    unit: str | None, multiplier: int | None, thousandths: int | None
) -> None:
    """J12: no unit is Wh, an unknown one is not guessed at."""
    assert parse_value("7", unit, multiplier, E)[0] == thousandths


@pytest.mark.parametrize(
    ("value", "unit", "measurand", "expected"),
    [
        ("230.1", "V", "voltage", (230_100, None)),
        ("16", "mA", "current.import", (16, "16 mA")),
        ("20", "K", "temperature", (-253_150, "20 K")),
        ("212", "Fahrenheit", "temperature", (100_000, "212 Fahrenheit")),
        ("21", "Celcius", "temperature", (21_000, None)),
        ("0.98", None, "power.factor", (980, None)),
        ("55", "Percent", "soc", (55_000, None)),
        ("3", "V", "a.vendor's", (3_000, None)),
        ("-5", None, E, (-5_000, None)),
        ("+5", None, E, (5_000, None)),
        ("1e3", None, E, (1_000_000, None)),
        ("1.2345", None, E, (1_234, "1.2345")),
        (1.5, "kWh", E, (1_500_000, "1.5 kWh")),
        (12, None, E, (12_000, None)),
        (True, None, E, (None, "True")),
        (None, None, E, (None, "null")),
        (float("nan"), None, E, (None, "nan")),
        (10**30, None, E, (None, str(10**30))),
        ("999999999999999999", "MWh", E, (None, "999999999999999999 MWh")),
    ],
)
def test_values_of_every_kind(
    value: str | float | None, unit: str | None, measurand: str, expected: tuple[int | None, str | None]
) -> None:
    """The text stays beside what was converted, rounded or not understood."""
    assert parse_value(value, unit, None, measurand) == expected


@given(
    st.decimals(min_value=-(10**6), max_value=10**6, places=3),
    st.sampled_from(["Wh", "kWh", None]),
    st.integers(-3, 6),
)
def test_every_number_is_exact_or_keeps_its_text(number: Decimal, unit: str | None, multiplier: int) -> None:
    """No value is off by more than its rounding, and a rounded one says so."""
    value, raw = parse_value(str(number), unit, multiplier, E)

    exact = number.scaleb(multiplier + 3 + (3 if unit == "kWh" else 0))
    assert value is not None
    assert abs(value - exact) <= Decimal("0.5")
    assert raw is not None or value == exact


@given(st.text(max_size=20), st.one_of(st.none(), st.text(max_size=8)), st.text(max_size=12))
def test_no_text_is_too_strange(text: str, unit: str | None, measurand: str) -> None:
    """Whatever a station sends, it is a number or kept."""
    value, raw = parse_value(text, unit, None, measurand)

    assert value is not None or raw is not None


def test_a_number_is_told_from_other_texts() -> None:
    """To say whether the unit or the value was at fault."""
    assert is_number("5.1")
    assert not is_number("5,1")
    assert read_decimal("5.10") == Decimal("5.10")
    assert read_decimal([]) is None
