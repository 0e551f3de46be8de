"""Kinds of values that settings have, and what makes one of them impossible. Knows no setting."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

AES_KEY_BYTES = 16
FEWEST_LETTERS = 32  # of a key that encrypts what we keep

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]  # 0: the system picks one (tests)


def _checked_key(secret: SecretStr) -> SecretStr:
    # AES-128 takes bytes: sixteen letters with an accent are more.
    n = len(secret.get_secret_value().encode())
    if n != AES_KEY_BYTES:
        raise ValueError(f"{n} bytes; an AES-128 key has {AES_KEY_BYTES}")
    return secret


def _long_enough(secret: SecretStr) -> SecretStr:
    if 0 < len(secret.get_secret_value()) < FEWEST_LETTERS:
        raise ValueError(f"use {FEWEST_LETTERS} characters or more that nobody can guess, or none")
    return secret


AesKey = Annotated[SecretStr, AfterValidator(_checked_key)]
SecretsKey = Annotated[SecretStr, AfterValidator(_long_enough)]


class Section(BaseModel):
    """A part of the settings: what is not known in it is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
