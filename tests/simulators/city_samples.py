"""One right message of every push of every profile, and one right answer of every query. Written by hand."""

from typing import Any

from tests.simulators.city_kit import CITY, OPERATOR, orders

Body = dict[str, Any]
SEQ = OPERATOR + "202601051000000001"
FROM, UNTIL = "2026-01-05 10:00:00", "2026-01-05 11:00:00"

DETAIL = {
    "DetailStartTime": FROM,
    "DetailEndTime": UNTIL,
    "ElecPrice": 0.8123,
    "SevicePrice": 0.5,
    "DetailPower": 10.25,
    "DetailElecMoney": 8.33,
    "DetailSeviceMoney": 5.13,
}
RIGHT_DETAIL = {name.replace("Sevice", "Service"): value for name, value in DETAIL.items()}
CHARGE = {
    "StartChargeSeq": SEQ,
    "StartChargeSeqStat": 2,
    "ConnectorID": "CS-00010101",
    "ConnectorStatus": 3,
    "CurrentA": 80.5,
    "CurrentB": 0,
    "VoltageA": 400.1,
    "Soc": 55,
    "StartTime": FROM,
    "EndTime": UNTIL,
    "TotalPower": 10.25,
    "ElecMoney": 8.33,
    "SeviceMoney": 5.13,
    "TotalMoney": 13.46,
    "SumPeriod": 1,
    "ChargeDetails": [DETAIL],
}
RIGHT_CHARGE = CHARGE | {"ServiceMoney": 5.13, "ChargeDetails": [RIGHT_DETAIL]}
del RIGHT_CHARGE["SeviceMoney"]

CONNECTOR = {
    "ConnectorID": "CS-00010101",
    "ConnectorName": "枪1",
    "ConnectorType": 4,
    "VoltageUpperLimits": 750,
    "VoltageLowerLimits": 200,
    "Current": 250,
    "Power": 60.0,
    "ParkNo": "A01",
    "NationalStandard": 2,
}
EQUIPMENT = {
    "EquipmentID": "CS-0001",
    "ManufacturerID": "987654321",
    "ProductionDate": "2020-05-01",
    "EquipmentType": 1,
    "ConnectorInfos": [CONNECTOR],
    "Power": 60.5,
}
STATION = {
    "StationID": "S01",
    "OperatorID": OPERATOR,
    "EquipmentOwnerID": OPERATOR,
    "StationName": "国贸充电站",
    "CountryCode": "CN",
    "AreaCode": "110105",
    "Address": "北京市朝阳区建国门外大街1号",
    "ServiceTel": "4000000000",
    "StationType": 1,
    "StationStatus": 50,
    "ParkNums": 12,
    "StationLng": 116.461234,
    "StationLat": 39.909123,
    "Construction": 9,
    "Pictures": ["https://x.example/1.jpg"],
    "BusineHours": "00:00-24:00",
    "SupportOrder": 0,
    "EquipmentInfos": [EQUIPMENT],
}
STATUS = {"ConnectorID": "CS-00010101", "Status": 3, "ParkStatus": 50, "LockStatus": 0}
START_RESULT = {
    "StartChargeSeq": CITY + "202601051000000001",
    "StartChargeSeqStat": 2,
    "ConnectorID": "CS-00010101",
    "StartTime": FROM,
}
STOP_RESULT = {
    "StartChargeSeq": SEQ,
    "StartChargeSeqStat": 4,
    "ConnectorID": "CS-00010101",
    "SuccStat": 0,
    "FailReason": 0,
}
CHECK = {
    "CheckOrderSeq": SEQ,
    "StartTime": "2026-01-04 00:00:00",
    "EndTime": "2026-01-04 23:59:59",
    "OrderCount": 0,
    "TotalOrderPower": 0,
    "TotalOrderMoney": 0,
    "ChargeOrders": [],
}


def order(profile: str) -> Body:
    """An order with three periods."""
    return next(one for one in orders(9, seed=1) if len(one.parts) == 3).body(profile)


