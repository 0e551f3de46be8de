"""Numbers of refusals, as T/CEC 102 has them."""

import pytest

from csms.reporting.tcec.server import refusals
from csms.reporting.tcec.server.refusals import Refusal


@pytest.mark.parametrize(
    ("refusal", "ret"),
    [
        (refusals.busy("later"), -1),
        (refusals.bad_signature(), 4001),
        (refusals.bad_token(), 4002),
        (refusals.bad_parameter("what"), 4003),
        (refusals.bad_business("what"), 4004),
    ],
)
def test_every_refusal_has_its_number_and_a_reason(refusal: Refusal, ret: int) -> None:
    """Both go to the platform."""
    assert (refusal.ret, bool(refusal.msg)) == (ret, True)
    assert refusal.msg in str(refusal)
