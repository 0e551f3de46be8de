"""Building blocks of request and response models: kinds of text, numbers and pages. Knows no resource."""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

LAST_INT64 = 2**63 - 1
FIRST_YEAR, LAST_YEAR = 2000, 2200


def is_printable(text: str) -> bool:
    """Whether it has no control characters."""
    # NUL is refused by PostgreSQL; the others have no business in a name.
    return not any(ord(letter) < 32 or ord(letter) == 127 for letter in text)


def _printable(text: str) -> str:
    if not is_printable(text):
        raise ValueError("must not contain control characters")
    return text


def _plausible(at: datetime) -> datetime:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"must be between the years {FIRST_YEAR} and {LAST_YEAR}")
    return at


def _zone_or_none(name: str) -> str:
    return name and _zone(name)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError("is not an IANA time zone such as Asia/Shanghai") from exc
    return name


NAME_LONGEST = 200

Text = Annotated[str, StringConstraints(max_length=200), AfterValidator(_printable)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LONGEST), AfterValidator(_printable)]
PersonName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LONGEST),
    AfterValidator(_printable),
]
Code = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_printable)]
OperatorCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{9}$")]
# OCPP-J: at most 48 characters, no colon; these letters need no escape in a URL path.
Identity = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._=+@*|-]{1,48}$")]
TokenText = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_printable)]
ZoneName = Annotated[str, StringConstraints(max_length=64), AfterValidator(_printable), AfterValidator(_zone)]
# Empty: the network's.
OwnZoneName = Annotated[
    str, StringConstraints(max_length=64), AfterValidator(_printable), AfterValidator(_zone_or_none)
]
Instant = Annotated[AwareDatetime, AfterValidator(_plausible)]
EvseNumber = Annotated[int, Field(ge=0, le=65_535)]


def with_examples(*examples: Any) -> ConfigDict:
    """The configuration of a model that shows `examples` in the OpenAPI document."""
    return ConfigDict(json_schema_extra={"examples": list(examples)})


class Form(BaseModel):
    """A request body: what is not known is refused, so that a misspelt field cannot be ignored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class View(BaseModel):
    """A response body."""

    model_config = ConfigDict(extra="ignore")


T = TypeVar("T")


class Page(View, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(
        default=None, description="Give this as `after` to read on; null when this is the end."
    )
