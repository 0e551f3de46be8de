"""Every message of every profile against the simulated city, which reads the standard for itself.

Records with any values go through the real profile and its words; the city finds no violation in them.
"""

import contextlib
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from csms.domain import inventory as inv
from csms.domain.assets import ConnectorStatus
from csms.reporting.tcec import messages
from csms.reporting.tcec.alarms import Alarm, Event
from csms.reporting.tcec.charging import ChargeStatus, StartResult, StopResult
from csms.reporting.tcec.checks import CheckedOrder, OrderCheck
from csms.reporting.tcec.client import Account, Delivered, PlatformClient
from csms.reporting.tcec.envelope import Keys
from csms.reporting.tcec.hours import ConnectorTotal, HourTotal, StationTotal
from csms.reporting.tcec.live import Live
from csms.reporting.tcec.orders import ChargeOrder, OrderDetail
from csms.reporting.tcec.power import ConnectorPower, EquipmentPower, Power, SitePower
from csms.reporting.tcec.profile import load_profile
from csms.reporting.tcec.stations import SiteInfo
from csms.reporting.tcec.status import ConnectorState
from simulators import city_profile
from simulators.city import CityPlatform
from simulators.city_seal import Secrets, read_json

OPERATOR, CITY = "123456789", "CITY00001"
T0 = datetime(2026, 1, 5, 2, tzinfo=UTC)
PROFILES = city_profile.shipped()
WHO: dict[str, Any] = {"operator_id": OPERATOR, "identity": "CS-0001", "evse": 1, "connector": 1}
FEN = Decimal("0.01")

amounts = st.integers(0, 100_000).map(lambda n: Decimal(n) / 100)
prices = st.integers(0, 30_000).map(lambda n: Decimal(n) / 10_000)
thousandths = st.one_of(st.none(), st.integers(0, 1_000_000))
serials = st.integers(0, 10**18 - 1).map(lambda n: f"{OPERATOR}{n:018d}")
city_serials = st.integers(0, 10**18 - 1).map(lambda n: f"{CITY}{n:018d}")
codes = st.text("ABCDEFGHIJ0123456789-", min_size=1, max_size=48)
moments = st.integers(0, 10**9).map(lambda n: T0 + timedelta(milliseconds=n))
lives = st.builds(
    Live,
    at=moments,
    **dict.fromkeys(
        ("current_a", "current_b", "current_c", "voltage_a", "voltage_b", "voltage_c"), thousandths
    ),
    soc=st.one_of(st.none(), st.integers(0, 100_000)),
    connector_temperature=st.one_of(st.none(), st.integers(-40_000, 150_000)),
    equipment_temperature=st.one_of(st.none(), st.integers(-40_000, 150_000)),
)


@st.composite
def whole(draw: st.DrawFn, most: int = 6) -> dict[str, Any]:
    """A session's times, energy, money and details, as the tariffs make them."""
    parts, at = [], draw(moments)
    start = at
    for _ in range(draw(st.integers(0, most))):
        end = at + timedelta(milliseconds=draw(st.integers(1, 7_200_000)))
        wh, elec, service = draw(st.integers(1, 100_000)), draw(prices), draw(prices)
        energy = Decimal(wh) / 1000
        parts.append(
            OrderDetail(
                at,
                end,
                wh,
                draw(st.sampled_from(["sharp", "peak", "flat", "valley"])),
                elec,
                service,
                (energy * elec).quantize(FEN, ROUND_HALF_UP),
                (energy * service).quantize(FEN, ROUND_HALF_UP),
            )
        )
        at = end + timedelta(seconds=draw(st.integers(0, 60)))
    money = [
        sum((getattr(one, name) for one in parts), Decimal(0)) for name in ("elec_money", "service_money")
    ]
    priced = bool(parts)
    return {
        "started_at": start,
        "end": at,
        "energy_wh": sum(one.energy_wh for one in parts) if parts else draw(st.one_of(st.none(), st.just(0))),
        "elec_money": money[0] if priced else None,
        "service_money": money[1] if priced else None,
        "money": sum(money) if priced else None,
        "details": tuple(parts),
    }


