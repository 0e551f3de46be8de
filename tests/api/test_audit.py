"""What is hidden in audit entries, and what stays."""

from typing import Any

import pytest

from csms.api.audit import digest_of
from csms.domain.redaction import redacted

SECRET = "canary-0123456789"


@pytest.mark.parametrize(
    "details",
    [
        {"password": SECRET},
        {"basicAuthPassword": SECRET},
        {"key": "AuthorizationKey", "value": SECRET},
        {"values": [{"name": "BasicAuthPassword", "component": "SecurityCtrlr", "value": SECRET}]},
        {
            "setVariableData": [
                {
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                    "attributeValue": SECRET,
                }
            ]
        },
        {"connectionData": {"apn": {"apnPassword": SECRET}, "vpn": {"password": SECRET}}},
    ],
)
def test_passwords_are_hidden(details: dict[str, Any]) -> None:
    """Wherever OCPP carries one."""
    assert SECRET not in str(redacted(details))


def test_everything_else_stays() -> None:
    """What was changed can be told from the entry."""
    details = {
        "key": "HeartbeatInterval",
        "value": "60",
        "list": [1, {"name": "x", "value": "y"}],
        "none": None,
    }

    assert redacted(details) == details


def test_a_digest_names_a_body() -> None:
    """The same whatever the order of its fields; another for another value."""
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
