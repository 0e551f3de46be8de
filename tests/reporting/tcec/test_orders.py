"""Charge orders: details that add up to the totals as they are told, to the fen and to 0.01 kWh."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.reporting.tcec.envelope import parse_object
from csms.reporting.tcec.messages import message, read
from csms.reporting.tcec.orders import MOST_DETAILS, OrderDetail, merged
from csms.reporting.tcec.profile import load_profile
from csms.reporting.tcec.wording import BadRecord, apportioned
from tests.reporting.tcec.samples import DETAILS, SAMPLES

STANDARD, SIMULATED, ZHEJIANG = (load_profile(name) for name in ("tcec102-2016", "simulated", "zhejiang"))
T0 = datetime(2026, 1, 1, tzinfo=UTC)
PERIODS = ("sharp", "peak", "flat", "valley")


def detail(n: int, energy_wh: int, elec_fen: int, service_fen: int) -> dict[str, Any]:
    """One detail of half an hour."""
    start = T0 + timedelta(minutes=30 * n)
    return {
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
        "period": PERIODS[n % 4],
        "energy_wh": energy_wh,
        "elec_price": f"0.{n % 10}000",
        "service_price": "0.8000",
        "elec_money": str(Decimal(elec_fen).scaleb(-2)),
        "service_money": str(Decimal(service_fen).scaleb(-2)),
    }


def order(details: list[dict[str, Any]]) -> dict[str, Any]:
    """An order that is the sum of its details."""
    elec = sum((Decimal(one["elec_money"]) for one in details), Decimal(0))
    service = sum((Decimal(one["service_money"]) for one in details), Decimal(0))
    return SAMPLES["charge-order"] | {
        "details": details,
        "energy_wh": sum(one["energy_wh"] for one in details),
        "elec_money": str(elec),
        "service_money": str(service),
        "money": str(elec + service),
    }


def told(payload: dict[str, Any], profile: Any) -> dict[str, Any]:
    """The message's numbers as decimals."""
    import json

    text = message(read("charge-order", payload), profile).text
    body: dict[str, Any] = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return body


PARTS = st.lists(
    st.tuples(st.integers(0, 300_000), st.integers(0, 99_999), st.integers(0, 99_999)), max_size=70
)


@given(PARTS)
def test_details_add_up_to_the_totals(parts: list[tuple[int, int, int]]) -> None:
    """Whatever the session was, and however often its price changed."""
    body = told(order([detail(n, *part) for n, part in enumerate(parts)]), STANDARD)

    details = body.get("ChargeDetails", [])
    if parts:
        assert sum(one["DetailPower"] for one in details) == body["TotalPower"]
        assert sum(one["DetailElecMoney"] for one in details) == body["TotalElecMoney"]
        assert sum(one["DetailSeviceMoney"] for one in details) == body["TotalSeviceMoney"]
        assert body["SumPeriod"] == len(details) <= 40
    assert body["TotalElecMoney"] + body["TotalSeviceMoney"] == body["TotalMoney"]


@given(PARTS)
def test_periods_add_up_to_the_energy(parts: list[tuple[int, int, int]]) -> None:
    """尖峰平谷."""
    body = told(order([detail(n, *part) for n, part in enumerate(parts)]), ZHEJIANG)

    if parts:
        periods = (body[name] for name in ("CuspElect", "PeakElect", "FlatElect", "ValleyElect"))
        assert sum(periods) == body["TotalElect"]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=50), st.integers(0, 3))
def test_no_part_is_a_unit_off(parts_wh: list[int], places: int) -> None:
    """Largest remainder: each part is its exact value cut, or one unit more."""
    parts = [Decimal(part).scaleb(-3) for part in parts_wh]
    unit = Decimal(1).scaleb(-places)
    total = sum(parts).quantize(unit, "ROUND_HALF_UP")  # type: ignore[union-attr]

    given_out = apportioned(parts, total, places)

    assert sum(given_out) == total
    assert all(abs(one - part) < unit for one, part in zip(given_out, parts, strict=True))


