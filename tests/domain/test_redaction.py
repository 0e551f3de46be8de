"""Passwords do not get into logs, whatever version's words they stand in."""

from typing import Any

import pytest

from csms.domain.redaction import redacted

SECRET = "canary-4711-canary"


@pytest.mark.parametrize(
    "payload",
    [
        {"password": SECRET},
        {"key": "AuthorizationKey", "value": SECRET},
        {
            "setVariableData": [
                {
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                    "attributeValue": SECRET,
                }
            ]
        },
        {"connectionData": {"apn": {"apnPassword": SECRET}, "vpn": {"server": "x", "key": SECRET}}},
    ],
)
def test_a_password_is_hidden(payload: dict[str, Any]) -> None:
    """By the name of its field or of its variable."""
    assert SECRET not in str(redacted(payload))


def test_everything_else_stays() -> None:
    """A value is hidden for its name, not for its look."""
    payload = {"key": "HeartbeatInterval", "value": SECRET, "list": [1, {"a": None}]}

    assert redacted(payload) == payload
