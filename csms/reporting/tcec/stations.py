"""Operators, sites, equipment and connectors in the platforms' words, for pushes and for answers. Pure.

What the inventory does not know and the profile requires is named in one error, not told as something else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from csms.domain.geodesy import Position, to_gcj02
from csms.domain.inventory import AssetStatus, ConnectorRecord, EquipmentRecord, OperatorRecord, SiteRecord
from csms.domain.price_days import PriceDays
from csms.reporting.tcec import prices
from csms.reporting.tcec.identifiers import station_id
from csms.reporting.tcec.profile import CodeTable, Described, Profile
from csms.reporting.tcec.wording import BadRecord, Record, Table, body_of, kilo_or_none

NAMES = ("ID", "Code", "AreaCodeCountryside")  # fields that end so must not be cut


@dataclass(frozen=True, slots=True)
class SiteInfo(Record):
    """A site with everything at it, as the inventory knows it, and its prices from today on."""

    site: SiteRecord
    equipment: tuple[EquipmentRecord, ...] = ()
    connectors: tuple[ConnectorRecord, ...] = ()
    prices: tuple[PriceDays, ...] = ()


def _code(profile: Profile, table: CodeTable, value: str | None) -> int | None:
    return None if value is None else profile.code(table, value)


def _codes(profile: Profile, table: CodeTable, values: Iterable[str]) -> list[int] | None:
    found = (profile.code(table, value) for value in values)
    return [code for code in found if code is not None] or None


def _flag(value: bool | None) -> int | None:
    return None if value is None else int(value)


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _on_map(latitude: float | None, longitude: float | None, profile: Profile) -> Position | None:
    """GCJ-02 to the profile's places."""
    if latitude is None or longitude is None:
        return None
    places = profile.decimals.position
    at = to_gcj02(Position(latitude, longitude))
    return Position(round(at.latitude, places), round(at.longitude, places))


def _north(one: SiteRecord | EquipmentRecord, profile: Profile) -> float | None:
    at = _on_map(one.latitude, one.longitude, profile)
    return None if at is None else at.latitude


def _east(one: SiteRecord | EquipmentRecord, profile: Profile) -> float | None:
    at = _on_map(one.latitude, one.longitude, profile)
    return None if at is None else at.longitude


