"""What one city platform expects, as data: paths, spelling, decimals, codes, timing.

A profile is a YAML file; another city is another file. `extends: NAME` starts from another profile, and a
key set to null takes away what that one has. This file knows the schema and how to say what is wrong
with a profile. It sends nothing and words no message.
"""

from collections.abc import Hashable
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from csms.domain.assets import ConnectorStatus
from csms.errors import ConfigError

PROFILES = Path(__file__).with_name("profiles")
MAX_FILE_BYTES = 262_144

Kind = Literal["connector-status", "charge-order", "hour-total"]
StatusField = Literal["ConnectorID", "Status", "ParkStatus", "LockStatus"]
OrderField = Literal[
    "StartChargeSeq", "ConnectorID", "StartTime", "EndTime", "TotalPower", "TotalElecMoney",
    "TotalServiceMoney", "TotalMoney", "StopReason", "ChargeModel", "UserName", "StationID", "EquipmentID",
    "ConnectorPower", "ChargeLast", "MeterValueStart", "MeterValueEnd", "Revision",
]  # fmt: skip
HourField = Literal[
    "OperatorID", "StationID", "StartTime", "EndTime", "StationElectricity", "SessionCount", "Revision",
    "EquipmentStatsInfos",
]  # fmt: skip
# Names inside and around the fields above, and those of messages about tariffs and sites.
OTHER_NAMES = (
    "ConnectorStatusInfo", "ConnectorStatusInfos", "StationStats", "EquipmentElectricity",
    "ConnectorStatsInfos", "ConnectorElectricity", "ElecPrice", "ServicePrice", "ElecMoney", "ServiceMoney",
    "DetailElecMoney", "DetailServiceMoney", "SumPeriod", "ChargeDetails", "BusinessHours",
)  # fmt: skip
CANONICAL_NAMES = frozenset(
    chain(get_args(StatusField), get_args(OrderField), get_args(HourField), OTHER_NAMES)
)

UrlPath = Annotated[str, Field(pattern=r"^(/?[A-Za-z0-9._~-]+)(/[A-Za-z0-9._~-]+)*$")]
WireName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Seconds = Annotated[float, Field(gt=0, le=604_800)]
Places = Annotated[int, Field(ge=0, le=6)]
Code = Annotated[int, Field(ge=-1, le=99_999)]


class ProfileError(ConfigError):
    """The city platform profile is wrong:"""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Push(_Part):
    """One message the platform takes. `retry_s`: waits after each failure; the last one repeats for ever.

    `path` is under the profile's base path, or from the server's root when it begins with a slash.
    `spelling` comes on top of the profile's.
    """

    path: UrlPath
    retry_s: Annotated[tuple[Seconds, ...], Field(min_length=1)]
    spelling: dict[str, WireName] = {}


class StatusPush(Push):
    """A connector's status: in one object, or in an array of one."""

    fields: Annotated[tuple[StatusField, ...], Field(min_length=1)]
    shape: Literal["object", "array"] = "object"


class OrderPush(Push):
    """A charge order, complete after the session's end."""

    fields: Annotated[tuple[OrderField, ...], Field(min_length=1)]


class HourPush(Push):
    """A site's hour. No such push exists in T/CEC 102: an extension shaped like its StationStats."""

    fields: Annotated[tuple[HourField, ...], Field(min_length=1)]


class Pushes(_Part):
    """What is sent at all; a kind left out (or null) is not."""

    model_config = ConfigDict(alias_generator=lambda name: name.replace("_", "-"))

    connector_status: StatusPush | None = None
    charge_order: OrderPush | None = None
    hour_total: HourPush | None = None


class Decimals(_Part):
    """Digits after the point: energies in kWh, money, power in kW."""

    energy: Places = 2
    meter: Places = 2
    total: Places = 1
    money: Places = 2
    power: Places = 1


class Answers(_Part):
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


class Limits(_Part):
    """What the platform bears, and what we take from it."""

    requests_per_s: Annotated[float, Field(gt=0, le=10_000)] = 20
    request_bytes: Annotated[int, Field(gt=0, le=16_777_216)] = 262_144
    answer_bytes: Annotated[int, Field(gt=0, le=16_777_216)] = 1_048_576
    token_days: Annotated[float, Field(gt=0, le=365)] = 7