COMMON: dict[str, Body] = {
    "notification_stationStatus": {"ConnectorStatusInfo": STATUS},
    "notification_start_charge_result": START_RESULT,
    "notification_equip_charge_status": CHARGE,
    "notification_stop_charge_result": STOP_RESULT,
    "notification_charge_order_info": order("tcec102-2016"),
    "check_charge_orders": CHECK,
}

SHENZHEN_STATUS = STATUS | {
    **{f"Current{phase}": 10.5 for phase in "ABC"},
    **{f"Voltage{phase}": 220 for phase in "ABC"},
    "SOC": 50,
    "ConnectorLock": 1,
    "ChargeElectricity": 10.25,
    "DischargeElectricity": 0,
}
SHENZHEN_STATION = STATION | {
    "OpenAllDay": 1,
    "OpratorType": 1,
    "EquipmentInfos": [
        EQUIPMENT
        | {
            "EquipmentStatus": 50,
            "EquipmentPower": 60,
            "NewNationalStandard": 2,
            "ConnectorInfos": [CONNECTOR | {"Voltage": 750, "BMSPowerType": 3}],
        }
    ],
}
BMS = {
    "BMSCode": "B1",
    "BMSVer": "1.1",
    "MaxChargeCurrent": 200,
    "MaxChargeCellVoltage": 4.25,
    "MaxTemp": 55,
    "RatedCapacity": 200,
    "TatalVoltage": 400.5,
    "TotalCurrent": -80.5,
    "Soc": 55,
    "VoltageH": 4.1,
    "VoltageL": 4.0,
    "TemptureH": 30,
    "TemptureL": -5,
}
ALARM = {
    "StationID": "S01",
    "OperatorID": OPERATOR,
    "EquipmentOwnerID": OPERATOR,
    "StationName": "国贸充电站",
    "EquipmentID": "CS-0001",
    "ConnectorID": "CS-00010101",
    "AlarmStatus": 1,
    "AlarmCode": 17,
    "AlarmType": 1,
    "AlarmLevel": 2,
    "AlarmTime": FROM,
}
EVENT = {
    "StationID": "S01",
    "OperatorID": OPERATOR,
    "EquipmentOwnerID": OPERATOR,
    "StationName": "国贸充电站",
    "EventType": 4,
    "EventCode": 4001,
    "EventTime": FROM,
    "NoteString": "",
}
SHENZHEN: dict[str, Body] = {
    "notification_stationStatus": {"ConnectorStatusInfo": SHENZHEN_STATUS},
    "supplement_stationStatus": {"ConnectorStatusInfo": SHENZHEN_STATUS},
    "notification_stationInfo": {"StationInfo": SHENZHEN_STATION},
    "supplement_stationInfo": {"StationInfo": SHENZHEN_STATION},
    "notification_bmsInfo": {"ConnectorID": "CS-00010101", "BmsInfo": BMS},
    "supplement_bmsInfo": {"BmsInfos": [BMS]},
    "notification_alarmInfo": {"AlarmInfos": [ALARM]},
    "supplement_alarmInfo": {"AlarmInfos": [ALARM | {"AlarmStatus": 0, "BmsInfo": BMS}]},
    "notification_eventInfo": {"EventInfos": [EVENT]},
    "supplement_eventInfo": {"EventInfos": [EVENT]},
}

