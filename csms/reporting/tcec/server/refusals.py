"""Why a platform's request is not served, as T/CEC 102 numbers it. Its people read the text in Msg."""

from csms.errors import CsmsError

BUSY, DONE, FAILED = -1, 0, 500
SIGNATURE, TOKEN, PARAMETERS, BUSINESS = 4001, 4002, 4003, 4004


class Refusal(CsmsError):
    """The platform's request was refused."""

    def __init__(self, ret: int, msg: str) -> None:
        super().__init__(ret, msg)
        self.ret, self.msg = ret, msg


def bad_signature() -> Refusal:
    """Sig was made with another SigSecret, or of other fields."""
    return Refusal(SIGNATURE, "Sig does not belong to OperatorID, Data, TimeStamp and Seq")


def bad_token() -> Refusal:
    """No token, one that has ended, or one of somebody else."""
    return Refusal(TOKEN, "the access token is missing, unknown or has ended; call query_token")


def bad_parameter(what: str) -> Refusal:
    """Something outside the payload is wrong, or the payload cannot be had."""
    return Refusal(PARAMETERS, what)


def bad_business(what: str) -> Refusal:
    """The payload says something that this interface cannot use."""
    return Refusal(BUSINESS, what)


def busy(what: str) -> Refusal:
    """Later it may work."""
    return Refusal(BUSY, what)
