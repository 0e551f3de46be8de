"""Alarms and events in the platforms' words: faults and security events, with code and level. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csms.reporting.tcec.envelope import local_time
from csms.reporting.tcec.identifiers import connector_id, equipment_id, station_id
from csms.reporting.tcec.profile import OTHERWISE, AlarmCode, Profile
from csms.reporting.tcec.pushes import AlarmPush, EventPush
from csms.reporting.tcec.wording import NOWHERE, BadRecord, Place, Record, Table, body_of, with_zone

MOST_NOTE = 255


@dataclass(frozen=True, slots=True)
class Alarm(Record):
    """A fault raised or cleared at `at`; `word` is OCPP's error code or security event, in dashes.

    Connector 0: the charging station as a whole; the city knows it by its first connector.
    """

    operator_id: str
    site_code: str
    identity: str
    evse: int
    connector: int
    word: str
    is_raised: bool
    at: datetime
    note: str = ""
    place: Place = NOWHERE

    def __post_init__(self) -> None:
        with_zone(self.at)


@dataclass(frozen=True, slots=True)
class Event(Record):
    """Something that happened at a site."""

    operator_id: str
    site_code: str
    identity: str
    word: str
    at: datetime
    note: str = ""
    place: Place = NOWHERE

    def __post_init__(self) -> None:
        with_zone(self.at)


def code_of(word: str, profile: Profile) -> AlarmCode:
    """The platform's code, type and level. Raises BadRecord where the profile has none."""
    found = profile.alarms.get(word) or profile.alarms.get(OTHERWISE)
    if found is None:
        raise BadRecord(f"alarms: no code for {word}")
    return found


def _site(record: Alarm | Event, _: Profile) -> str:
    return record.place.station_id or station_id(record.site_code)


def _owner(record: Alarm | Event, _: Profile) -> str:
    return record.place.owner_id or record.operator_id


def _site_name(record: Alarm | Event, _: Profile) -> str:
    return record.place.station_name or record.site_code


ALARM: Table[Alarm] = {
    "StationID": _site,
    "OperatorID": lambda a, p: a.operator_id,
    "EquipmentOwnerID": _owner,
    "StationName": _site_name,
    "EquipmentID": lambda a, p: a.place.equipment_id or equipment_id(a.identity),
    "ConnectorID": lambda a, p: (
        a.place.connector_id or connector_id(a.identity, max(a.evse, 1), max(a.connector, 1))
    ),
    "AlarmStatus": lambda a, p: p.code("alarm-status", "raised" if a.is_raised else "cleared"),
    "AlarmCode": lambda a, p: code_of(a.word, p).code,
    "AlarmType": lambda a, p: code_of(a.word, p).type,
    "AlarmLevel": lambda a, p: code_of(a.word, p).level,
    "AlarmTime": lambda a, p: local_time(a.at),
    "NoteString": lambda a, p: a.note[:MOST_NOTE] or None,
}
EVENT: Table[Event] = {
    "StationID": _site,
    "OperatorID": lambda e, p: e.operator_id,
    "EquipmentOwnerID": _owner,
    "StationName": _site_name,
    "EventType": lambda e, p: p.events[e.word].type if e.word in p.events else None,
    "EventCode": lambda e, p: p.events[e.word].code if e.word in p.events else None,
    "EventTime": lambda e, p: local_time(e.at),
    "NoteString": lambda e, p: e.note[:MOST_NOTE] or None,
}


def alarm_body(record: Alarm, push: AlarmPush, profile: Profile) -> dict[str, Any]:
    """AlarmInfos with one in it."""
    return {"AlarmInfos": [body_of(record, ALARM, profile, push.fields, push.required)]}


def event_body(record: Event, push: EventPush, profile: Profile) -> dict[str, Any]:
    """EventInfos with one in it."""
    return {"EventInfos": [body_of(record, EVENT, profile, push.fields, push.required)]}