IDS = {"OperatorID": OPERATOR, "EquipmentOwnerID": OPERATOR, "StationID": "S01", "EquipmentID": "CS-0001"}
POWER = {
    "OperatorID": OPERATOR,
    "EquipmentOwnerID": OPERATOR,
    "StationID": "S01",
    "DataTime": FROM,
    "StationRealTimePower": 60.3,
    "EquipmentPowerInfos": [
        {
            "EquipmentID": "CS-0001",
            "DataTime": FROM,
            "EquipRealTimePower": 60.3,
            "ConnectorPowerInfos": [
                {"ConnectorID": "CS-00010101", "DataTime": FROM, "ConnectorRealTimePower": 60.3}
            ],
        }
    ],
}
ZHEJIANG: dict[str, Body] = {
    "notification_stationStatus": {"ConnectorStatusInfo": STATUS},
    "notification_stationInfo": {
        "StationInfo": STATION | {"StationType": 105, "Is24Hour": 1, "AreaCodeCountryside": "330106001001"}
    },
    "notification_equip_charge_status": IDS
    | {
        "ConnectorID": "CS-00010101",
        "OrderNo": SEQ,
        "OrderStatus": 2,
        "PushTimeStamp": "20260105110000",
        "ConnectorStatus": 3,
        "CurrentA": 80.5,
        "VoltageA": 400,
        "SOC": 55,
        "StartTime": FROM,
        "EndTime": UNTIL,
        "TotalPower": 10.25,
        "ElecMoney": 8.33,
        "ServiceMoney": 5.13,
        "TotalMoney": 13.46,
        "SumPeriod": 1,
        "ChargeDetails": [RIGHT_DETAIL],
        "bclNeedVoltage": 4000,
    },
    "notification_charge_order_info": order("zhejiang"),
    "notification_realtime_power_info": {"SupStationPowerInfos": [POWER]},
}
HOUR = {
    "OperatorID": OPERATOR,
    "StationID": "S01",
    "StartTime": FROM,
    "EndTime": UNTIL,
    "StationElectricity": 12.345,
    "SessionCount": 2,
    "Revision": 1,
}
BONUS = "notification_charge_order_info_for_bonus"
PUSHES: dict[str, dict[str, Body]] = {
    "tcec102-2016": COMMON,
    "beijing": {k: v for k, v in COMMON.items() if k != "notification_charge_order_info"}
    | {BONUS: order("beijing")},
    "xiaoju": COMMON
    | {
        "notification_equip_charge_status": RIGHT_CHARGE,
        "notification_charge_order_info": order("xiaoju"),
    },
    "simulated": COMMON
    | {
        BONUS: order("simulated"),
        "notification_charge_order_info": order("simulated"),
        "notification_stationStats": {"StationStats": HOUR},
    },
    "shenzhen": SHENZHEN,
    "zhejiang": ZHEJIANG,
}

PAGE = {"PageNo": 1, "PageCount": 1, "ItemSize": 1}
STATES = {"Total": 1, "StationStatusInfos": [{"StationID": "S01", "ConnectorStatusInfos": [STATUS]}]}


def stats(kind: str = "") -> Body:
    """Energies of a station; `kind` '', Charge or Discharge."""
    connector = {"ConnectorID": "CS-00010101", f"Connector{kind}Electricity": 12.3}
    machine = {
        "EquipmentID": "CS-0001",
        f"Equipment{kind}Electricity": 12.3,
        f"Connector{kind}StatsInfos": [connector],
    }
    return {
        "StationStats": {
            "StationID": "S01",
            "StartTime": "2026-01-05",
            "EndTime": "2026-01-06",
            f"Station{kind}Electricity": 12.3,
            f"Equipment{kind}StatsInfos": [machine],
        }
    }


