"""Sites as cities see them: what is required and not known is named, what is too long is cut or refused."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from csms.domain.inventory import ChargerClass, ConnectorRecord, EquipmentRecord, OperatorRecord, SiteRecord
from csms.domain.price_days import PriceDays
from csms.domain.tariff import Period, TimeFee
from csms.reporting.tcec.profile import Reportable, load_profile
from csms.reporting.tcec.reportable import reported
from csms.reporting.tcec.stations import (
    CONNECTOR,
    EQUIPMENT,
    OPERATOR,
    STATION,
    SiteInfo,
    operator_body,
    site_body,
)  # fmt: skip
from csms.reporting.tcec.wording import BadRecord
from tests.domain.prices import band
from tests.reporting.tcec import samples

STANDARD, ZHEJIANG, SHENZHEN = (load_profile(n) for n in ("tcec102-2016", "zhejiang", "shenzhen"))
SITE = msgspec.convert(samples.SITE, SiteRecord)
ONE = msgspec.convert(samples.EQUIPMENT, EquipmentRecord)
PLUG = msgspec.convert(samples.CONNECTOR, ConnectorRecord)


def test_every_field_a_profile_may_name_has_words() -> None:
    """The schema's names and the tables' are the same."""
    for objects, table in (
        ("operator", OPERATOR),
        ("station", STATION),
        ("equipment", EQUIPMENT),
        ("connector", CONNECTOR),
    ):
        for profile in (STANDARD, ZHEJIANG, SHENZHEN):
            assert set(getattr(profile.objects, objects).fields) <= set(table)


def test_what_is_required_and_not_known() -> None:
    """All of it in one error, so that it is mended once."""
    with pytest.raises(BadRecord, match="site S01: AreaCode, ServiceTel required and not known"):
        site_body(SiteInfo(replace(SITE, area_code=None, service_tel=None), (ONE,), (PLUG,)), STANDARD)
    with pytest.raises(BadRecord, match="equipment EQ-1: ManufacturerID required"):
        site_body(SiteInfo(SITE, (replace(ONE, manufacturer_id=None),), (PLUG,)), SHENZHEN)
    with pytest.raises(BadRecord, match="connector EQ-1-2: ConnectorType"):
        site_body(SiteInfo(SITE, (ONE,), (replace(PLUG, kind=None),)), STANDARD)


def test_lengths() -> None:
    """A text is cut; a name that is cut would be another's."""
    body = site_body(SiteInfo(replace(SITE, address="路" * 60), (ONE,), (PLUG,)), STANDARD)
    assert body["Address"] == "路" * 50
    with pytest.raises(BadRecord, match="StationID has 21 characters, at most 20"):
        site_body(SiteInfo(replace(SITE, station_id="S" * 21), (ONE,), (PLUG,)), STANDARD)


def test_numbers_of_our_words() -> None:
    """Each dialect has its own; one it does not know is its `other`."""
    site = replace(SITE, place="scenic-area")
    assert site_body(SiteInfo(site, (ONE,), (PLUG,)), ZHEJIANG)["Construction"] == 12
    assert site_body(SiteInfo(site, (ONE,), (PLUG,)), STANDARD)["Construction"] == 255
    assert (
        site_body(SiteInfo(SITE, (replace(ONE, kind="v2g"),), ()), ZHEJIANG)["EquipmentInfos"][0][
            "EquipmentType"
        ]
        == 6
    )


def test_a_site_without_parking_spaces_known() -> None:
    """0 is the standard's word for it."""
    assert site_body(SiteInfo(replace(SITE, parking_spaces=None), (), ()), STANDARD)["ParkNums"] == 0


def test_an_operator() -> None:
    """Zhejiang asks for its USCID."""
    operator = OperatorRecord("123456789", "Example", tel="1")
    assert operator_body(operator, STANDARD) == {
        "OperatorID": "123456789", "OperatorName": "Example", "OperatorTel1": "1",
    }  # fmt: skip
    with pytest.raises(BadRecord, match="OperatorUSCID"):
        operator_body(operator, ZHEJIANG)


def test_what_is_reported() -> None:
    """Everything, some sites, sites of a kind, chargers of a class, those with a subsidy."""
    public = replace(ONE, charger_class=ChargerClass.SOCIAL_PUBLIC)
    other = replace(ONE, equipment_id="EQ-2", subsidised=True)
    info = SiteInfo(SITE, (public, other), (PLUG, replace(PLUG, equipment_id="EQ-2", connector_id="EQ-2-1")))

    assert reported(info, Reportable()) == info
    assert reported(info, Reportable(), ["S02"]) is None
    assert reported(info, Reportable(sites="kind", kinds=("public",))) == info
    assert reported(info, Reportable(sites="kind", kinds=("bus",))) is None
    by_class = reported(info, Reportable(sites="class", classes=("social-public",)))
    assert by_class == SiteInfo(SITE, (public,), (PLUG,))
    by_subsidy = reported(info, Reportable(sites="subsidy"))
    assert by_subsidy is not None
    assert [one.equipment_id for one in by_subsidy.connectors] == ["EQ-2"]
    assert reported(SiteInfo(SITE, (public,)), Reportable(sites="subsidy")) is None


def test_prices_of_a_site() -> None:
    """Zhejiang is told them by days and periods, with what idling costs; the standard asks for none."""
    fee = TimeFee(Decimal("0.5"), 15, Decimal(50))
    bands = (band(0, Period.VALLEY), band(420))
    days = PriceDays(date(2026, 6, 10), date(2026, 6, 30), bands, fee)
    after = PriceDays(date(2026, 7, 1), None, (band(0),))
    info = SiteInfo(SITE, (ONE,), (PLUG,), (days, after))

    told = site_body(info, ZHEJIANG)

    june = {"StartDate": "2026-06-10", "EndDate": "2026-06-30"}
    night, day = (
        ("000000", "070000", Decimal("0.4139"), Decimal("0.6")),
        ("070000", "235959", Decimal("0.8173"), Decimal("0.8")),
    )
    always = ("000000", "235959", Decimal("0.8173"), Decimal("0.8"))
    names = ("StartTime", "EndTime", "ElecFee", "ServiceFee")
    assert told["PolicyInfos"] == [
        dict(zip(names, night, strict=True)) | june,
        dict(zip(names, day, strict=True)) | june,
        dict(zip(names, always, strict=True)) | {"StartDate": "2026-07-01"},
    ]
    hours = {"StartTime": "000000", "EndTime": "235959"}
    assert told["IdleFeeInfos"] == [hours | {"IdleFee": Decimal("0.5"), "MaxFee": 50, "FreeTime": 15} | june]
    assert not {"PolicyInfos", "IdleFeeInfos"} & site_body(info, STANDARD).keys()
    assert SiteInfo.from_payload(info.to_payload()) == info
