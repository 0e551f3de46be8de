"""What platforms ask, as they say it: one shape for each kind of query, and how a payload is read into it.

Numbers that come as text are numbers. What is missing or of another kind is told with its name (Ret 4004).
Fields nobody knows are passed over: peers add some.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from csms.reporting.tcec.envelope import CHINA
from csms.reporting.tcec.server.refusals import bad_business

Seq = Annotated[str, Meta(pattern=r"^[\x21-\x7e]{27}$")]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
DAY = timedelta(days=1)

T = TypeVar("T", bound="Ask")


class Ask(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The payload of a query."""


class TokenAsk(Ask, frozen=True, kw_only=True):
    """query_token."""

    operator_id: str = msgspec.field(name="OperatorID")
    operator_secret: str


class PageAsk(Ask, frozen=True, kw_only=True):
    """query_stations_info and other answers in pages."""

    last_query_time: str | None = None
    page_no: Count | None = None
    page_size: Count | None = None


class StatusAsk(Ask, frozen=True, kw_only=True):
    """query_station_status."""

    station_ids: Annotated[list[Name], Meta(min_length=1)] = msgspec.field(name="StationIDs")


class StatsAsk(Ask, frozen=True, kw_only=True):
    """query_station_stats."""

    station_id: Name = msgspec.field(name="StationID")
    start_time: str
    end_time: str


class AuthAsk(Ask, frozen=True, kw_only=True):
    """query_equip_auth."""

    equip_auth_seq: Seq
    connector_id: Name = msgspec.field(name="ConnectorID")


class PolicyAsk(Ask, frozen=True, kw_only=True):
    """query_equip_business_policy."""

    equip_biz_seq: Seq
    connector_id: Name = msgspec.field(name="ConnectorID")


class StartAsk(Ask, frozen=True, kw_only=True):
    """query_start_charge and query_stop_charge."""

    start_charge_seq: Seq
    connector_id: Name = msgspec.field(name="ConnectorID")


class ChargeAsk(Ask, frozen=True, kw_only=True):
    """query_equip_charge_status."""

    start_charge_seq: Seq


class ListAsk(Ask, frozen=True, kw_only=True):
    """query_alarm_info, query_event_info, query_bms_info, query_disequipmentstatus_info.

    Whatever is named narrows the answer.
    """

    station_id: str | None = msgspec.field(name="StationID", default=None)
    equipment_id: str | None = msgspec.field(name="EquipmentID", default=None)
    connector_id: str | None = msgspec.field(name="ConnectorID", default=None)


class FrequencyAsk(Ask, frozen=True, kw_only=True):
    """query_frequency: seconds between two status messages."""

    para_frequency: Annotated[int, Meta(ge=1, le=604_800)]


def read(kind: type[T], payload: Mapping[str, Any], spelling: Mapping[str, str]) -> T:
    """The payload of a query, whose names may be spelt the platform's way. Raises Refusal (4004)."""
    right = {wire: name for name, wire in spelling.items()}
    names = {right.get(name, name): value for name, value in payload.items()}
    try:
        return msgspec.convert(names, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise bad_business(str(exc)) from exc


def moment_of(text: str, name: str) -> tuple[datetime, bool]:
    """A time in China as an instant, and whether it was a mere date. Raises Refusal (4004) naming the field.

    Peers write `2016-1-2 12:12:12` as well as `2016-01-02 12:12:12`.
    """
    for form, is_date in (("%Y-%m-%d %H:%M:%S", False), ("%Y-%m-%d", True), ("%Y-%m-%dT%H:%M:%S", False)):
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=CHINA), is_date
        except ValueError:
            continue
    raise bad_business(f"{name}: expected yyyy-MM-dd or yyyy-MM-dd HH:mm:ss, found {text[:40]!r}")


def span_of(ask: StatsAsk) -> tuple[datetime, datetime]:
    """From (included) and until (excluded). A date as the end means all of that day."""
    since, _ = moment_of(ask.start_time, "StartTime")
    until, is_date = moment_of(ask.end_time, "EndTime")
    until += DAY if is_date else timedelta(0)
    if until <= since:
        raise bad_business("EndTime is not after StartTime")
    return since, until