OPERATOR: Table[OperatorRecord] = {
    "OperatorID": lambda o, p: o.operator,
    "OperatorName": lambda o, p: o.name or None,
    "OperatorUSCID": lambda o, p: o.uscid,
    "OperatorTel1": lambda o, p: o.tel,
    "OperatorTel2": lambda o, p: o.tel_2,
    "OperatorRegAddress": lambda o, p: o.registered_address,
    "OperatorNote": lambda o, p: o.note,
}
STATION: Table[SiteRecord] = {
    "StationID": lambda s, p: s.station_id or station_id(s.site),
    "OperatorID": lambda s, p: s.operator,
    "EquipmentOwnerID": lambda s, p: s.owner_id or s.operator,
    "StationName": lambda s, p: s.name or None,
    "CountryCode": lambda s, p: s.country_code,
    "AreaCode": lambda s, p: s.area_code,
    "Address": lambda s, p: s.address,
    "StationTel": lambda s, p: s.tel,
    "ServiceTel": lambda s, p: s.service_tel,
    "StationType": lambda s, p: _code(p, "site-type", s.kind),
    "StationStatus": lambda s, p: _code(p, "site-status", s.status),
    "ParkNums": lambda s, p: s.parking_spaces,
    "StationLng": _east,
    "StationLat": _north,
    "SiteGuide": lambda s, p: s.guide,
    "Construction": lambda s, p: _code(p, "construction", s.place),
    "Pictures": lambda s, p: list(s.pictures) or None,
    "MatchCars": lambda s, p: s.vehicles,
    "ParkInfo": lambda s, p: s.parking_info,
    "BusinessHours": lambda s, p: s.opening_hours,
    "ElectricityFee": lambda s, p: s.electricity_fee,
    "ServiceFee": lambda s, p: s.service_fee,
    "ParkFee": lambda s, p: s.parking_fee,
    "Payment": lambda s, p: s.payment,
    "SupportOrder": lambda s, p: _flag(s.reservable),
    "Remark": lambda s, p: s.remark,
    "EquipmentInfos": lambda s, p: None,  # by `site_body`
    "ParkOwner": lambda s, p: s.park_owner,
    "ParkManager": lambda s, p: s.park_manager,
    "OpenAllDay": lambda s, p: _flag(s.open_all_day),
    "ParkFree": lambda s, p: None if s.parking_charge is None else int(s.parking_charge == "free"),
    "OperatorType": lambda s, p: _code(p, "operation", s.operation),
    "StationUniqueID": lambda s, p: s.unique_id,
    "AreaCodeCountryside": lambda s, p: s.rural_area_code,
    "StationClassification": lambda s, p: _code(p, "service", s.service),
    "Is24Hour": lambda s, p: _flag(s.open_all_day),
    "PeriodFee": lambda s, p: _flag(s.prices_by_period),
    "PolicyInfos": lambda s, p: None,  # by `site_body`
    "ParkType": lambda s, p: _code(p, "parking-charge", s.parking_charge),
    "ParkReductionMode": lambda s, p: _codes(p, "parking-reduction", s.parking_reductions),
    "IdleFeeFlag": lambda s, p: _flag(s.idle_fee),
    "IdleFeeInfos": lambda s, p: None,  # by `site_body`
    "ElectricityType": lambda s, p: _code(p, "electricity", s.electricity_kind),
    "BusinessExpandType": lambda s, p: _flag(s.grid_expansion),
    "ElectricityAccountID": lambda s, p: s.electricity_account,
    "RatedVoltage": lambda s, p: s.rated_voltage_v,
    "Capacity": lambda s, p: kilo_or_none(s.capacity_va, p.decimals.power),
    "RatedPower": lambda s, p: kilo_or_none(s.rated_power_w, p.decimals.power),
    "SubstationDistance": lambda s, p: kilo_or_none(s.substation_distance_m, 3),
    "OfficialRunTime": lambda s, p: _day(s.opened_on),
    "StationOrientation": lambda s, p: _code(p, "orientation", s.orientation),
    "StationArea": lambda s, p: s.area_m2,
    "HavePerson": lambda s, p: _flag(s.attended),
    "VideoMonitor": lambda s, p: _flag(s.video_monitored),
    "SupportingFacilities": lambda s, p: _codes(p, "facility", s.facilities),
    "PrinterFlag": lambda s, p: _flag(s.printer),
    "BarrierFlag": lambda s, p: _flag(s.barrier),
    "ParkingLockFlag": lambda s, p: _flag(s.parking_locks),
    "InvestmentProjectCode": lambda s, p: s.investment_project,
}
EQUIPMENT: Table[EquipmentRecord] = {
    "EquipmentID": lambda e, p: e.equipment_id,
    "ManufacturerID": lambda e, p: e.manufacturer_id,
    "ManufacturerName": lambda e, p: e.manufacturer_name,
    "EquipmentModel": lambda e, p: e.model,
    "ProductionDate": lambda e, p: _day(e.produced_on),
    "EquipmentType": lambda e, p: _code(p, "equipment-type", e.kind),
    "ConnectorInfos": lambda e, p: None,  # by `site_body`
    "EquipmentLng": _east,
    "EquipmentLat": _north,
    "Power": lambda e, p: kilo_or_none(e.power_w, p.decimals.power),
    "EquipmentPower": lambda e, p: kilo_or_none(e.power_w, p.decimals.power),
    "EquipmentName": lambda e, p: e.name,
    # Unlike a site's, it has no code for what is not known.
    "EquipmentStatus": lambda e, p: (
        None if e.status is AssetStatus.UNKNOWN else _code(p, "site-status", e.status)
    ),
    "NewNationalStandard": lambda e, p: _code(p, "new-standard", e.national_standard),
    "EquipmentUniqueID": lambda e, p: e.unique_id,
    "EquipmentManufacturerNumber": lambda e, p: e.serial_number,
}
CONNECTOR: Table[ConnectorRecord] = {
    "ConnectorID": lambda c, p: c.connector_id,
    "ConnectorName": lambda c, p: c.name,
    "ConnectorType": lambda c, p: _code(p, "connector-type", c.kind),
    "VoltageUpperLimits": lambda c, p: c.voltage_upper_v,
    "VoltageLowerLimits": lambda c, p: c.voltage_lower_v,
    "Current": lambda c, p: c.current_a,
    "Power": lambda c, p: kilo_or_none(c.power_w, p.decimals.power),
    "ParkNo": lambda c, p: c.parking_bay,
    "NationalStandard": lambda c, p: _code(p, "standard", c.national_standard),
    "Voltage": lambda c, p: c.voltage_v,
    "BMSPowerType": lambda c, p: _code(p, "auxiliary-power", c.auxiliary_power),
    "AuxPower": lambda c, p: _code(p, "auxiliary-power", c.auxiliary_power),
    "ConnectorUniqueID": lambda c, p: c.unique_id,
    "QrCodes": lambda c, p: list(c.qr_codes) or None,
    "ConstantVoltageUpperLimits": lambda c, p: c.constant_voltage_upper_v,
    "ConstantVoltageLowerLimits": lambda c, p: c.constant_voltage_lower_v,
    "ConstantCurrentUpperLimits": lambda c, p: c.constant_current_upper_a,
    "ConstantCurrentLowerLimits": lambda c, p: c.constant_current_lower_a,
    "OperateStatus": lambda c, p: _code(p, "site-status", c.status),
    "OperateHours": lambda c, p: c.opening_hours,
}


