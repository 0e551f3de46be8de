"""The names of everything a city may be told or may ask, as T/CEC 102 means them, spelt correctly.

A profile lists which of them a platform gets and how it spells them (the 2016 edition writes `SevicePrice`).
Names only: what each holds is worded elsewhere.
"""

from itertools import chain
from typing import Literal, get_args

StatusField = Literal[
    "ConnectorID", "Status", "ParkStatus", "LockStatus",
    # Shenzhen 9.4, Zhejiang
    "OperatorID", "EquipmentOwnerID", "StationID", "EquipmentID", "UpdateTime", "CurrentA", "CurrentB",
    "CurrentC", "VoltageA", "VoltageB", "VoltageC", "Soc", "ConnectorTemp", "EquipmentTemp",
    "ConnectorLock", "ChargeElectricity", "DischargeElectricity",
]  # fmt: skip
OrderField = Literal[
    "StartChargeSeq", "ConnectorID", "StartTime", "EndTime", "TotalPower", "TotalElecMoney",
    "TotalServiceMoney", "TotalMoney", "StopReason", "SumPeriod", "ChargeDetails",
    # Beijing's order for the bonus
    "ChargeModel", "UserName", "StationID", "EquipmentID", "ConnectorPower", "ChargeLast",
    "MeterValueStart", "MeterValueEnd",
    # Zhejiang, joint-test
    "OrderNo", "OperatorID", "EquipmentOwnerID", "Phone", "LicensePlate", "Vin", "SharpEnergy",
    "PeakEnergy", "FlatEnergy", "ValleyEnergy", "PaymentAmount", "PayTime", "PayChannel", "DiscountInfo",
    "StopDesc", "PushTime", "AccountDate",
    # ours
    "Revision",
]  # fmt: skip
DetailField = Literal[
    "DetailStartTime", "DetailEndTime", "ElecPrice", "ServicePrice", "DetailPower", "DetailElecMoney",
    "DetailServiceMoney",
]  # fmt: skip
HourField = Literal[
    "OperatorID", "StationID", "StartTime", "EndTime", "StationElectricity", "SessionCount", "Revision",
    "EquipmentStatsInfos",
]  # fmt: skip
StartResultField = Literal[
    "StartChargeSeq", "StartChargeSeqStat", "ConnectorID", "StartTime", "IdentCode", "SuccStat",
    "FailReason",
]  # fmt: skip
StopResultField = Literal[
    "StartChargeSeq", "StartChargeSeqStat", "ConnectorID", "SuccStat", "FailReason"
]  # fmt: skip
ChargeStatusField = Literal[
    "StartChargeSeq", "StartChargeSeqStat", "ConnectorID", "ConnectorStatus", "CurrentA", "CurrentB",
    "CurrentC", "VoltageA", "VoltageB", "VoltageC", "Soc", "StartTime", "EndTime", "TotalPower",
    "ElecMoney", "ServiceMoney", "TotalMoney", "SumPeriod", "ChargeDetails",
    # Zhejiang
    "OperatorID", "EquipmentOwnerID", "StationID", "EquipmentID", "OrderNo", "OrderStatus",
    "LicensePlate", "Vin", "PushTimeStamp", "EventTime", "ChargeVoltage", "ChargeCurrent",
]  # fmt: skip
AlarmField = Literal[
    "StationID", "OperatorID", "EquipmentOwnerID", "StationName", "EquipmentID", "ConnectorID",
    "AlarmStatus", "AlarmCode", "AlarmType", "AlarmLevel", "AlarmTime", "NoteString",
]  # fmt: skip
EventField = Literal[
    "StationID", "OperatorID", "EquipmentOwnerID", "StationName", "EventType", "EventCode", "EventTime",
    "NoteString",
]  # fmt: skip
OperatorField = Literal[
    "OperatorID", "OperatorName", "OperatorUSCID", "OperatorTel1", "OperatorTel2", "OperatorRegAddress",
    "OperatorNote",
]  # fmt: skip
StationField = Literal[
    "StationID", "OperatorID", "EquipmentOwnerID", "StationName", "CountryCode", "AreaCode", "Address",
    "StationTel", "ServiceTel", "StationType", "StationStatus", "ParkNums", "StationLng", "StationLat",
    "SiteGuide", "Construction", "Pictures", "MatchCars", "ParkInfo", "BusinessHours", "ElectricityFee",
    "ServiceFee", "ParkFee", "Payment", "SupportOrder", "Remark", "EquipmentInfos",
    # Shenzhen
    "ParkOwner", "ParkManager", "OpenAllDay", "ParkFree", "OperatorType",
    # Zhejiang
    "StationUniqueID", "AreaCodeCountryside", "StationClassification", "Is24Hour", "PeriodFee",
    "PolicyInfos", "ParkType", "ParkReductionMode", "IdleFeeFlag", "IdleFeeInfos", "ElectricityType",
    "BusinessExpandType", "ElectricityAccountID", "RatedVoltage", "Capacity", "RatedPower",
    "SubstationDistance", "OfficialRunTime", "StationOrientation", "StationArea", "HavePerson",
    "VideoMonitor", "SupportingFacilities", "PrinterFlag", "BarrierFlag", "ParkingLockFlag",
    "InvestmentProjectCode",
]  # fmt: skip
EquipmentField = Literal[
    "EquipmentID", "ManufacturerID", "ManufacturerName", "EquipmentModel", "ProductionDate",
    "EquipmentType", "ConnectorInfos", "EquipmentLng", "EquipmentLat", "Power", "EquipmentName",
    # Shenzhen
    "EquipmentStatus", "EquipmentPower", "NewNationalStandard",
    # Zhejiang
    "EquipmentUniqueID", "EquipmentManufacturerNumber",
]  # fmt: skip
ConnectorField = Literal[
    "ConnectorID", "ConnectorName", "ConnectorType", "VoltageUpperLimits", "VoltageLowerLimits", "Current",
    "Power", "ParkNo", "NationalStandard",
    # Shenzhen
    "Voltage", "BMSPowerType",
    # Zhejiang
    "ConnectorUniqueID", "QrCodes", "ConstantVoltageUpperLimits", "ConstantVoltageLowerLimits",
    "ConstantCurrentUpperLimits", "ConstantCurrentLowerLimits", "AuxPower", "OperateStatus", "OperateHours",
]  # fmt: skip

