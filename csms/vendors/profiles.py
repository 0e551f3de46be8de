"""Vendor profiles: their schema, and how one is found. The knowledge itself is in `data/*.yaml`.

A profile says only what differs from an ordinary station. `match` holds regular expressions that must fit
the whole of what BootNotification says, in any case; what is left out fits everything. Files are read in
the order of their names and profiles in the order of their file; the first that matches is taken, so the
special one stands before the general.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, cached_property, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal

import msgspec
import yaml

from csms.errors import ConfigError
from csms.protocol.repairs import STANDARD, Repairs

Cap = Annotated[int, msgspec.Meta(ge=1, le=65_536)]


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which stations a profile is for."""

    vendor: str
    model: str = ".*"
    firmware: str = ".*"

    def fits(self, vendor: str, model: str, firmware: str) -> bool:
        """Whether the station is one of them."""
        pairs = ((self.vendor, vendor), (self.model, model), (self.firmware, firmware))
        return all(re.fullmatch(pattern, text, re.IGNORECASE) for pattern, text in pairs)


class Lenience(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to put up with beyond the standard. Names are property names of the schemas.

    `aliases`: property -> word as sent -> the schema's word. `limits`: characters accepted of a property.
    `token`: a regular expression for the whole of an id token, whose group `card` is the token itself.
    """

    aliases: dict[str, dict[str, str]] = {}
    limits: dict[str, Cap] = {}
    refuse_unknown_properties: bool = False
    token: str = ""


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One make of charging station.

    `sources`: where its behaviour was seen. `ping_s`: seconds between pings, for stations that drop a
    quiet line. `register`: whether energy readings inside a session count from the meter's making
    (`lifetime`) or from the session's start (`session`). `caps`: characters of a property we may send.
    """

    name: str
    match: Match
    sources: list[str]
    notes: str = ""
    ping_s: Annotated[int, msgspec.Meta(ge=5, le=600)] | None = None
    register: Literal["lifetime", "session"] = "lifetime"
    caps: dict[str, Cap] = {}
    lenience: Lenience = Lenience()

    @cached_property
    def repairs(self) -> Repairs:
        """What `schema.decode` is to put up with."""
        own, aliases = self.lenience, dict(STANDARD.aliases)
        for name, words in own.aliases.items():
            folded = {word.lower(): meant for word, meant in words.items()}
            aliases[name] = {**aliases.get(name, {}), **folded}
        return replace(
            STANDARD,
            aliases=aliases,
            limits=own.limits,
            extra=not own.refuse_unknown_properties,
            token=re.compile(own.token) if own.token else None,
        )


ORDINARY = Profile(name="ordinary", match=Match(vendor=".*"), sources=[])


@lru_cache(maxsize=4096)
def profile_for(vendor: str, model: str = "", firmware: str = "") -> Profile:
    """The profile of a station that calls itself so; ORDINARY if there is none."""
    return next((p for p in _own() if p.match.fits(vendor, model, firmware)), ORDINARY)


def profile_named(name: str) -> Profile | None:
    """The profile of this name, for a station that is registered with it; None if there is none."""
    return next((p for p in _own() if p.name == name), None)


def load(files: Iterable[Traversable]) -> tuple[Profile, ...]:
    """The profiles in these YAML files, in order. Raises ConfigError naming file and place."""
    return tuple(profile for file in files for profile in _read(file))


@cache
def _own() -> tuple[Profile, ...]:
    folder = resources.files(__package__) / "data"
    found = [file for file in folder.iterdir() if file.name.endswith(".yaml")]
    return load(sorted(found, key=lambda file: file.name))


def _read(file: Traversable) -> list[Profile]:
    try:
        data: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        profiles = msgspec.convert(data, list[Profile])
        for profile in profiles:
            for pattern in (profile.match.vendor, profile.match.model, profile.match.firmware):
                re.compile(pattern)
            if profile.lenience.token and "card" not in re.compile(profile.lenience.token).groupindex:
                raise ConfigError(f"vendor profile {file.name}: {profile.name}: token: has no group `card`")
    except (yaml.YAMLError, msgspec.ValidationError, re.error) as exc:
        raise ConfigError(f"vendor profile {file.name}: {exc}") from exc
    return profiles
