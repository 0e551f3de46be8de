"""Request bodies of commands, one model each, told apart by `command`. Knows no transport.

`to_command` turns a body into what the courier carries. StopSession and AskTransaction name a session; which
transaction that is only the store knows, so it is handed in.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from csms.api.forms import EvseNumber, Form, TokenText
from csms.domain import commands
from csms.domain.assets import OcppVersion
from csms.domain.commands import Command
from csms.domain.redaction import DEEPEST, is_too_deep

SessionNumber = Annotated[str, Field(pattern=r"^[0-9]{1,19}$", description="`session_id` of a session.")]
Word = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[\x20-\x7e]+$")]
ConnectorNumber = Annotated[int, Field(ge=1, le=65_535)]


class StartSession(Form):
    """Remote start."""

    command: Literal["StartSession"]
    id_token: TokenText
    token_type: Word = "ISO14443"
    evse: EvseNumber | None = None
    connector: ConnectorNumber | None = None


class StopSession(Form):
    """Remote stop of a session that runs."""

    command: Literal["StopSession"]
    session_id: SessionNumber


class Reset(Form):
    """Restart the station. `soft` is `on-idle` (sessions end by themselves first), `hard` is `immediate`."""

    command: Literal["Reset"]
    kind: Literal["soft", "hard", "on-idle", "immediate"] = "on-idle"
    evse: EvseNumber | None = None


class UnlockConnector(Form):
    """Free a stuck plug."""

    command: Literal["UnlockConnector"]
    evse: EvseNumber
    connector: ConnectorNumber = 1


class TriggerMessage(Form):
    """Ask for a message now; `message` is an OCPP action such as StatusNotification."""

    command: Literal["TriggerMessage"]
    message: Word
    evse: EvseNumber | None = None
    connector: ConnectorNumber | None = None


class ChangeAvailability(Form):
    """Into service (`operative` true) or out of it: the station, one EVSE or one connector."""

    command: Literal["ChangeAvailability"]
    operative: bool
    evse: EvseNumber | None = None
    connector: ConnectorNumber | None = None


class VariableValue(Form):
    """One value to set. OCPP 1.6 has configuration keys (`name`) and no component."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    value: Annotated[str, Field(max_length=2500)]
    component: Annotated[str, Field(max_length=100)] = ""


class SetVariables(Form):
    """Set configuration keys (1.6) or variables (2.x)."""

    command: Literal["SetVariables"]
    values: Annotated[list[VariableValue], Field(min_length=1, max_length=100)]


class GetVariables(Form):
    """Read configuration keys (1.6: `Key`) or variables (2.x: `Component.Variable`). None: all (1.6)."""

    command: Literal["GetVariables"]
    names: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=100, default_factory=list)
    ]


class GetBaseReport(Form):
    """Have the station report its device model; it arrives in later messages."""

    command: Literal["GetBaseReport"]
    base: Literal["FullInventory", "ConfigurationInventory", "SummaryInventory"] = "FullInventory"


class AskTransaction(Form):
    """Ask how a session stands, as its station sees it: is it ongoing, do messages about it wait to be sent
    (OCPP 2.x). The answer is kept with the session's evidence.
    """

    command: Literal["AskTransaction"]
    session_id: SessionNumber


class ClearCache(Form):
    """Empty the station's authorization cache."""

    command: Literal["ClearCache"]


def _shallow(data: Any) -> Any:
    # One level is the command's own.
    if is_too_deep([data]):
        raise ValueError(f"has more than {DEEPEST - 1} levels")
    return data


class SendData(Form):
    """DataTransfer to the station."""

    command: Literal["SendData"]
    vendor_id: Annotated[str, Field(min_length=1, max_length=255)]
    message_id: Annotated[str, Field(max_length=50)] | None = None
    data: Annotated[Any, AfterValidator(_shallow)] = None


CommandForm = Annotated[
    StartSession
    | StopSession
    | Reset
    | UnlockConnector
    | TriggerMessage
    | ChangeAvailability
    | SetVariables
    | GetVariables
    | GetBaseReport
    | AskTransaction
    | ClearCache
    | SendData,
    Field(discriminator="command"),
]