def answers(name: str, asked: Body, profile: str) -> Body:
    """The right answer of an operator's system."""
    outcome = {"SuccStat": 0, "FailReason": 0}
    station = {"shenzhen": SHENZHEN_STATION}.get(profile, STATION)
    states = {
        "shenzhen": STATES
        | {"StationStatusInfos": [{"StationID": "S01", "ConnectorStatusInfos": [SHENZHEN_STATUS]}]}
    }.get(profile, STATES)
    charge = CHARGE
    if profile == "xiaoju":
        charge = {k: v for k, v in RIGHT_CHARGE.items() if k != "ElecMoney"} | {"ElectMoney": 8.33}
    operator = {"OperatorID": OPERATOR, "OperatorName": "某某", "OperatorUSCID": "91110105MA00000000"}
    right: dict[str, Body] = {
        "query_token": {
            "OperatorID": OPERATOR,
            "AccessToken": "t" * 64,
            "TokenAvailableTime": 7200,
            **outcome,
        },
        "query_stations_info": PAGE | {"StationInfos": [station]},
        "query_station_status": states,
        "query_stations_status": states,
        "query_station_stats": stats(),
        "query_station_charge_stats": stats("Charge"),
        "query_station_discharge_stats": stats("Discharge"),
        "query_equip_auth": outcome,
        "query_equip_business_policy": outcome
        | {
            "SumPeriod": 2,
            "PolicyInfos": [
                {"StartTime": "000000", "ElecPrice": 0.3, price(profile): 0.5},
                {"StartTime": "070000", "ElecPrice": 1.1234, price(profile): 0.5},
            ],
        },
        "query_start_charge": outcome | {"StartChargeSeqStat": 1},
        "query_stop_charge": outcome | {"StartChargeSeqStat": 3},
        "query_equip_charge_status": charge,
        "query_bms_info": {"BmsInfos": [BMS]},
        "query_alarm_info": {"AlarmInfos": [ALARM]},
        "query_event_info": {"EventInfos": [EVENT]},
        "query_frequency": {"Status": 0},
        "query_disequipmentstatus_info": {"DisequipmentStatusInfos": []},
        "supervise_query_operator_info": PAGE | {"OperatorInfos": [operator | {"OperatorTel1": "110"}]},
        "supervise_query_stations_info": PAGE | {"StationInfos": [station]},
        "supervise_query_station_status": states,
    }
    echoed = {name: value for name, value in asked.items() if name.endswith("Seq") or name == "ConnectorID"}
    if name in {"query_bms_info", "query_stop_charge"}:
        echoed.pop("ConnectorID", None)
    return right[name] | echoed


def price(profile: str) -> str:
    """How a profile spells the price of the service."""
    return "ServicePrice" if profile == "xiaoju" else "SevicePrice"


QUESTIONS: dict[str, Body] = {
    "query_token": {"OperatorID": CITY, "OperatorSecret": "operator-secret"},
    "query_stations_info": {"LastQueryTime": FROM, "PageNo": 1, "PageSize": 10},
    "query_station_status": {"StationIDs": ["S01"]},
    "query_stations_status": {"StationIDs": ["S01"]},
    "query_station_stats": {"StationID": "S01", "StartTime": "2026-01-05", "EndTime": "2026-01-06"},
    "query_station_charge_stats": {"StationID": "S01", "StartTime": "2026-01-05", "EndTime": "2026-01-06"},
    "query_station_discharge_stats": {"StationID": "S01", "StartTime": "2026-01-05", "EndTime": "2026-01-06"},
    "query_equip_auth": {"EquipAuthSeq": CITY + "202601051000000001", "ConnectorID": "CS-00010101"},
    "query_equip_business_policy": {"EquipBizSeq": CITY + "202601051000000001", "ConnectorID": "CS-00010101"},
    "query_start_charge": {"StartChargeSeq": CITY + "202601051000000001", "ConnectorID": "CS-00010101"},
    "query_stop_charge": {"StartChargeSeq": SEQ, "ConnectorID": "CS-00010101"},
    "query_equip_charge_status": {"StartChargeSeq": SEQ},
    "query_bms_info": {"ConnectorID": "CS-00010101"},
    "query_alarm_info": {"StationID": "S01", "OperatorID": OPERATOR, "EquipmentID": "CS-0001"},
    "query_event_info": {"StationID": "S01", "OperatorID": OPERATOR},
    "query_frequency": {"ParaFrequency": 60},
    "query_disequipmentstatus_info": {"StationID": "S01"},
    "supervise_query_operator_info": {"PageNo": 1, "PageSize": 10},
    "supervise_query_stations_info": {"PageNo": 1, "PageSize": 10},
    "supervise_query_station_status": {"StationIDs": ["S01"]},
}
