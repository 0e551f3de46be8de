"""Settings of streams, webhooks and alarms: impossible values are refused, careful ones are the default."""

import pytest
from pydantic import ValidationError

from csms.config_live import AlarmSettings, LiveSettings, WebhookSettings


def test_webhooks_stay_out_of_our_network_unless_told_otherwise() -> None:
    """Both must be asked for."""
    assert (WebhookSettings().private_addresses, WebhookSettings().plain_http) == (False, False)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (LiveSettings, {"max_readers": 0}), (LiveSettings, {"heartbeat_s": 0}),
        (LiveSettings, {"max_readers_each": 0}),
        (WebhookSettings, {"batch": -1}),
        (AlarmSettings, {"disk_free": 1.5}), (AlarmSettings, {"nonsense": 1}),
    ],
)  # fmt: skip
def test_impossible_values(kind: type, values: dict[str, float]) -> None:
    """Refused when the program starts."""
    with pytest.raises(ValidationError):
        kind(**values)
