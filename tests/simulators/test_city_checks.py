"""Reconciliation: which orders a city disputes, and why."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.city_checks import DISPUTED, ENERGY_DIFFERS, MONEY_DIFFERS, NOT_LISTED, UNKNOWN, reconcile
from simulators.city_ledger import Ledger
from tests.simulators.city_kit import OPERATOR, T0

DAY = ("2026-01-05 00:00:00", "2026-01-05 23:59:59")


def seq(n: int) -> str:
    return f"{OPERATOR}{n:018d}"


def kept(
    ledger: Ledger, n: int, *, start: str = "10", day: str = "2026-01-05", disputed: bool = False
) -> None:
    body = {
        "StartChargeSeq": seq(n),
        "StartTime": f"{day} {start}:00:00",
        "EndTime": "2026-01-05 12:00:00",
        "TotalPower": Decimal("10.50"),
        "TotalMoney": Decimal("12.34"),
    }
    ledger.take(("order", OPERATOR, seq(n)), body, 10_500, disputed)


def listed(n: int, power: str = "10.5", money: str = "12.34") -> dict[str, Any]:
    return {"StartChargeSeq": seq(n), "TotalPower": Decimal(power), "TotalMoney": Decimal(money)}


def check(ledger: Ledger, *orders: dict[str, Any], day: tuple[str, str] = DAY) -> dict[str, Any]:
    body = {"CheckOrderSeq": seq(0), "StartTime": day[0], "EndTime": day[1], "ChargeOrders": list(orders)}
    return reconcile(ledger, OPERATOR, body)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(None, lambda: T0)


def test_agreement(ledger: Ledger) -> None:
    """Nothing is disputed, and what was asked is named."""
    kept(ledger, 1)

    assert check(ledger, listed(1, "10.50", "12.340")) == {
        "CheckOrderSeq": seq(0),
        "StartTime": DAY[0],
        "EndTime": DAY[1],
        "TotalDisputeOrder": 0,
        "TotalDisputePower": 0,
        "TotalDisputeMoney": 0,
        "DisputeOrders": [],
    }


@pytest.mark.parametrize(
    ("order", "reason", "figures"),
    [
        (listed(2, "3.00", "4.00"), UNKNOWN, ("3.00", "4.00")),
        (listed(1, "10.51"), ENERGY_DIFFERS, ("10.5", "12.34")),
        (listed(1, "10.51", "1"), ENERGY_DIFFERS, ("10.5", "12.34")),
        (listed(1, "10.50", "12.35"), MONEY_DIFFERS, ("10.5", "12.34")),
    ],
)
def test_one_order_that_differs(
    ledger: Ledger, order: dict[str, Any], reason: int, figures: tuple[str, str]
) -> None:
    """With the city's figures, or the operator's where the city has none."""
    kept(ledger, 1)
    told = check(ledger, listed(1), order) if reason == UNKNOWN else check(ledger, order)

    power, money = map(Decimal, figures)
    assert told["DisputeOrders"] == [
        {
            "StartChargeSeq": order["StartChargeSeq"],
            "TotalPower": power,
            "TotalMoney": money,
            "DisputeReason": reason,
        }
    ]
    assert (told["TotalDisputeOrder"], told["TotalDisputePower"], told["TotalDisputeMoney"]) == (
        1,
        power,
        money,
    )


def test_an_order_that_was_not_listed(ledger: Ledger) -> None:
    """Only where it lies wholly within the period, and is this operator's."""
    kept(ledger, 1)
    kept(ledger, 2, day="2026-01-04")
    ledger.take(("order", "987654321", seq(3)), {"StartTime": DAY[0], "EndTime": DAY[1]}, 0)
    told = check(ledger)
    earlier = check(ledger, day=("2026-01-04 00:00:00", "2026-01-04 23:59:59"))

    reasons = [(one["StartChargeSeq"], one["DisputeReason"]) for one in told["DisputeOrders"]]
    assert reasons == [(seq(1), NOT_LISTED)]
    assert earlier["DisputeOrders"] == []


def test_an_order_disputed_when_it_came(ledger: Ledger) -> None:
    """Until it was accepted unchanged, or restated well."""
    kept(ledger, 1, disputed=True)
    first = check(ledger, listed(1))
    kept(ledger, 1)

    assert [one["DisputeReason"] for one in first["DisputeOrders"]] == [DISPUTED]
    assert check(ledger, listed(1))["DisputeOrders"] == []


def test_a_ledger_falsified_in_a_file_stays_so(tmp_path: Any) -> None:
    """Also when the order comes again, and once the city was started anew."""
    for _ in range(2):
        ledger = Ledger(tmp_path / "city.db", lambda: T0)
        ledger.falsify(seq(1))
        kept(ledger, 1)
        entry = ledger.orders()[0]
        assert (entry["energy_wh"], entry["body"]["TotalPower"], entry["body"]["TotalMoney"]) == (
            11_500,
            11.5,
            13.34,
        )
        assert ledger.history(seq(1))[0]["body"]["TotalPower"] == 10.5
        ledger.close()


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=12))
def test_in_any_order_the_highest_revision_stands(told: list[tuple[int, int]]) -> None:
    """The later one among equals; every statement is remembered once, and everything counted."""
    ledger = Ledger(None, lambda: T0)
    for revision, energy in told:
        body = {"StartChargeSeq": seq(1), "Revision": revision, "TotalPower": energy, "TotalMoney": 0}
        ledger.take(("order", OPERATOR, seq(1)), body, energy * 1000)

    # New is what differs from the statement that stands, or an older one not heard before.
    versions: list[tuple[int, int]] = []
    for one in told:
        standing = max(reversed(versions), key=lambda version: version[0], default=None)
        is_older = standing is not None and one[0] < standing[0]
        if one != standing and not (is_older and one in versions):
            versions.append(one)
    revision, energy = max(reversed(told), key=lambda version: version[0])
    entry, numbers = ledger.orders()[0], ledger.numbers("order")
    assert (entry["revision"], entry["energy_wh"]) == (revision, energy * 1000)
    history = [(one["body"]["Revision"], one["body"]["TotalPower"]) for one in ledger.history(seq(1))]
    assert history == versions
    assert (numbers["accepted"], numbers["received"]) == (1, len(told))
    assert numbers["duplicates"] == len(told) - len(versions)
    ledger.close()


def test_the_export_has_everything(ledger: Ledger) -> None:
    """Orders, hours, everything else by its sort, states in their order, violations, counters."""
    kept(ledger, 1)
    ledger.take(("alarm", OPERATOR, "A"), {"AlarmCode": 1})
    for status in (1, 3, 1):
        ledger.take_status(OPERATOR, {"ConnectorID": "C", "Status": status})
    ledger.count("pushes")
    told = ledger.export()

    assert [one["key"] for one in told["orders"]] == [seq(1)]
    assert told["hours"] == told["violations"] == []
    assert [one["key"] for one in told["others"]["alarm"]] == ["A"]
    assert [one["status"] for one in told["states"]] == [1, 3, 1]
    assert told["counters"] == {"pushes": 1}
