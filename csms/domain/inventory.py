"""What a city asks about operators, sites, equipment and connectors, in our words and units. No I/O.

Everything but the names is optional: None (or an empty tuple) is *unknown*, and `missing` says what is
unknown of what somebody requires. Positions are WGS-84 degrees; the city's codes, spelling, lengths and
coordinates are another's business. Prices by period are tariffs and not told here; `*_fee` are texts for
people. Times are aware; a record is of the city's platform from `joined_at` (included) to `retired_at`
(excluded).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class SiteKind(StrEnum):
    """Whom a site serves (StationType)."""

    PUBLIC = "public"
    PRIVATE = "private"
    BUS = "bus"
    SANITATION = "sanitation"
    LOGISTICS = "logistics"
    TAXI = "taxi"
    CAR_SHARE = "car-share"
    COMMUNITY_SHARED = "community-shared"
    WORKPLACE = "workplace"
    OTHER = "other"


class AssetStatus(StrEnum):
    """Whether a site, equipment or connector is in use (StationStatus, EquipmentStatus, OperateStatus)."""

    UNKNOWN = "unknown"
    UNDER_CONSTRUCTION = "under-construction"
    CLOSED = "closed"
    MAINTENANCE = "maintenance"
    IN_USE = "in-use"


class Place(StrEnum):
    """Where a site was built (Construction)."""

    RESIDENTIAL = "residential"
    PUBLIC_INSTITUTION = "public-institution"
    ENTERPRISE = "enterprise"
    OFFICE = "office"
    INDUSTRIAL_PARK = "industrial-park"
    TRANSPORT_HUB = "transport-hub"
    CULTURE_SPORT = "culture-sport"
    GREEN_SPACE = "green-space"
    BUILDING_CAR_PARK = "building-car-park"
    ROADSIDE = "roadside"
    MOTORWAY_SERVICE = "motorway-service"
    SCENIC_AREA = "scenic-area"
    BUS_DEPOT = "bus-depot"
    FUEL_STATION = "fuel-station"
    TAXI_STAND = "taxi-stand"
    OTHER = "other"


class Operation(StrEnum):
    """Whose site it is (OpratorType)."""

    OWN = "own"
    FOR_OTHERS = "for-others"


class SiteService(StrEnum):
    """What a site offers (StationClassification)."""

    CHARGING = "charging"
    CHARGING_AND_SWAP = "charging-and-swap"


class ParkingCharge(StrEnum):
    """What parking costs (ParkType)."""

    FREE = "free"
    CHARGED = "charged"
    FREE_FOR_A_TIME = "free-for-a-time"
    REDUCED_WHEN_CHARGING = "reduced-when-charging"
    OTHER = "other"


class ParkingReduction(StrEnum):
    """How the reduction reaches the barrier (ParkReductionMode)."""

    PLATE = "plate"
    RECEIPT = "receipt"
    ORDER_QR = "order-qr"


class ElectricityKind(StrEnum):
    """The grid's price class of the site (ElectricityType)."""

    COMMERCIAL = "commercial"
    INDUSTRY = "industry"
    LARGE_INDUSTRY = "large-industry"
    OTHER = "other"


class Orientation(StrEnum):
    """Where the bays lie (StationOrientation)."""

    GROUND = "ground"
    ROADSIDE = "roadside"
    UNDERGROUND = "underground"
    MULTI_STOREY = "multi-storey"


class Facility(StrEnum):
    """What else is at the site (SupportingFacilities)."""

    TOILET = "toilet"
    SHOP = "shop"
    RESTAURANT = "restaurant"
    LOUNGE = "lounge"
    CANOPY = "canopy"


class EquipmentKind(StrEnum):
    """What an equipment gives out (EquipmentType)."""

    DC = "dc"
    AC = "ac"
    AC_DC = "ac-dc"
    WIRELESS = "wireless"
    ORDERLY = "orderly"
    V2G = "v2g"
    OTHER = "other"


class ChargerClass(StrEnum):
    """How the city counts a charger. Workplace-internal ones are part of the public-dedicated."""

    PRIVATE = "private"
    PUBLIC_DEDICATED = "public-dedicated"
    WORKPLACE_INTERNAL = "workplace-internal"
    SOCIAL_PUBLIC = "social-public"


class ConnectorKind(StrEnum):
    """Socket or plug (ConnectorType), with its mode."""

    DOMESTIC_SOCKET = "domestic-socket"  # mode 2
    AC_SOCKET = "ac-socket"  # mode 3, case B
    AC_PLUG = "ac-plug"  # mode 3, case C
    DC_PLUG = "dc-plug"  # mode 4
    WIRELESS = "wireless"
    OTHER = "other"


class NationalStandard(StrEnum):
    """The national standard it was built to (NationalStandard, NewNationalStandard)."""

    GB_2011 = "2011"
    GB_2015 = "2015"
    GB_2011_AND_2015 = "2011+2015"
    GB_2023 = "2023"
    HIGH_POWER_AC = "high-power-ac"
    OTHER = "other"