def test_details_that_contradict_the_total() -> None:
    """They are not told: the platform would dispute them, and somebody must look."""
    with pytest.raises(BadRecord, match=r"details add up to 12\.345, the total is 13"):
        message(read("charge-order", SAMPLES["charge-order"] | {"energy_wh": 13_000}), STANDARD)


def test_an_order_without_tariff() -> None:
    """Money is told as zero where it is mandatory; there are no details."""
    body = told(
        SAMPLES["charge-order"] | {"details": [], "elec_money": None, "service_money": None, "money": None},
        STANDARD,
    )

    assert (body["TotalElecMoney"], body["TotalMoney"]) == (0, 0)
    assert "ChargeDetails" not in body
    assert "SumPeriod" not in body


def test_a_platform_that_must_have_details() -> None:
    """It gets none, and periods that are not known are left out."""
    body = told(SAMPLES["charge-order"] | {"details": []}, ZHEJIANG)

    assert (body["SumPeriod"], body["ChargeDetails"]) == (0, [])
    assert "PeakElect" not in body


@given(PARTS)
def test_more_periods_than_a_platform_counts(parts: list[tuple[int, int, int]]) -> None:
    """Neighbours are told as one: nothing overlaps, energy and money stay, prices are those between."""
    details = [OrderDetail(**one) for one in _typed([detail(n, *part) for n, part in enumerate(parts)])]

    told = merged(details)

    assert len(told) == min(len(details), MOST_DETAILS)
    assert all(one.end <= after.start for one, after in pairwise(told))
    for name in ("energy_wh", "elec_money", "service_money"):
        assert sum(getattr(one, name) for one in told) == sum(getattr(one, name) for one in details)
    for one in told:
        prices = [each.elec_price for each in details if one.start <= each.start < one.end]
        assert min(prices) <= one.elec_price <= max(prices)  # type: ignore[operator, type-var]


def test_what_costs_the_same_is_told_as_one_first() -> None:
    """Of 33 details the two of one price; without such the two with the least energy, at their average."""
    many = _typed([detail(n, 1000, 40, 80) for n in range(MOST_DETAILS + 1)])
    same = {name: many[30][name] for name in ("period", "elec_price", "service_price")}
    equal = merged([OrderDetail(**one) for one in (*many[:31], many[31] | same, many[32])])
    assert (equal[30].start, equal[30].end) == (many[30]["start"], many[31]["end"])
    assert (equal[30].elec_price, equal[30].energy_wh) == (many[30]["elec_price"], 2000)

    little = [{"energy_wh": 100, "elec_price": Decimal(1)}, {"energy_wh": 200, "elec_price": Decimal(2)}]
    unlike = merged(
        [OrderDetail(**one) for one in (*many[:5], many[5] | little[0], many[6] | little[1], *many[7:])]
    )
    assert (unlike[5].energy_wh, unlike[5].elec_price) == (300, Decimal("1.6667"))


def _typed(details: list[dict[str, Any]]) -> list[dict[str, Any]]:
    numbers = ("elec_price", "service_price", "elec_money", "service_money")
    return [
        one
        | {name: Decimal(one[name]) for name in numbers}
        | {name: datetime.fromisoformat(one[name]) for name in ("start", "end")}
        for one in details
    ]


def test_keys_of_an_order_are_optional() -> None:
    """An older payload has no details and no idle money."""
    payload = {
        k: v for k, v in SAMPLES["charge-order"].items() if k not in ("details", "idle_money", "place")
    }

    assert parse_object(message(read("charge-order", payload), STANDARD).text)["ConnectorID"] == "CS-00010102"
    assert read("charge-order", payload | {"idle_money": "3.00", "details": DETAILS}) is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"details": [DETAILS[0] | {"period": "noon"}]}, "period"),
        ({"details": [DETAILS[0] | {"elec_money": "NaN"}]}, "money is not a number"),
        ({"details": [DETAILS[0] | {"start": "2026-01-01T00:00:00"}]}, "UTC"),
        ({"idle_money": "much"}, "idle_money"),
    ],
)
def test_a_detail_that_cannot_be_read(change: dict[str, Any], said: str) -> None:
    """It is named."""
    with pytest.raises(BadRecord, match=said):
        read("charge-order", SAMPLES["charge-order"] | change)
