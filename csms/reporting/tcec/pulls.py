"""Schema of the queries a platform sends us, and of the objects that answers and pushes share."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from csms.reporting.tcec import fields as f
from csms.reporting.tcec.schema import Code, Count, Interface, Part, Seconds, dashed

PullKind = Literal[
    "query-token", "operator-info", "stations-info", "station-status", "station-stats", "discharge-stats",
    "equip-auth", "business-policy", "start-charge", "stop-charge", "charge-status", "alarm-info",
    "event-info", "bms-info", "frequency", "distribution-status",
]  # fmt: skip


class Pull(Interface):
    """A query the platform sends us. `within_s`: when it wants our answer; `every_s`: how often it may ask.

    `every_s` holds for one thing asked about (a session, a site), not for the interface.
    """

    within_s: Seconds | None = None
    every_s: Seconds | None = None


class PagedPull(Pull):
    """An answer in pages; `page_size` where none is asked for, `page_size_max` what is given at most."""

    page_size: Count = 10
    page_size_max: Count = 100

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.page_size > self.page_size_max:
            raise ValueError("page_size: larger than page_size_max")
        return self


class StatusPull(Pull):
    """The status of whole sites. `total_as`: one dialect wants Total as text."""

    fields: Annotated[tuple[f.StatusField, ...], Field(min_length=1)]
    ids_max: Count = 50
    total_as: Literal["number", "text"] = "number"


class CommandPull(Pull):
    """Something to do. `fail_reasons` map our words to FailReason; `result_within_s`: for the result push."""

    fail_reasons: dict[str, Code] = Field(default_factory=dict)
    result_within_s: Seconds | None = None


class ChargeStatusPull(Pull):
    """A session under way, asked for by its StartChargeSeq."""

    fields: Annotated[tuple[f.ChargeStatusField, ...], Field(min_length=1)]


class ListPull(Pull):
    """What there is of alarms or events of a site."""

    most: Count = 100


class Pulls(Part):
    """What we answer; a kind left out (or null) is not known under any path."""

    model_config = ConfigDict(alias_generator=dashed)

    query_token: Pull | None = None
    operator_info: PagedPull | None = None
    stations_info: PagedPull | None = None
    station_status: StatusPull | None = None
    station_stats: Pull | None = None
    discharge_stats: Pull | None = None
    equip_auth: CommandPull | None = None
    business_policy: CommandPull | None = None
    start_charge: CommandPull | None = None
    stop_charge: CommandPull | None = None
    charge_status: ChargeStatusPull | None = None
    alarm_info: ListPull | None = None
    event_info: ListPull | None = None
    bms_info: ListPull | None = None
    frequency: Pull | None = None
    distribution_status: Pull | None = None


class Described(Part):
    """An object's fields in order, those that must be there, and the most characters of a text."""

    fields: Annotated[tuple[str, ...], Field(min_length=1)]
    required: tuple[str, ...] = ()
    lengths: dict[str, Annotated[int, Field(gt=0, le=4_096)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_subset(self) -> Self:
        for name, wanted in (("required", self.required), ("lengths", self.lengths)):
            missing = sorted(set(wanted) - set(self.fields))
            if missing:
                raise ValueError(f"{name}: {missing[0]} is not among the fields")
        return self


class OperatorObject(Described):
    """OperatorInfo."""

    fields: Annotated[tuple[f.OperatorField, ...], Field(min_length=1)]


class StationObject(Described):
    """StationInfo: what we call a site."""

    fields: Annotated[tuple[f.StationField, ...], Field(min_length=1)]


class EquipmentObject(Described):
    """EquipmentInfo: what we call a charging station."""

    fields: Annotated[tuple[f.EquipmentField, ...], Field(min_length=1)]


class ConnectorObject(Described):
    """ConnectorInfo."""

    fields: Annotated[tuple[f.ConnectorField, ...], Field(min_length=1)]


class Objects(Part):
    """How sites are described, pushed and pulled alike."""

    operator: OperatorObject
    station: StationObject
    equipment: EquipmentObject
    connector: ConnectorObject
