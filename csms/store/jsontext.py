"""Structures as the database keeps them: compact JSON text. Knows no table."""

from typing import Any

import msgspec

_encode = msgspec.json.Encoder(enc_hook=str).encode


def json_of(value: Any) -> str:
    """Compact JSON text; times in ISO form, anything unknown as its text."""
    return _encode(value).decode()


def value_of(text: str) -> Any:
    """What `json_of` wrote down."""
    return msgspec.json.decode(text)
