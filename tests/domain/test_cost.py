"""The cost of a session: split at the tariff's boundaries, exact to the fen, whatever was measured."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from csms.domain.charging_session import ChargingSession, SessionState, evolve
from csms.domain.cost import Cost, cost_of, needs_readings
from csms.domain.meter import ENERGY_IMPORT_INTERVAL, Reading
from csms.domain.registers import MeterState
from csms.domain.shares import kwh
from csms.domain.tariff import Period, Tariff, TimeFee
from tests.domain.prices import BEIJING, SHANGHAI, band, tariffs, zones
from tests.domain.story import Story, at, ended, metered, register, started

FEN = Decimal("0.01")


def session(minutes: float, energy_wh: int | None, start_wh: int = 0, **other: Any) -> ChargingSession:
    """From 18:00 in Beijing on."""
    story = Story()
    story.tell(started(wh=start_wh))
    state = {"state": SessionState.ENDED, "ended_at": at(minutes), "energy_wh": energy_wh}
    return evolve(story.now, **(state | {"meter": MeterState(start_mwh=1000 * start_wh)} | other))


def priced(one: ChargingSession, *readings: Reading, tariff: Tariff = BEIJING) -> Cost:
    cost = cost_of(one, readings, tariff, SHANGHAI)
    assert cost is not None
    return cost


def test_energy_is_split_where_the_price_changes() -> None:
    """18:00 to 24:00 in Beijing: 40 kWh by 22:00, 9 in the hour to 23:00, 1 after it."""
    one = session(360, 50_000)

    cost = priced(one, register(240, 40_000), register(300, 49_000))

    assert [(line.period.value, line.energy_wh) for line in cost.lines] == [
        ("peak", 40_000),
        ("flat", 9_000),
        ("valley", 1_000),
    ]
    assert [line.start for line in cost.lines] == [at(0), at(240), at(300)]
    assert cost.lines[-1].end == at(360)
    # 40 x 1.1907 + 9 x 0.8173 + 1 x 0.4139 = 55.3976; 49 x 0.8 + 1 x 0.6 = 39.8
    assert [str(line.elec_money) for line in cost.lines] == ["47.63", "7.36", "0.41"]
    assert (str(cost.elec_money), str(cost.service_money)) == ("55.40", "39.80")
    assert (str(cost.money), str(cost.total), cost.currency) == ("95.20", "95.20", "CNY")


def test_without_readings_energy_flows_evenly() -> None:
    """Over the session's time: four hours of six, one, and one."""
    assert [line.energy_wh for line in priced(session(360, 50_000)).lines] == [33_333, 8_334, 8_333]


def test_late_readings_move_energy_and_not_the_total() -> None:
    """All of it flowed before 22:00, as comes out later."""
    one = session(360, 50_000)

    cost = priced(one, register(200, 50_000))

    assert [line.energy_wh for line in cost.lines] == [50_000, 0, 0]
    assert str(cost.elec_money) == "59.54"  # 59.535, half up


def test_a_session_of_no_time_has_one_line() -> None:
    """At the price of its instant."""
    (line,) = priced(session(0, 1_000)).lines
    assert (line.start, line.end, line.energy_wh, str(line.elec_money)) == (at(0), at(0), 1_000, "1.19")


def test_unknown_energy_has_no_cost() -> None:
    """None is not nothing; nothing costs nothing."""
    assert cost_of(session(60, None), (), BEIJING, SHANGHAI) is None
    assert str(priced(session(60, 0)).total) == "0.00"


def test_idle_begins_with_the_last_watt_hour() -> None:
    """Full after 90 minutes, unplugged after 6 hours: 270 minutes, 15 of them free, at most 20 CNY."""
    fee = TimeFee(Decimal("0.1"), 15)
    tariff = Tariff((band(0),), idle_fee=fee)
    one = session(360, 20_000)
    readings = (register(60, 15_000), register(90, 20_000), register(300, 20_000))

    cost = priced(one, *readings, tariff=tariff)

    assert (cost.idle_minutes, str(cost.idle_money)) == (255, "25.50")
    assert cost.total == cost.money + cost.idle_money
    capped = Tariff((band(0),), idle_fee=TimeFee(Decimal("0.1"), 15, Decimal(20)))
    assert str(priced(one, *readings, tariff=capped).idle_money) == "20.00"
    # Nobody knows when it was full, or it never began.
    assert priced(one, tariff=tariff).idle_minutes == 0
    assert priced(session(360, 0), *readings, tariff=tariff).idle_minutes == 0


