"""Schema of the messages a platform takes from us: paths, fields, retries, time limits. Sends nothing."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from csms.reporting.tcec import fields as f
from csms.reporting.tcec.schema import ClockTime, Count, Interface, Part, Repeat, Seconds, Waits, dashed

PushKind = Literal[
    "connector-status", "start-result", "stop-result", "charge-status", "charge-order", "hour-total",
    "power", "alarm", "event", "station-info", "order-check",
]  # fmt: skip
Answer = Literal["status", "succ-stat", "confirm-result", "any"]


class Push(Interface):
    """One message the platform takes.

    `retry_s`: waits after each failure. Then `retry_repeats`: the last wait for ever, the whole list anew, or
    none: the message is set aside. `within_s`: what the platform calls on time, from the fact to its answer.
    `newest_only`: a newer record of the same thing replaces one that is not sent yet. `restates`: a
    correction of what was told may be told. `repeat`: told without cause, too. `answer`: which field of the
    answer says how it went. `required`: told even where not known (with the standard's default), or
    refused by us where the standard has none; the others are left out where not known.
    """

    retry_s: Waits
    retry_repeats: Literal["last", "all", "none"] = "last"
    within_s: Seconds | None = None
    newest_only: bool = False
    restates: bool = True
    repeat: Repeat | None = None
    answer: Answer = "status"
    required: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if any(later < earlier for earlier, later in zip(self.retry_s, self.retry_s[1:], strict=False)):
            raise ValueError("retry_s: a wait is shorter than the one before it")
        if self.retry_repeats == "all" and len(self.retry_s) == 1:
            raise ValueError("retry_repeats: one wait has no list to begin anew; use last")
        missing = sorted(set(self.required) - set(self.told()))
        if missing:
            raise ValueError(f"required: {missing[0]} is not among the fields")
        return self

    def wait_s(self, attempt: int) -> float | None:
        """Seconds to wait after the `attempt`-th failure (from 1); None: no more."""
        past, waits = max(attempt, 1) - 1, self.retry_s
        if past < len(waits):
            return waits[past]
        match self.retry_repeats:
            case "last":
                return waits[-1]
            case "all":
                return waits[past % len(waits)]
        return None

    def told(self) -> tuple[str, ...]:
        """The fields of the message, by their right names."""
        told: tuple[str, ...] = getattr(self, "fields", ())
        return told


class StatusPush(Push):
    """A connector's status: in one object, or in an array of one."""

    fields: Annotated[tuple[f.StatusField, ...], Field(min_length=1)]
    shape: Literal["object", "array"] = "object"


class ResultPush(Push):
    """How a start that the platform ordered went."""

    fields: Annotated[tuple[f.StartResultField, ...], Field(min_length=1)]
    answer: Answer = "succ-stat"


class StopResultPush(Push):
    """How a stop that the platform ordered went."""

    fields: Annotated[tuple[f.StopResultField, ...], Field(min_length=1)]
    answer: Answer = "succ-stat"


class ChargeStatusPush(Push):
    """A session under way, again and again.

    Readings older than `fresh_s` are not told as the present: 0 (not known) stands in their place, or,
    where `stale` is `skip`, nothing is told of the session.
    """

    fields: Annotated[tuple[f.ChargeStatusField, ...], Field(min_length=1)]
    repeat: Repeat
    fresh_s: Seconds = 300
    stale: Literal["zero", "skip"] = "zero"
    newest_only: bool = True
    answer: Answer = "succ-stat"


class OrderPush(Push):
    """A charge order, complete after the session's end.

    `dispute`: a ConfirmResult other than 0 is the end of it (kept as a dispute), or a reason to try again.
    """

    fields: Annotated[tuple[f.OrderField, ...], Field(min_length=1)]
    details: Annotated[tuple[f.DetailField, ...], Field(min_length=1)] = (
        "DetailStartTime", "DetailEndTime", "ElecPrice", "ServicePrice", "DetailPower", "DetailElecMoney",
        "DetailServiceMoney",
    )  # fmt: skip
    dispute: Literal["done", "again"] = "done"
    answer: Answer = "confirm-result"


class HourPush(Push):
    """A site's hour. No such push exists in T/CEC 102: an extension shaped like its StationStats."""

    fields: Annotated[tuple[f.HourField, ...], Field(min_length=1)]


class PowerPush(Push):
    """The power of every connector, equipment and site, several sites in one message."""

    repeat: Repeat
    fresh_s: Seconds = 900
    sites_max: Count = 50
    newest_only: bool = True
    answer: Answer = "any"


class AlarmPush(Push):
    """Faults of connectors and security events, raised and cleared."""

    fields: Annotated[tuple[f.AlarmField, ...], Field(min_length=1)]


class EventPush(Push):
    """Events that a profile's table `events` gives a code."""

    fields: Annotated[tuple[f.EventField, ...], Field(min_length=1)]


class StationInfoPush(Push):
    """A site as `objects` word it, when it or its equipment changes; changes are sought every `look_s`."""

    look_s: Seconds = 300
    newest_only: bool = True


class OrderCheckPush(Push):
    """check_charge_orders for the day before, sent between `from` and `until` in China local time."""

    model_config = ConfigDict(populate_by_name=True)

    from_: ClockTime = Field(default="00:00", alias="from")
    until: ClockTime = "03:00"
    orders_max: Count = 2_000
    answer: Answer = "any"

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if not self.from_ < self.until <= "24:00":
            raise ValueError("until: the window ends before it begins")
        return self


class Pushes(Part):
    """What is sent at all; a kind left out (or null) is not."""

    model_config = ConfigDict(alias_generator=dashed)

    connector_status: StatusPush | None = None
    start_result: ResultPush | None = None
    stop_result: StopResultPush | None = None
    charge_status: ChargeStatusPush | None = None
    charge_order: OrderPush | None = None
    hour_total: HourPush | None = None
    power: PowerPush | None = None
    alarm: AlarmPush | None = None
    event: EventPush | None = None
    station_info: StationInfoPush | None = None
    order_check: OrderCheckPush | None = None