# Names round the fields above and in answers, so that a profile can spell them too.
OTHER_NAMES = (
    "ConnectorStatusInfo", "ConnectorStatusInfos", "StationStatusInfos", "Total", "StationStats",
    "EquipmentElectricity", "ConnectorStatsInfos", "ConnectorElectricity", "StationInfo", "StationInfos",
    "OperatorInfo", "OperatorInfos", "PageNo", "PageCount", "PageSize", "ItemSize", "LastQueryTime",
    "StationIDs", "AlarmInfos", "EventInfos", "StationPowerInfos", "DataTime", "StationRealTimePower",
    "EquipmentPowerInfos", "EquipRealTimePower", "ConnectorPowerInfos", "ConnectorRealTimePower",
    "CheckOrderSeq", "OrderCount", "TotalOrderPower", "TotalOrderMoney", "ChargeOrders",
    "TotalDisputeOrder", "TotalDisputePower", "TotalDisputeMoney", "DisputeOrders", "DisputeReason",
    "BmsInfos", "TotalVoltage", "TotalCurrent",
    "EquipAuthSeq", "EquipBizSeq", "SuccStat", "FailReason", "ConfirmResult", "QRCode", "ParaFrequency",
)  # fmt: skip
_FIELDS = (
    StatusField, OrderField, DetailField, HourField, StartResultField, StopResultField, ChargeStatusField,
    AlarmField, EventField, OperatorField, StationField, EquipmentField, ConnectorField,
)  # fmt: skip
CANONICAL_NAMES = frozenset(chain(OTHER_NAMES, *map(get_args, _FIELDS)))
