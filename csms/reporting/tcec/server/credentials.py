"""query_token: a token for whoever knows the secret of this direction. Knows no envelope."""

import hmac
from datetime import datetime
from typing import Any

from csms.reporting.tcec.server.asks import TokenAsk
from csms.reporting.tcec.server.inbound import Inbound

NO_SUCH_OPERATOR, WRONG_SECRET = 1, 2


def query_token(platform: Inbound, ask: TokenAsk, now: datetime) -> dict[str, Any]:
    """The answer's body; a refusal is an answer too, with an empty token."""
    failure = _failure(platform, ask)
    return {
        "OperatorID": ask.operator_id,
        "SuccStat": 1 if failure else 0,
        "AccessToken": "" if failure else platform.mint.make(now),
        "TokenAvailableTime": 0 if failure else platform.mint.lives_s,
        "FailReason": failure,
    }


def _failure(platform: Inbound, ask: TokenAsk) -> int:
    if ask.operator_id != platform.city_id:
        return NO_SUCH_OPERATOR
    same = hmac.compare_digest(ask.operator_secret.encode(), platform.secret.encode())
    return 0 if same else WRONG_SECRET
