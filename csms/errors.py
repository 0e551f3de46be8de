"""One error tree. The docstring is the message; ids and details are arguments.

CsmsError
├── ConfigError              config.yaml or the environment is wrong
├── NotFound                 no such record (or not one the caller may see)
├── Conflict                 the record exists with other contents
│   └── Superseded           the platform has taken a newer record of the same thing
├── InvalidInput             a value that cannot be used; says which and why
├── StoreError
│   ├── StoreUnavailable     the database does not take writes; nothing was stored
│   └── StaleEpoch           a newer connection of the station owns its sessions
├── CourierError
│   ├── StationNotConnected  no node holds this charging station
│   ├── StationSilent        the command was sent and not answered in time
│   └── CommandQueueFull     too many commands wait for this station
├── DoorBusy                 too many passwords wait to be looked at
└── CommandNotSupported      this OCPP version has no such command
"""


class CsmsError(Exception):
    """Something this program can name went wrong."""

    def __str__(self) -> str:
        text = (self.__doc__ or "").strip().splitlines()[0]
        return " ".join([text, *map(str, self.args)])


class ConfigError(CsmsError):
    """The configuration is wrong:"""


class NotFound(CsmsError):
    """There is no such record:"""


class Conflict(CsmsError):
    """The record exists with other contents:"""


class Superseded(Conflict):
    """The platform has taken a newer record of the same thing:"""


class InvalidInput(CsmsError):
    """This value cannot be used:"""


class StoreError(CsmsError):
    """The store refused."""


class StoreUnavailable(StoreError):
    """The database does not take writes; nothing was stored."""


class StaleEpoch(StoreError):
    """A newer connection of this charging station owns its sessions:"""


class CourierError(CsmsError):
    """The command did not get its answer."""


class StationNotConnected(CourierError):
    """No node holds this charging station:"""


class StationSilent(CourierError):
    """The command was sent and not answered in time:"""


class CommandQueueFull(CourierError):
    """Too many commands wait for this charging station:"""


class DoorBusy(CsmsError):
    """Too many people sign in just now; try again in some seconds."""


class CommandNotSupported(CsmsError):
    """This command does not exist in the station's OCPP version:"""