def operator_body(operator: OperatorRecord, profile: Profile) -> dict[str, Any]:
    """OperatorInfo. Raises BadRecord naming what is required and not known."""
    return _described(operator, OPERATOR, profile.objects.operator, profile, operator.operator)


def site_body(info: SiteInfo, profile: Profile) -> dict[str, Any]:
    """StationInfo with its EquipmentInfos and their ConnectorInfos, spelt right.

    Raises BadRecord naming everything that is required and not known.
    """
    site, objects = info.site, profile.objects
    told = _described(site, STATION, objects.station, profile, f"site {site.site}", "EquipmentInfos")
    told["EquipmentInfos"] = _equipment_infos(info, profile)
    policies, fees = prices.policies(info.prices, profile), prices.idle_fees(info.prices, profile)
    told |= {name: rows for name, rows in (("PolicyInfos", policies), ("IdleFeeInfos", fees)) if rows}
    return _in_order(told, objects.station)


def _equipment_infos(site: SiteInfo, profile: Profile) -> list[dict[str, Any]]:
    objects, infos = profile.objects, []
    for one in site.equipment:
        about = f"equipment {one.equipment_id}"
        info = _described(one, EQUIPMENT, objects.equipment, profile, about, "ConnectorInfos")
        info["ConnectorInfos"] = [
            _described(plug, CONNECTOR, objects.connector, profile, f"connector {plug.connector_id}")
            for plug in site.connectors
            if plug.equipment_id == one.equipment_id
        ]
        infos.append(_in_order(info, objects.equipment))
    return infos


def body(info: SiteInfo, profile: Profile) -> dict[str, Any]:
    """notification_stationInfo."""
    return {"StationInfo": site_body(info, profile)}


def _described(
    record: Any, table: Table[Any], shape: Described, profile: Profile, about: str, filled_later: str = ""
) -> dict[str, Any]:
    told = body_of(record, table, profile, shape.fields)
    required = [name for name in shape.required if name not in told and name != filled_later]
    if "ParkNums" in required:
        told["ParkNums"] = 0  # the standard's word for not known
        required.remove("ParkNums")
    if required:
        raise BadRecord(f"{about}: {', '.join(required)} required and not known")
    for name, most in shape.lengths.items():
        text = told.get(name)
        if isinstance(text, str) and len(text) > most:
            if name.endswith(NAMES):
                raise BadRecord(f"{about}: {name} has {len(text)} characters, at most {most} are taken")
            told[name] = text[:most]
    return _in_order(told, shape)


def _in_order(told: dict[str, Any], shape: Described) -> dict[str, Any]:
    return {name: told[name] for name in shape.fields if name in told}