def test_parking_is_all_the_time() -> None:
    """Whether anything flows or not."""
    tariff = Tariff((band(0),), parking_fee=TimeFee(Decimal("0.05"), 60))

    cost = priced(session(360, 0), tariff=tariff)

    assert (cost.parking_minutes, str(cost.parking_money), str(cost.total)) == (300, "15.00", "15.00")


def test_which_sessions_need_their_readings() -> None:
    """Those with several prices or an idle fee, and energy at all."""
    idle = Tariff((band(0),), idle_fee=TimeFee(Decimal(1)))
    assert not needs_readings(session(60, 5), BEIJING, SHANGHAI)
    assert needs_readings(session(241, 5), BEIJING, SHANGHAI)
    assert not needs_readings(session(241, 0), BEIJING, SHANGHAI)
    assert not needs_readings(session(241, None), BEIJING, SHANGHAI)
    assert needs_readings(session(60, 5), idle, SHANGHAI)


samples = st.lists(st.tuples(st.integers(-30, 4_000), st.integers(0, 120_000), st.booleans()), max_size=12)


@given(
    tariffs(),
    zones(),
    st.integers(0, 525_600),
    st.integers(0, 3_000),
    st.integers(0, 200_000),
    st.integers(0, 100_000),
    samples,
)
def test_details_are_the_totals(
    tariff: Tariff,
    zone: ZoneInfo,
    begins: int,
    lasts: int,
    energy_wh: int,
    start_wh: int,
    told: list[tuple[int, int, bool]],
) -> None:
    """To the Wh, to the fen and to 0.01 kWh, for any readings, tariff and clock."""
    moved = timedelta(minutes=begins)
    one = session(lasts, energy_wh, start_wh)
    one = evolve(one, started_at=one.started_at + moved, ended_at=at(lasts) + moved)
    readings = [
        Reading(at(minute) + moved, ENERGY_IMPORT_INTERVAL, wh)
        if is_interval
        else register(minute + begins, start_wh + wh)
        for minute, wh, is_interval in told
    ]

    cost = cost_of(one, readings, tariff, zone)

    assert cost is not None
    energies = [line.energy_wh for line in cost.lines]
    assert sum(energies) == energy_wh
    assert min(energies) >= 0
    assert (cost.lines[0].start, cost.lines[-1].end) == (one.started_at, one.ended_at)
    for money, price in (("elec_money", "elec_price"), ("service_money", "service_price")):
        exact = [line.energy_wh * getattr(line, price) / 1000 for line in cost.lines]
        parts = [getattr(line, money) for line in cost.lines]
        assert sum(parts) == getattr(cost, money) == sum(exact).quantize(FEN, ROUND_HALF_UP)  # type: ignore[union-attr]  # never empty
        assert all(abs(part - true) < FEN for part, true in zip(parts, exact, strict=True))
        assert all(line.energy_wh or not part for line, part in zip(cost.lines, parts, strict=True))
    hundredths = (Decimal(energy_wh) / 1000).quantize(FEN, ROUND_HALF_UP)
    assert sum(kwh(energies), Decimal(0)) == hundredths
    assert cost.total == cost.elec_money + cost.service_money + cost.idle_money + cost.parking_money


def test_a_told_session_is_priced_by_what_it_was_charged_for() -> None:
    """From messages to money: 1.6 registers, a sample before the price changes, a stop after it."""
    story = Story()
    story.tell(started(225, wh=1000), at(225))
    story.tell(metered(239, 5000), at(239))
    story.tell(ended(255, 9000), at(255))

    cost = cost_of(story.now, story.readings, BEIJING, SHANGHAI)

    assert cost is not None
    assert [(line.period, line.energy_wh) for line in cost.lines] == [
        (Period.PEAK, 4_250),
        (Period.FLAT, 3_750),
    ]
