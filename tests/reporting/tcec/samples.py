"""One outbox payload of every kind: 12.345 kWh over New Year in Beijing, in two periods, at a known place."""

from typing import Any

SEQ = "123456789000000000000000042"
WHERE = {
    "operator_id": "123456789",
    "site_code": "S01",
    "identity": "CS-0001",
    "evse": 1,
    "connector": 2,
}
PLACE = {
    "station_id": "ST-1",
    "station_name": "东单停车场",
    "owner_id": "987654321",
    "equipment_id": "EQ-1",
    "connector_id": "EQ-1-2",
}
LIVE = {
    "at": "2017-12-31T16:00:00Z",
    "current_a": 16_040,
    "voltage_a": 380_500,
    "voltage_b": 381_000,
    "soc": 55_500,
    "power": 6_100_000,
}
DETAILS = [
    {
        "start": "2017-12-31T15:30:00Z",
        "end": "2017-12-31T16:00:00Z",
        "period": "peak",
        "energy_wh": 6_172,
        "elec_price": "1.2000",
        "service_price": "0.8000",
        "elec_money": "7.41",
        "service_money": "4.94",
    },
    {
        "start": "2017-12-31T16:00:00Z",
        "end": "2017-12-31T16:30:00Z",
        "period": "valley",
        "energy_wh": 6_173,
        "elec_price": "0.4000",
        "service_price": "0.8000",
        "elec_money": "2.47",
        "service_money": "4.94",
    },
]
MONEY = {"elec_money": "9.88", "service_money": "9.88", "money": "19.76"}
SITE = {
    "operator": "123456789",
    "site": "S01",
    "station_id": "ST-1",
    "name": "东单停车场",
    "owner_id": "987654321",
    "country_code": "CN",
    "area_code": "110101",
    "address": "东单北大街1号",
    "service_tel": "4000000000",
    "kind": "public",
    "status": "in-use",
    "place": "building-car-park",
    "operation": "own",
    "latitude": 39.9075,
    "longitude": 116.41667,
    "parking_spaces": 12,
    "pictures": ["https://pictures.example/1.jpg"],
    "opening_hours": "00:00-24:00",
    "open_all_day": True,
    "parking_charge": "charged",
    "facilities": ["toilet", "shop"],
}
EQUIPMENT = {
    "operator": "123456789",
    "site": "S01",
    "equipment_id": "EQ-1",
    "identity": "CS-0001",
    "kind": "dc",
    "status": "in-use",
    "power_w": 120_000,
    "manufacturer_id": "111111111",
    "national_standard": "2015",
    "produced_on": "2017-06-01",
}
CONNECTOR = {
    "operator": "123456789",
    "equipment_id": "EQ-1",
    "connector_id": "EQ-1-2",
    "identity": "CS-0001",
    "evse": 1,
    "connector": 2,
    "kind": "dc-plug",
    "voltage_upper_v": 750,
    "voltage_lower_v": 200,
    "voltage_v": 500,
    "current_a": 250,
    "power_w": 120_000,
    "national_standard": "2015",
    "auxiliary_power": "12v",
}
SAMPLES: dict[str, dict[str, Any]] = {
    "connector-status": WHERE
    | {
        "status": "charging",
        "at": "2017-12-31T15:30:05Z",
        "place": PLACE,
        "live": LIVE,
        "energy_wh": 6_172,
    },
    "start-result": WHERE
    | {
        "start_charge_seq": SEQ,
        "started_at": "2017-12-31T15:30:00Z",
        "at": "2017-12-31T15:30:02Z",
        "place": PLACE,
    },
    "stop-result": WHERE | {"start_charge_seq": SEQ, "at": "2017-12-31T16:30:02Z", "place": PLACE},
    "charge-status": WHERE
    | {
        "start_charge_seq": SEQ,
        "started_at": "2017-12-31T15:30:00Z",
        "at": "2017-12-31T16:00:10Z",
        "energy_wh": 6_172,
        "live": LIVE,
        "place": PLACE,
        "elec_money": "7.41",
        "service_money": "4.94",
        "money": "12.35",
        "details": DETAILS[:1],
    },
    "charge-order": WHERE
    | MONEY
    | {
        "start_charge_seq": SEQ,
        "started_at": "2017-12-31T15:30:00Z",
        "ended_at": "2017-12-31T16:30:00Z",
        "energy_wh": 12_345,
        "details": DETAILS,
        "stop_reason": "ev-disconnected",
        "meter_start_wh": 1_000_000,
        "meter_stop_wh": 1_012_345,
        "connector_power_w": 120_000,
        "phone": "13800000000",
        "plate": "京A00001",
        "vin": "LSVAA4182E2000001",
        "user_name": "王",
        "told_at": "2017-12-31T16:30:01Z",
        "place": PLACE,
    },
    "hour-total": {
        "operator_id": "123456789",
        "site_code": "S01",
        "hour": "2017-12-31T15:00:00Z",
        "energy_wh": 12_345,
        "sessions": 3,
        "revision": 2,
        "stations": [
            {
                "identity": "CS-0001",
                "energy_wh": 12_345,
                "connectors": [{"evse": 1, "connector": 1, "energy_wh": 45}],
            }
        ],
    },
    "power": {
        "operator_id": "123456789",
        "at": "2017-12-31T16:00:00Z",
        "sites": [
            {
                "site_code": "S01",
                "station_id": "ST-1",
                "equipment": [
                    {
                        "identity": "CS-0001",
                        "connectors": [
                            {"evse": 1, "connector": 1, "power_w": 60_050},
                            {"evse": 1, "connector": 2, "power_w": 6_100, "connector_id": "EQ-1-2"},
                        ],
                    }
                ],
            }
        ],
    },
    "alarm": WHERE
    | {
        "word": "ground-failure",
        "is_raised": True,
        "at": "2017-12-31T16:00:00Z",
        "note": "R1 12 kOhm",
        "place": PLACE,
    },
    "event": {
        "operator_id": "123456789",
        "site_code": "S01",
        "identity": "CS-0001",
        "word": "firmware-updated",
        "at": "2017-12-31T16:00:00Z",
        "place": PLACE,
    },
    "station-info": {"site": SITE, "equipment": [EQUIPMENT], "connectors": [CONNECTOR]},
    "order-check": {
        "check_order_seq": "123456789201712310000000000",
        "operator_id": "123456789",
        "start": "2017-12-30T16:00:00Z",
        "end": "2017-12-31T15:59:59Z",
        "orders": [
            {"start_charge_seq": SEQ, "energy_wh": 12_345, "money": "19.76"},
            {"start_charge_seq": SEQ[:-1] + "3", "energy_wh": 5, "money": None},
        ],
    },
}