@st.composite
def charge_orders(draw: st.DrawFn) -> ChargeOrder:
    one = draw(whole())
    started = draw(st.one_of(st.none(), st.integers(0, 10**9)))
    return ChargeOrder(
        draw(st.one_of(serials, city_serials)),
        site_code=draw(codes),
        **WHO,
        ended_at=one.pop("end"),
        **one,
        stop_reason=draw(
            st.sampled_from(["", "local", "remote", "ev-disconnected", "no such", "soc-limit-reached"])
        ),
        meter_start_wh=started,
        meter_stop_wh=None if started is None else started + (one["energy_wh"] or 0),
        connector_power_w=draw(st.one_of(st.none(), st.integers(0, 500_000))),
        revision=draw(st.integers(1, 9)),
        plate="京A12345",
        vin="L" * 17,
        phone="13800000000",
        user_name="某人",
        paid_by=draw(st.sampled_from(["", "alipay", "wechat", "else"])),
        told_at=draw(moments),
    )


@st.composite
def charge_states(draw: st.DrawFn) -> ChargeStatus:
    one = draw(whole(8))
    return ChargeStatus(
        draw(st.one_of(serials, city_serials)),
        site_code=draw(codes),
        **WHO,
        at=one.pop("end"),
        **one,
        state=draw(st.sampled_from(["starting", "charging", "stopping", "finished", "unknown", "suspended"])),
        status=draw(st.sampled_from(list(ConnectorStatus))),
        live=draw(lives),
    )


@st.composite
def powers(draw: st.DrawFn) -> Power:
    watts = st.integers(0, 500_000)
    return Power(
        OPERATOR,
        T0,
        tuple(
            SitePower(
                f"S{s}",
                tuple(
                    EquipmentPower(
                        f"CS-{s}-{e}",
                        tuple(ConnectorPower(1, c + 1, draw(watts)) for c in range(draw(st.integers(0, 3)))),
                    )
                    for e in range(draw(st.integers(0, 4)))
                ),
            )
            for s in range(draw(st.integers(1, 3)))
        ),
    )


words = st.sampled_from(
    [
        "ground-failure",
        "connector-lock-failure",
        "ev-communication-error",
        "high-temperature",
        "over-current-failure",
        "over-voltage",
        "under-voltage",
        "power-meter-failure",
        "power-switch-failure",
        "internal-error",
        "reader-failure",
        "weak-signal",
        "emergency-stop",
        "tamper-detection-activated",
        "never heard of",
        "other-error",
    ]
)
events = st.sampled_from(["firmware-updated", "startup-of-the-device", "reset-or-reboot", "never heard of"])
WHERE: dict[str, Any] = {"operator_id": OPERATOR, "identity": "CS-0001"}


@st.composite
def checks(draw: st.DrawFn) -> OrderCheck:
    orders = draw(
        st.lists(
            st.builds(CheckedOrder, serials, st.integers(0, 10**6), st.one_of(st.none(), amounts)),
            max_size=9,
            unique_by=lambda o: o.start_charge_seq,
        )
    )
    return OrderCheck(draw(serials), OPERATOR, T0, T0 + timedelta(days=1), tuple(orders))


