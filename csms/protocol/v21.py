"""OCPP 2.1 as differences from the 2.0.1 tables. Knows payloads and our words; no frame, no session.

Events of 2.1 are read by 2.1's own schemas: more measurands, token types of any name, optional parts of a
signature. What is new in them beyond that (operation modes, costs) no event carries yet.
"""

from collections.abc import Callable
from typing import Any

from csms.domain.assets import OcppVersion
from csms.domain.commands import Command, Reset, TriggerMessage
from csms.protocol import schema, v201, v201_commands
from csms.protocol.dialect import Dialect
from csms.protocol.v201_commands import Calls

_RESETS = v201_commands.RESETS | {"immediate-and-resume": "ImmediateAndResume"}
_TRIGGERS = frozenset(
    {
        *("BootNotification", "LogStatusNotification", "FirmwareStatusNotification", "Heartbeat"),
        *("MeterValues", "SignChargingStationCertificate", "SignV2GCertificate", "SignV2G20Certificate"),
        *("StatusNotification", "TransactionEvent", "SignCombinedCertificate"),
        "PublishFirmwareStatusNotification",
    }
)


def _trigger(c: TriggerMessage) -> Calls:
    payload = v201_commands.trigger_payload(c)
    if c.message not in _TRIGGERS:
        payload |= {"requestedMessage": "CustomTrigger", "customTrigger": c.message}
    return [("TriggerMessage", payload)]


READ = v201.READ
WRITE: dict[type, Callable[[Any], Calls]] = v201_commands.WRITE | {
    Reset: lambda c: v201_commands.reset_call(c, _RESETS),
    TriggerMessage: _trigger,
}


def write(command: Command) -> Calls:
    """A command as the CALLs that carry it. Raises CommandNotSupported and InvalidInput."""
    return WRITE[type(command)](command)


DIALECT = Dialect(
    version=OcppVersion.V21,
    errors=v201.ERRORS,
    read=READ,
    reply=v201.reply,
    write=write,
    outcome=v201_commands.outcome,
    transaction_actions=frozenset({"TransactionEvent"}),
    known_actions=schema.actions(OcppVersion.V21),
    plain=v201.DIALECT.plain,
    has_send=True,
)
