"""What every part of a platform profile is made from: names, times, codes, an interface's path."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

UrlPath = Annotated[str, Field(pattern=r"^(/?[A-Za-z0-9._~-]+)(/[A-Za-z0-9._~-]+)*$")]
BasePath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$")]
WireName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Seconds = Annotated[float, Field(gt=0, le=604_800)]
Offset = Annotated[float, Field(ge=0, lt=604_800)]
Places = Annotated[int, Field(ge=0, le=6)]
Code = Annotated[int, Field(ge=-1, le=99_999)]
Count = Annotated[int, Field(gt=0, le=100_000)]
ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-4]):[0-5][0-9]$")]
Waits = Annotated[tuple[Seconds, ...], Field(min_length=1, max_length=50)]


def dashed(name: str) -> str:
    """A profile's spelling of a name in Python."""
    return name.replace("_", "-")


class Part(BaseModel):
    """Unknown keys are refused, and nothing changes at run time."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Repeat(Part):
    """Told again every `every_s` seconds, counted from `offset_s` after midnight in China."""

    every_s: Annotated[float, Field(ge=1, le=604_800)]
    offset_s: Offset = 0


class Interface(Part):
    """A path, and spelling on top of the profile's.

    `path` is under the profile's base path, or from the server's root when it begins with a slash.
    """

    path: UrlPath
    spelling: dict[str, WireName] = Field(default_factory=dict)
