"""What a station's answer to a command means, by its status word. The words of all versions; pure."""

from csms.domain.commands import Outcome, Result
from csms.domain.events import VariableReported
from csms.protocol.dialect import Payload
from csms.protocol.words import dashed

_RESULTS = {
    "Accepted": Result.ACCEPTED,
    "Scheduled": Result.ACCEPTED,
    "RebootRequired": Result.ACCEPTED,
    "Unlocked": Result.ACCEPTED,
    "EmptyResultSet": Result.ACCEPTED,
    "NotSupported": Result.NOT_SUPPORTED,
    "NotImplemented": Result.NOT_SUPPORTED,
    "NotSupportedAttributeType": Result.NOT_SUPPORTED,
    "UnlockFailed": Result.FAILED,
    "Failed": Result.FAILED,
}
_WORST_LAST = (Result.ACCEPTED, Result.NOT_SUPPORTED, Result.REJECTED, Result.FAILED)


def result_of(status: str) -> Result:
    """A status word's result. Any word that is no kind of yes is a refusal."""
    return _RESULTS.get(status, Result.REJECTED)


def by_status(payload: Payload, variables: tuple[VariableReported, ...] = ()) -> Outcome:
    """The outcome of an answer with one `status` (none: the station merely took note)."""
    status = payload.get("status", "Accepted")
    return Outcome(result_of(status), payload, _reason(status, payload.get("statusInfo")), variables)


def by_each(
    payload: Payload, results: list[tuple[str, str, Payload | None]], variables: tuple[VariableReported, ...]
) -> Outcome:
    """The outcome of an answer with a status for each of several things: (name, status, statusInfo).

    The worst of them decides, because the command was not carried out as a whole.
    """
    worst = max(
        (result_of(status) for _, status, _ in results), key=_WORST_LAST.index, default=Result.ACCEPTED
    )
    reasons = ((name, _reason(status, info)) for name, status, info in results)
    return Outcome(worst, payload, "; ".join(f"{name}: {why}" for name, why in reasons if why), variables)


def _reason(status: str, info: Payload | None) -> str:
    words = "" if status in {"Accepted", "Unlocked"} else dashed(status)
    if not info:
        return words
    told = " ".join(str(info[part]) for part in ("reasonCode", "additionalInfo") if info.get(part))
    return f"{words}: {told}" if words else told