@st.composite
def site_infos(draw: st.DrawFn) -> SiteInfo:
    def maybe(strategy: Any) -> Any:
        return draw(st.one_of(st.none(), strategy))

    text = st.text("某A1 ", min_size=1, max_size=300)
    site = inv.SiteRecord(
        OPERATOR,
        "S01",
        "S01",
        draw(st.text(min_size=1, max_size=80)),
        country_code="CN",
        area_code="110105",
        address=draw(text),
        tel=maybe(text),
        service_tel=draw(text),
        kind=draw(st.sampled_from(list(inv.SiteKind))),
        status=draw(st.sampled_from(list(inv.AssetStatus))),
        place=draw(st.sampled_from(list(inv.Place))),
        service=maybe(st.sampled_from(list(inv.SiteService))),
        operation=draw(st.sampled_from(list(inv.Operation))),
        latitude=draw(st.floats(18, 53)),
        longitude=draw(st.floats(74, 134)),
        parking_spaces=maybe(st.integers(0, 1000)),
        guide=maybe(text),
        pictures=("https://x.example/1.jpg",),
        vehicles=maybe(text),
        parking_info=maybe(text),
        opening_hours=maybe(text),
        open_all_day=maybe(st.booleans()),
        electricity_fee=maybe(text),
        service_fee=maybe(text),
        parking_fee=maybe(text),
        payment=maybe(text),
        prices_by_period=maybe(st.booleans()),
        idle_fee=maybe(st.booleans()),
        reservable=maybe(st.booleans()),
        remark=maybe(text),
        park_owner=maybe(text),
        park_manager=maybe(text),
        parking_charge=maybe(st.sampled_from(list(inv.ParkingCharge))),
        parking_reductions=tuple(draw(st.lists(st.sampled_from(list(inv.ParkingReduction)), max_size=2))),
        rural_area_code=maybe(st.just("330106001001")),
        unique_id=maybe(st.just("U1")),
        electricity_kind=maybe(st.sampled_from(list(inv.ElectricityKind))),
        electricity_account=maybe(st.just("1")),
        rated_voltage_v=maybe(st.just(10_000)),
        capacity_va=maybe(st.integers(0, 10**7)),
        rated_power_w=maybe(st.integers(0, 10**7)),
        substation_distance_m=maybe(st.integers(0, 10**5)),
        opened_on=maybe(st.just(date(2020, 5, 1))),
        orientation=maybe(st.sampled_from(list(inv.Orientation))),
        area_m2=maybe(st.integers(0, 10**5)),
        facilities=tuple(draw(st.lists(st.sampled_from(list(inv.Facility)), max_size=2))),
        grid_expansion=maybe(st.booleans()),
        attended=maybe(st.booleans()),
        investment_project=maybe(st.just("P")),
    )
    machine = inv.EquipmentRecord(
        OPERATOR,
        "S01",
        "E1",
        "CS-0001",
        name=maybe(text),
        kind=draw(st.sampled_from(list(inv.EquipmentKind))),
        status=draw(st.sampled_from(list(inv.AssetStatus))),
        power_w=draw(st.integers(0, 500_000)),
        manufacturer_id="987654321",
        manufacturer_name=maybe(text),
        model=maybe(text),
        serial_number=maybe(st.just("N1")),
        produced_on=maybe(st.just(date(2020, 5, 1))),
        national_standard=draw(st.sampled_from(list(inv.NationalStandard))),
        latitude=39.9,
        longitude=116.4,
    )
    volts = maybe(st.integers(0, 1000))
    plug = inv.ConnectorRecord(
        OPERATOR,
        "E1",
        "E101",
        "CS-0001",
        1,
        1,
        name=maybe(text),
        kind=draw(st.sampled_from(list(inv.ConnectorKind))),
        status=maybe(st.sampled_from(list(inv.AssetStatus))),
        voltage_upper_v=750,
        voltage_lower_v=200,
        voltage_v=750,
        current_a=250,
        power_w=draw(st.integers(0, 500_000)),
        parking_bay=maybe(st.text(min_size=1, max_size=20)),
        national_standard=draw(st.sampled_from(list(inv.NationalStandard))),
        auxiliary_power=draw(st.sampled_from(list(inv.AuxiliaryPower))),
        constant_voltage_upper_v=volts,
        constant_current_upper_a=volts,
        opening_hours=maybe(st.just("00:00-24:00")),
        qr_codes=("https://x.example/q",),
        unique_id=maybe(st.just("U2")),
    )
    return SiteInfo(site, (machine,), (plug,))


