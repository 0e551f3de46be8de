"""Values that settings may have, and those they may not."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from csms.config_values import AesKey, Port, Positive, Seconds, SecretsKey


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Positive, 1),
        (Seconds, 0.5),
        (Port, 0),
        (Port, 65535),
        (AesKey, "0123456789abcdef"),
        (SecretsKey, ""),
        (SecretsKey, "x" * 32),
    ],
)
def test_possible(kind: Any, value: Any) -> None:
    """At the edges too."""
    TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Positive, 0),
        (Seconds, 0),
        (Port, 65536),
        (Port, -1),
        (AesKey, "x" * 15),
        (AesKey, "é" * 16),
        (SecretsKey, "x" * 31),
    ],
)
def test_impossible(kind: Any, value: Any) -> None:
    """A key is counted in bytes."""
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)
