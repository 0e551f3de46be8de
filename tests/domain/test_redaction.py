"""Passwords do not get into logs, whatever version's words they stand in."""

from collections.abc import Callable
from typing import Any

import pytest

from csms.domain.redaction import DEEPEST, host_alone, is_too_deep, redacted

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


@pytest.mark.parametrize("wrap", [lambda one: [one], lambda one: {"a": one}])
def test_nobody_looks_into_the_abyss(wrap: Callable[[Any], Any]) -> None:
    """As deep as is looked a password is hidden; what lies deeper is hidden as a whole."""
    value: Any = {"password": SECRET, "kept": 1}
    for _ in range(DEEPEST - 1):
        value = wrap(value)
    assert not is_too_deep(value)
    assert SECRET not in str(redacted(value))
    assert "kept" in str(redacted(value))

    for _ in range(20_000):
        value = wrap(value)
    assert is_too_deep(value)
    assert "kept" not in str(redacted(value))


def test_everything_else_stays() -> None:
    """A value is hidden for its name, not for its look."""
    payload = {"key": "HeartbeatInterval", "value": SECRET, "list": [1, {"a": None}]}

    assert redacted(payload) == payload


def test_a_url_is_cut_behind_its_host() -> None:
    """Paths, queries and passwords may be secrets."""
    assert host_alone("https://a:b@files.example.com:8443/x?y=z") == "https://files.example.com:8443"
