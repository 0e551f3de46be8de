"""Words for how far a session's figures can be trusted. Knows no session and no meter."""

from enum import StrEnum


class EnergySource(StrEnum):
    """Where the energy figure comes from, best first."""

    REGISTERS = "registers"  # 1.6 meterStart/meterStop
    BEGIN_END = "begin-end"  # readings in context transaction.begin and transaction.end
    PERIODIC = "periodic"  # first and last register reading
    INTERVAL = "interval"  # sum of interval readings
    NONE = "none"


class Flag(StrEnum):
    """What makes a session worth a second look. Kept sorted on the session."""

    REJECTED_START = "rejected-start"  # started although the token was not accepted
    ORPHAN_STOP = "orphan-stop"  # a stop whose start never came
    PROVISIONAL = "provisional"  # known only from later messages so far
    NO_STOP = "no-stop"  # closed by other evidence than its own stop
    GAP = "gap"  # sequence numbers are missing
    SEQ_CONFLICT = "seq-conflict"  # one sequence number, two payloads
    TRANSACTION_ID_REUSED = "transaction-id-reused"
    REGISTER_RESET = "register-reset"  # the register fell; monotone segments were added up
    SESSION_REGISTER = "session-register"  # samples count from zero, start and stop do not
    STOP_BELOW_START = "stop-below-start"  # the two registers give no energy
    IMPLAUSIBLE_ENERGY = "implausible-energy"  # more than the connector can deliver
    UNREADABLE_VALUE = "unreadable-value"
    UNKNOWN_UNIT = "unknown-unit"
    CLOCK = "clock"  # the station's time was unusable or ran backwards; arrival time used
    BAD_CONNECTOR = "bad-connector"  # a connector number that cannot be
    LATE_DATA = "late-data"  # something arrived after the end
    CLOSED_BY_HAND = "closed-by-hand"  # a person said when and with what it ended
    STOP_ATTACHED = "stop-attached"  # a person said that an orphan stop is its own
    DISMISSED = "dismissed"  # an orphan stop that a person has dealt with
    ESTIMATED = "estimated"  # the end is what the evidence says, not what the station said