class AuxiliaryPower(StrEnum):
    """Supply of the vehicle's BMS (BMSPowerType, AuxPower)."""

    V12 = "12v"
    V24 = "24v"
    BOTH = "both"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class OperatorRecord:
    """An operator. `operator` is its registered code, nine characters where a city is to know it."""

    operator: str
    name: str = ""
    uscid: str | None = None  # 18 characters, GB 32100
    tel: str | None = None
    tel_2: str | None = None
    registered_address: str | None = None
    note: str | None = None
    joined_at: datetime | None = None
    retired_at: datetime | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """A site ("station" in the city's words). `station_id` is the name the city knows it by."""

    operator: str
    site: str  # its registered code
    station_id: str
    name: str = ""
    owner_id: str | None = None  # nine characters: whose equipment it is
    country_code: str | None = None
    area_code: str | None = None  # GB/T 2260
    rural_area_code: str | None = None  # twelve digits of the statistical office
    address: str | None = None
    tel: str | None = None
    service_tel: str | None = None
    kind: SiteKind | None = None
    status: AssetStatus | None = None
    place: Place | None = None
    service: SiteService | None = None
    operation: Operation | None = None
    latitude: float | None = None  # WGS-84
    longitude: float | None = None
    parking_spaces: int | None = None
    guide: str | None = None
    pictures: tuple[str, ...] = ()  # URLs
    vehicles: str | None = None
    parking_info: str | None = None
    opening_hours: str | None = None
    open_all_day: bool | None = None
    electricity_fee: str | None = None
    service_fee: str | None = None
    parking_fee: str | None = None
    payment: str | None = None
    prices_by_period: bool | None = None
    idle_fee: bool | None = None
    reservable: bool | None = None
    remark: str | None = None
    park_owner: str | None = None
    park_manager: str | None = None
    parking_charge: ParkingCharge | None = None
    parking_reductions: tuple[ParkingReduction, ...] = ()
    unique_id: str | None = None  # given by the province
    electricity_kind: ElectricityKind | None = None
    grid_expansion: bool | None = None  # connected by a capacity application of its own
    electricity_account: str | None = None
    rated_voltage_v: int | None = None
    capacity_va: int | None = None
    rated_power_w: int | None = None
    substation_distance_m: int | None = None
    opened_on: date | None = None
    orientation: Orientation | None = None
    area_m2: int | None = None
    attended: bool | None = None
    video_monitored: bool | None = None
    facilities: tuple[Facility, ...] = ()
    printer: bool | None = None
    barrier: bool | None = None
    parking_locks: bool | None = None
    investment_project: str | None = None
    joined_at: datetime | None = None
    retired_at: datetime | None = None
    modified_at: datetime | None = None  # of the site itself


@dataclass(frozen=True, slots=True)
class EquipmentRecord:
    """A charger as the city counts it. `identity` is the OCPP identity it is part of, where there is one.

    `placed_at`: since when it has been at this site, of this operator, in this class.
    """

    operator: str
    site: str
    equipment_id: str
    identity: str | None = None
    name: str | None = None
    kind: EquipmentKind | None = None
    charger_class: ChargerClass | None = None
    status: AssetStatus | None = None
    power_w: int | None = None  # total rated power
    manufacturer_id: str | None = None  # nine characters
    manufacturer_name: str | None = None
    model: str | None = None
    serial_number: str | None = None  # the manufacturer's
    produced_on: date | None = None
    national_standard: NationalStandard | None = None
    latitude: float | None = None  # WGS-84; unknown: the site's
    longitude: float | None = None
    unique_id: str | None = None  # given by the province
    subsidised: bool | None = None  # some cities are told only of these
    joined_at: datetime | None = None
    placed_at: datetime | None = None
    retired_at: datetime | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConnectorRecord:
    """A connector of an equipment, and which (identity, EVSE, connector) of OCPP it is."""

    operator: str
    equipment_id: str
    connector_id: str
    identity: str | None = None
    evse: int | None = None
    connector: int | None = None
    name: str | None = None
    kind: ConnectorKind | None = None
    status: AssetStatus | None = None
    voltage_upper_v: int | None = None
    voltage_lower_v: int | None = None
    voltage_v: int | None = None  # rated
    current_a: int | None = None
    power_w: int | None = None
    parking_bay: str | None = None
    national_standard: NationalStandard | None = None
    auxiliary_power: AuxiliaryPower | None = None
    constant_voltage_upper_v: int | None = None
    constant_voltage_lower_v: int | None = None
    constant_current_upper_a: int | None = None
    constant_current_lower_a: int | None = None
    opening_hours: str | None = None
    qr_codes: tuple[str, ...] = ()
    unique_id: str | None = None  # given by the province
    joined_at: datetime | None = None
    retired_at: datetime | None = None
    modified_at: datetime | None = None


AssetRecord = OperatorRecord | SiteRecord | EquipmentRecord | ConnectorRecord


def missing(record: AssetRecord, required: Iterable[str]) -> tuple[str, ...]:
    """Those of the `required` fields that are unknown, in their order. Raises AttributeError for no field."""
    return tuple(name for name in required if getattr(record, name) in (None, "", ()))
