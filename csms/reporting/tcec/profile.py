"""What one city platform expects, as data: paths, spelling, decimals, codes, timing, whom and what to tell.

A profile is a YAML file; another city is another file. `extends: NAME` starts from another profile, and a
key set to null takes away what that one has. This file puts the parts together (`pushes`, `pulls`) and
checks that they fit each other. It sends nothing and words no message.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from csms.domain.assets import ConnectorStatus
from csms.domain.inventory import ChargerClass, SiteKind
from csms.reporting.tcec.fields import (
    CANONICAL_NAMES,
    HourField,
    OrderField,
    StatusField,
)
from csms.reporting.tcec.profile_files import ProfileError, bundled, explain, find, gather
from csms.reporting.tcec.pulls import Described, Objects, Pull, Pulls
from csms.reporting.tcec.pushes import HourPush, OrderPush, Push, Pushes, StatusPush
from csms.reporting.tcec.schema import BasePath, Code, Interface, Part, Places, Seconds, UrlPath, WireName

__all__ = [
    "Answers", "Described", "HourField", "HourPush", "Limits", "OrderField", "OrderPush", "Profile",
    "ProfileError", "Pull", "Push", "StatusField", "StatusPush", "bundled", "load_profile",
]  # fmt: skip

CodeTable = Literal[
    "order-state", "park-status", "lock-status", "connector-lock", "site-type", "site-status",
    "construction", "operation", "service", "parking-charge", "parking-reduction", "electricity",
    "orientation", "facility", "equipment-type", "new-standard", "connector-type", "standard",
    "auxiliary-power", "alarm-status", "pay-channel",
]  # fmt: skip
OTHERWISE = "otherwise"
UNKNOWN_WAIT_S = 60.0  # after a failure of a message the profile does not know
T = TypeVar("T")


class Decimals(Part):
    """Digits after the point: energies in kWh, money and prices in CNY, power in kW, V, A, %, degrees."""

    energy: Places = 2
    meter: Places = 2
    total: Places = 1
    money: Places = 2
    price: Places = 4
    power: Places = 1
    voltage: Places = 1
    current: Places = 1
    soc: Places = 1
    position: Places = 6


class Answers(Part):
    """What each Ret means to the sender. A code listed nowhere is a refusal of that one message."""

    accepted: tuple[Code, ...] = (0,)
    already: tuple[Code, ...] = ()
    again: tuple[Code, ...] = (-1, 500)
    token: tuple[Code, ...] = (4002,)
    credentials: tuple[Code, ...] = (4001,)

    @model_validator(mode="after")
    def _one_meaning(self) -> "Answers":
        codes = [*self.accepted, *self.already, *self.again, *self.token, *self.credentials]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"Ret {twice[0]} is given two meanings")
        return self


class Limits(Part):
    """What the platform bears, and what we take from it.

    Of its own calls: `pull_requests_per_s`, the life of tokens we give (`pull_token_s`), and how far a
    TimeStamp may be from our clock (`pull_window_s`).
    """

    requests_per_s: Annotated[float, Field(gt=0, le=10_000)] = 20
    request_bytes: Annotated[int, Field(gt=0, le=16_777_216)] = 262_144
    answer_bytes: Annotated[int, Field(gt=0, le=16_777_216)] = 1_048_576
    token_days: Annotated[float, Field(gt=0, le=365)] = 7
    pull_requests_per_s: Annotated[float, Field(gt=0, le=10_000)] = 20
    pull_token_s: Seconds = 7200
    pull_window_s: Seconds = 600


class Reportable(Part):
    """What is told: everything, sites of some kinds, chargers of some classes, or those with a subsidy."""

    sites: Literal["all", "kind", "class", "subsidy"] = "all"
    kinds: tuple[SiteKind, ...] = ()
    classes: tuple[ChargerClass, ...] = ()

    @model_validator(mode="after")
    def _says_which(self) -> "Reportable":
        wanted = {"kind": ("kinds", self.kinds), "class": ("classes", self.classes)}
        for kind, (name, values) in wanted.items():
            if self.sites == kind and not values:
                raise ValueError(f"{name}: sites: {kind} needs at least one")
            if self.sites != kind and values:
                raise ValueError(f"{name}: only with sites: {kind}")
        return self


class Privacy(Part):
    """Personal data that may be told; nothing is told unless a profile says so."""

    phone: bool = False
    plate: bool = False
    vin: bool = False
    user_name: bool = False


class AlarmCode(Part):
    """A fault or security event in the platform's numbers. Level 1 is danger to people, 3 a notice."""

    code: Code
    type: Code = 1
    level: Annotated[int, Field(ge=1, le=9)] = 3


class EventCode(Part):
    """An event in the platform's numbers."""

    code: Code
    type: Code