class Profile(_Part):
    """One platform. `status_codes` and `stop_reasons` map our words to its numbers."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    title: str = ""
    base_path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$")]
    query_token: UrlPath
    pushes: Pushes
    spelling: dict[str, WireName] = {}
    decimals: Decimals = Decimals()
    status_codes: dict[ConnectorStatus, Code]
    stop_reasons: dict[str, Code]
    answers: Answers = Answers()
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _complete(self) -> "Profile":
        missing = [status.value for status in ConnectorStatus if status not in self.status_codes]
        if missing:
            raise ValueError(f"status_codes: no code for {', '.join(missing)}")
        if "otherwise" not in self.stop_reasons:
            raise ValueError("stop_reasons: `otherwise` is missing: the code for every reason not listed")
        spellings = [self.spelling, *(push.spelling for push in self.sent().values())]
        unknown = sorted(set(chain(*spellings)) - CANONICAL_NAMES)
        if unknown:
            raise ValueError(f"spelling: {unknown[0]} is no field of T/CEC 102 that is sent here")
        return self

    def sent(self) -> dict[str, Push]:
        """The pushes this platform takes, by kind."""
        every: dict[Kind, Push | None] = {
            "connector-status": self.pushes.connector_status,
            "charge-order": self.pushes.charge_order,
            "hour-total": self.pushes.hour_total,
        }
        return {kind: push for kind, push in every.items() if push is not None}

    def push(self, kind: str) -> Push | None:
        """The push for an outbox kind; None where this platform does not take it."""
        return self.sent().get(kind)

    def retry_after_s(self, kind: str, attempt: int) -> float:
        """Seconds to wait after the `attempt`-th failure (from 1) of a message of this kind."""
        push = self.push(kind)
        waits = push.retry_s if push else (60.0,)
        return waits[min(max(attempt, 1), len(waits)) - 1]

    def url_path(self, path: str) -> str:
        """The path from the server's root."""
        return path if path.startswith("/") else f"{self.base_path}/{path}"

    def stop_code(self, reason: str) -> int:
        """The platform's number for why a session ended."""
        return self.stop_reasons.get(reason, self.stop_reasons["otherwise"])


def bundled() -> list[str]:
    """Names of the profiles that come with the program."""
    return sorted(file.stem for file in PROFILES.glob("*.yaml"))


def load_profile(source: str | Path) -> Profile:
    """The bundled profile of that name, or the one in that YAML file.

    Raises ProfileError naming file, line and key.
    """
    path = _find(source, near=Path())
    values, lines = _gather(path, seen=())
    try:
        return Profile(**values)
    except ValidationError as exc:
        raise ProfileError(_explain(exc, path, lines)) from exc


_Keys = tuple[str, ...]
_Lines = dict[_Keys, str]


def _find(source: str | Path, near: Path) -> Path:
    """A name without a suffix is a bundled profile; a file is looked for beside the one that names it."""
    text = str(source)
    if not text.endswith((".yaml", ".yml")):
        path = PROFILES / f"{text}.yaml"
        if text not in bundled():
            raise ProfileError(
                f"there is no profile {text}; known: {', '.join(bundled())}, or name a .yaml file"
            )
        return path
    return near / text


def _gather(path: Path, seen: tuple[Path, ...]) -> tuple[dict[str, Any], _Lines]:
    """A file's values laid over those it extends, and `file:line` of every key."""
    if path in seen:
        raise ProfileError(f"{path}: extends itself")
    values, lines = _read(path)
    if "extends" not in values:
        return values, lines
    parent = values.pop("extends")
    if not isinstance(parent, str):
        raise ProfileError(f"{lines['extends',]}: extends: expected the name of a profile")
    below, lines_below = _gather(_find(parent, near=path.parent), (*seen, path))
    return _laid_over(below, values), lines_below | lines


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Mappings are merged, everything else is replaced, null takes away."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(under, dict):
            merged[key] = _laid_over(under, value)
        else:
            merged[key] = value
    return merged


def _read(path: Path) -> tuple[dict[str, Any], _Lines]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ProfileError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines = dict(_lines_of(node, (), path))
        values = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as exc:
        raise ProfileError(f"{path} cannot be read: {exc}") from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ProfileError(f"{where}: not valid YAML: {getattr(exc, 'problem', exc)}") from exc
    if not isinstance(values, dict):
        raise ProfileError(f"{path}:1: expected keys such as `name:`")
    return values, lines


def _lines_of(node: yaml.Node | None, above: _Keys, path: Path) -> list[tuple[_Keys, str]]:
    """`file:line` of every key and list item. A key that stands twice is refused."""
    found: list[tuple[_Keys, str]] = []
    if isinstance(node, yaml.MappingNode):
        here: set[Hashable] = set()
        for key, value in node.value:
            where = f"{path}:{key.start_mark.line + 1}"
            if key.value in here:
                raise ProfileError(f"{where}: {key.value} stands twice")
            here.add(key.value)
            keys = (*above, str(key.value))
            found += [(keys, where), *_lines_of(value, keys, path)]
    elif isinstance(node, yaml.SequenceNode):
        for n, item in enumerate(node.value):
            keys = (*above, str(n))
            found += [(keys, f"{path}:{item.start_mark.line + 1}"), *_lines_of(item, keys, path)]
    return found


def _explain(exc: ValidationError, path: Path, lines: _Lines) -> str:
    """Each problem as `file:line: key: what`; the nearest key that stands in a file gives the line."""
    problems = []
    for error in exc.errors(include_url=False, include_input=False, include_context=False):
        keys = tuple(str(part) for part in error["loc"] if part != "[key]")
        what = error["msg"].removeprefix("Value error, ")
        if not keys:  # the whole-profile check begins its words with the key
            keys, what = (what.partition(":")[0],), what.partition(": ")[2]
        where = next((lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in lines), str(path))
        problems.append(f"{where}: {'.'.join(keys)}: {what}")
    return "; ".join(problems)