EXAMPLES: dict[str, dict[str, Any]] = {
    "StartSession": {"command": "StartSession", "id_token": "A1", "evse": 1, "connector": 1},
    "StopSession": {"command": "StopSession", "session_id": "1000000000001"},
    "Reset": {"command": "Reset", "kind": "soft"},
    "UnlockConnector": {"command": "UnlockConnector", "evse": 1},
    "TriggerMessage": {"command": "TriggerMessage", "message": "StatusNotification", "evse": 1},
    "ChangeAvailability": {"command": "ChangeAvailability", "operative": False, "evse": 1},
    "SetVariables": {
        "command": "SetVariables",
        "values": [{"component": "SampledDataCtrlr", "name": "TxUpdatedInterval", "value": "60"}],
    },
    "GetVariables": {"command": "GetVariables", "names": ["HeartbeatInterval"]},
    "GetBaseReport": {"command": "GetBaseReport", "base": "FullInventory"},
    "AskTransaction": {"command": "AskTransaction", "session_id": "1000000000001"},
    "ClearCache": {"command": "ClearCache"},
    "SendData": {"command": "SendData", "vendor_id": "com.example", "message_id": "hello", "data": "text"},
}

RESET_KINDS = {"soft": "on-idle", "hard": "immediate", "on-idle": "on-idle", "immediate": "immediate"}


def _set_variables(form: SetVariables) -> Command:
    return commands.SetVariables(
        tuple(commands.SetVariable(each.name, each.value, each.component) for each in form.values)
    )


# (body, transaction of the session it names, number of the command) -> command
MAKERS: dict[str, Callable[[Any, str, int], Command]] = {
    "StartSession": lambda form, _, number: commands.StartSession(
        form.id_token, form.token_type, form.evse, form.connector, remote_start_id=number
    ),
    "StopSession": lambda form, transaction_id, _: commands.StopSession(transaction_id),
    "AskTransaction": lambda form, transaction_id, _: commands.AskTransaction(transaction_id),
    "Reset": lambda form, *_: commands.Reset(RESET_KINDS[form.kind], form.evse),
    "SetVariables": lambda form, *_: _set_variables(form),
    "GetVariables": lambda form, *_: commands.GetVariables(tuple(form.names)),
    "GetBaseReport": lambda form, _, number: commands.GetBaseReport(number, form.base),
}


def to_command(form: Any, *, transaction_id: str, number: int) -> Command:
    """The command a body asks for. `number` is the command's own, by which stations refer to it."""
    maker = MAKERS.get(form.command)
    if maker is not None:
        return maker(form, transaction_id, number)
    # The rest have the same fields here and there.
    kind: type[Command] = getattr(commands, form.command)
    return kind(**form.model_dump(exclude={"command"}))


FORMS: tuple[type[Form], ...] = (
    StartSession, StopSession, Reset, UnlockConnector, TriggerMessage, ChangeAvailability,
    SetVariables, GetVariables, GetBaseReport, AskTransaction, ClearCache, SendData,
)  # fmt: skip

OF_SESSION = (StopSession, AskTransaction)
"""Name a session, and so are for one station only."""


def forms_of(version: OcppVersion) -> list[dict[str, Any]]:
    """Each command that a station of this version takes, with the JSON Schema of its body."""
    return [
        {
            "command": form.__name__,
            "description": form.__doc__ or "",
            "body": _narrowed(form.model_json_schema(), form, version),
            "example": EXAMPLES[form.__name__],
        }
        for form in FORMS
        if form is not AskTransaction or version is not OcppVersion.V16
    ]


def _narrowed(schema: dict[str, Any], form: type[Form], version: OcppVersion) -> dict[str, Any]:
    """Without what the version does not know: 1.6 resets no single EVSE, 2.x does not read all at once."""
    is_16 = version is OcppVersion.V16
    fields = schema["properties"]
    if form is Reset:
        fields["kind"]["enum"] = ["soft", "hard"] if is_16 else ["on-idle", "immediate"]
        fields["kind"]["default"] = fields["kind"]["enum"][0]
        if is_16:
            del fields["evse"]
    elif form is GetVariables and not is_16:
        fields["names"]["minItems"] = 1
        schema["required"] = [*schema.get("required", ()), "names"]
    elif form is UnlockConnector and is_16:
        del fields["connector"]
    return schema