class Profile(Part):
    """One platform. `status_codes`, `stop_reasons` and `codes` map our words to its numbers.

    `pull_base_path` is where it finds us (below the prefix of the settings); without it as `base_path`.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    title: str = ""
    base_path: BasePath
    pull_base_path: BasePath | None = None
    query_token: UrlPath
    pushes: Pushes
    pulls: Pulls = Pulls()
    objects: Objects
    spelling: dict[str, WireName] = Field(default_factory=dict)
    decimals: Decimals = Decimals()
    status_codes: dict[ConnectorStatus, Code]
    stop_reasons: dict[str, Code]
    codes: dict[CodeTable, dict[str, Code]] = Field(default_factory=dict)
    alarms: dict[str, AlarmCode] = Field(default_factory=dict)
    events: dict[str, EventCode] = Field(default_factory=dict)
    answers: Answers = Answers()
    limits: Limits = Limits()
    reportable: Reportable = Reportable()
    privacy: Privacy = Privacy()

    @model_validator(mode="after")
    def _complete(self) -> "Profile":
        missing = [status.value for status in ConnectorStatus if status not in self.status_codes]
        if missing:
            raise ValueError(f"status_codes: no code for {', '.join(missing)}")
        if OTHERWISE not in self.stop_reasons:
            raise ValueError("stop_reasons: `otherwise` is missing: the code for every reason not listed")
        if self.pushes.alarm and OTHERWISE not in self.alarms:
            raise ValueError("alarms: `otherwise` is missing: the code for every fault not listed")
        if self.pushes.event and not self.events:
            raise ValueError("events: there is an event push, and no event has a code")
        return self

    @model_validator(mode="after")
    def _spelt_right(self) -> "Profile":
        interfaces = [*self.sent().values(), *self.answered().values()]
        unknown = sorted(set(chain(self.spelling, *(each.spelling for each in interfaces))) - CANONICAL_NAMES)
        if unknown:
            raise ValueError(f"spelling: {unknown[0]} is no field of T/CEC 102 that is told here")
        for each in interfaces:
            fields: Iterable[str] = getattr(each, "fields", ())
            spelt = Counter(self.spelt(name, each) for name in fields)
            twice = [name for name, n in spelt.items() if n > 1]
            if twice:
                raise ValueError(f"spelling: two fields of {each.path} are spelt {twice[0]}")
        return self

    def sent(self) -> dict[str, Push]:
        """The pushes this platform takes, by kind."""
        return _present(self.pushes, Push)

    def answered(self) -> dict[str, Pull]:
        """The queries we answer, by kind."""
        return _present(self.pulls, Pull)

    def push(self, kind: str) -> Push | None:
        """The push for an outbox kind; None where this platform does not take it."""
        return self.sent().get(kind)

    def pull(self, kind: str) -> Pull | None:
        """The query of this kind; None where it is not answered."""
        return self.answered().get(kind)

    def retry_after_s(self, kind: str, attempt: int) -> float | None:
        """Seconds to wait after the `attempt`-th failure (from 1) of a message; None: it is given up."""
        push = self.push(kind)
        return push.wait_s(attempt) if push else UNKNOWN_WAIT_S

    def rest_s(self, kind: str, rest: int) -> float:
        """Seconds to spare the platform for the `rest`-th time in a row (from 1), a message having failed.

        Longer and longer as the message's schedule, then its last wait: giving up a message ends no rest.
        """
        push = self.push(kind)
        return push.retry_s[min(rest, len(push.retry_s)) - 1] if push else UNKNOWN_WAIT_S

    def url_path(self, path: str) -> str:
        """The path of a push from the server's root."""
        return path if path.startswith("/") else f"{self.base_path}/{path}"

    def pull_path(self, path: str) -> str:
        """The path of a query from the root of what we serve."""
        base = self.base_path if self.pull_base_path is None else self.pull_base_path
        return path if path.startswith("/") else f"{base}/{path}"

    def spelt(self, name: str, at: Interface | None = None) -> str:
        """A field's name as this platform spells it, in the interface `at`."""
        return self.spellings(at).get(name, name)

    def spellings(self, at: Interface | None = None) -> dict[str, str]:
        """Right name to the platform's, where they differ, in the interface `at`."""
        return self.spelling | at.spelling if at is not None else self.spelling

    def stop_code(self, reason: str) -> int:
        """The platform's number for why a session ended."""
        return self.stop_reasons.get(reason, self.stop_reasons[OTHERWISE])

    def code(self, table: CodeTable, value: str | int) -> int | None:
        """The platform's number for a word (or the standard's number) of ours; None where it has none."""
        known = self.codes.get(table, {})
        found = known.get(str(value), value if isinstance(value, int) else None)
        return known.get(OTHERWISE) if found is None else found


def _present(parts: Part, kind: type[T]) -> dict[str, T]:
    every = ((name.replace("_", "-"), getattr(parts, name)) for name in type(parts).model_fields)
    return {name: part for name, part in every if isinstance(part, kind)}


def load_profile(source: str | Path) -> Profile:
    """The bundled profile of that name, or the one in that YAML file.

    Raises ProfileError naming file, line and key.
    """
    path = find(source, near=Path())
    values, lines = gather(path, seen=())
    try:
        return Profile(**values)
    except ValidationError as exc:
        raise ProfileError(explain(exc, path, lines)) from exc
