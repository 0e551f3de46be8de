"""What we ask of the WebSocket library."""

import pytest

from csms.config import GatewaySettings
from csms.gateway import fastpath
from csms.gateway.library import SocketLimits, StationProtocol


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["ocpp2.0.1", "ocpp1.6"], "ocpp2.0.1"),
        (["ocpp1.6", "ocpp2.1"], "ocpp1.6"),
        (["ocpp3", "ocpp2.1"], "ocpp2.1"),
        (["OCPP1.6"], None),
        ([], None),
    ],
)
def test_h28_the_stations_order_decides(offered: list[str], chosen: str | None) -> None:
    """H27, H28: the first we know, or none."""
    assert StationProtocol(1000, True).select_subprotocol(offered) == chosen


def test_the_fast_path_needs_the_known_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version is served through the library alone."""
    assert SocketLimits.of(GatewaySettings()).fast_path
    assert not SocketLimits.of(GatewaySettings(fast_path=False)).fast_path

    monkeypatch.setattr(fastpath, "version", "18.0")

    assert not SocketLimits.of(GatewaySettings()).fast_path