RECORDS: dict[str, st.SearchStrategy[Any]] = {
    "connector-status": st.builds(
        ConnectorState,
        st.just(OPERATOR),
        codes,
        st.integers(0, 99),
        st.integers(0, 99),
        st.sampled_from(list(ConnectorStatus)),
        moments,
        site_code=codes,
        live=lives,
        energy_wh=thousandths,
    ),
    "start-result": st.builds(
        StartResult,
        city_serials,
        **{k: st.just(v) for k, v in WHO.items()},
        state=st.sampled_from(["starting", "charging", "unknown", "finished", "start-failed"]),
        started_at=st.one_of(st.none(), moments),
        fail_reason=st.sampled_from(["", "busy", "not-connected", "mystery"]),
        at=moments,
        ident_code=st.sampled_from(["", "12"]),
    ),
    "stop-result": st.builds(
        StopResult,
        st.one_of(serials, city_serials),
        **{k: st.just(v) for k, v in WHO.items()},
        state=st.sampled_from(["stopping", "finished", "charging", "unknown"]),
        fail_reason=st.sampled_from(["", "already-stopped", "rejected", "x"]),
        at=moments,
    ),
    "charge-status": charge_states(),
    "charge-order": charge_orders(),
    "order-check": checks(),
    "power": powers(),
    "alarm": st.builds(
        Alarm,
        **{k: st.just(v) for k, v in WHERE.items()},
        site_code=codes,
        evse=st.integers(0, 9),
        connector=st.integers(0, 9),
        word=words,
        is_raised=st.booleans(),
        at=moments,
        note=st.text(max_size=300),
    ),
    "event": st.builds(
        Event,
        **{k: st.just(v) for k, v in WHERE.items()},
        site_code=codes,
        word=events,
        at=moments,
        note=st.text(max_size=300),
    ),
    "station-info": site_infos(),
    "hour-total": st.builds(
        HourTotal,
        st.just(OPERATOR),
        codes,
        moments.map(lambda m: m.replace(minute=0, second=0, microsecond=0)),
        st.integers(0, 10**7),
        st.integers(0, 99),
        stations=st.just((StationTotal("CS-0001", 5, (ConnectorTotal(1, 1, 5),)),)),
    ),
}
TAKEN = [(p, k) for p in PROFILES for k in RECORDS if load_profile(p).push(k) is not None]


def test_every_push_has_a_kind_here() -> None:
    """So that nothing is forgotten."""
    assert RECORDS.keys() == messages.RECORDS.keys()


@pytest.mark.parametrize(("profile", "kind"), TAKEN)
def test_any_record_is_worded_as_the_city_reads(profile: str, kind: str) -> None:
    """Not one violation; what cannot be told is a BadRecord of ours, which is another matter."""
    ours, city = load_profile(profile), city_profile.load(profile)

    @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
    @given(RECORDS[kind])
    def any_record(record: Any) -> None:
        try:
            told = messages.message(messages.read(kind, record.to_payload()), ours)
        except messages.BadRecord:
            return
        one = city.push(told.path)
        assert one is not None, told.path
        body = read_json(told.text)
        wrong = city.fields_wrong(one, body, OPERATOR, CITY)
        wrong = wrong or [found for rule in one.rules for found in rule(body, body)]
        assert [str(found) for found in wrong] == []

    any_record()


KEYS = Keys("data-secret-0001", "data-iv-00000001", "sig-secret")
SECRETS = Secrets("operator-secret", "data-secret-0001", "data-iv-00000001", "sig-secret")


@pytest.mark.parametrize("profile", PROFILES)
async def test_over_http(profile: str) -> None:
    """Each kind once through the real client: delivered, and no violation."""
    async with CityPlatform({OPERATOR: SECRETS}, profile=profile) as city:
        client = PlatformClient(
            load_profile(profile), Account("city", city.url, OPERATOR, "operator-secret", KEYS)
        )
        try:
            for name, kind in TAKEN:
                if name == profile:
                    for record in some(kind, profile):
                        outcome = await client.push(kind, record.to_payload())
                        assert isinstance(outcome, Delivered), (kind, outcome)
        finally:
            await client.close()
        assert city.ledger.violations() == []


def some(kind: str, profile: str) -> list[Any]:
    """A few records of a kind that this profile can word."""
    found: list[Any] = []
    ours = load_profile(profile)

    @settings(max_examples=12, deadline=None, database=None, derandomize=True, phases=(Phase.generate,))
    @given(RECORDS[kind])
    def gather(record: Any) -> None:
        with contextlib.suppress(messages.BadRecord):
            messages.message(record, ours)
            found.append(record)

    gather()
    return found
