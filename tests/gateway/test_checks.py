"""What a message is refused for before its payload is looked at."""

import pytest

from csms.domain.assets import BootStatus, OcppVersion
from csms.gateway.checks import refuse_early
from csms.gateway.desk import Refused
from csms.handlers.context import StationState
from tests.gateway.kit import START, VERSIONS, MemoryDesk, codes, dialect, parts_of


@pytest.mark.parametrize("version", VERSIONS)
async def test_reasons_and_their_order(version: OcppVersion) -> None:
    """The gate first, then the action, then the size."""
    desk = MemoryDesk()
    parts = parts_of(desk, max_small_message_bytes=100)
    accepted = StationState(desk.register("CS-1"), dialect(version), 1)
    pending = StationState(desk.register("CS-2", boot_status=BootStatus.PENDING), dialect(version), 1)

    def code_of(state: StationState, action: str, size: int) -> str:
        try:
            refuse_early(parts, state, action, size)
        except Refused as refused:
            return refused.code
        return ""

    assert code_of(accepted, "Heartbeat", 100) == ""
    assert code_of(pending, "Nonsense", 1_000) == codes(version).security
    assert code_of(pending, "BootNotification", 100) == ""
    assert code_of(accepted, "Nonsense", 1_000) == "NotImplemented"
    assert code_of(accepted, "Reset", 1_000) == "NotSupported"
    assert code_of(accepted, "Heartbeat", 101) == "PropertyConstraintViolation"
    assert code_of(accepted, START[version], 1_000) == ""
