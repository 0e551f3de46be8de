"""Profiles of city platforms: which interfaces each has, and the field tables of each. YAML into tables.

The tables were written from the standard and the platforms' own documents, so that they can judge a system
that was written from them too. `extends` merges over another profile; null takes a field or interface away.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from simulators.city_fields import BadTable, Scope, Table, Violation
from simulators.city_rules import RULES, Rule

FOLDER = Path(__file__).with_name("city_profiles")
SETTINGS = {
    "base_path",
    "any_path",
    "window_s",
    "refuse_replays",
    "refuse_unknown_fields",
    "refuse_inconsistent",
    "token_life_s",
    "text_ret",
    "duplicate_ret",
    "answer_operator",
}
HERE = {*SETTINGS, "extends", "name", "title", "paths", "records", "pushes", "queries", "respell"}


class ProfileError(Exception):
    """The city has no such profile, or its file is not as it should be."""

    def __str__(self) -> str:
        return " ".join([str(type(self).__doc__), *map(str, self.args)])


@dataclass(frozen=True)
class Interface:
    """One interface. `answer` are the words of a push's answer, `answer_table` the fields of a query's."""

    name: str
    path: str
    body: Table
    rules: tuple[Rule, ...]
    keeps: str = ""
    key: str = ""
    energy: str = ""
    answer: Mapping[str, str] = field(default_factory=dict)
    answer_table: Table | None = None


@dataclass(frozen=True)
class Profile:
    """One platform. `pushes` by path, other spellings too; `queries` by interface name."""

    name: str
    title: str
    base_path: str
    pushes: Mapping[str, Interface]
    queries: Mapping[str, Interface]
    query_token: Interface
    any_path: bool
    window_s: float | None
    refuse_replays: bool
    refuse_unknown_fields: bool
    refuse_inconsistent: bool
    token_life_s: int
    text_ret: frozenset[str]
    duplicate_ret: int
    answer_operator: bool

    def push(self, path: str) -> Interface | None:
        """The push interface behind a path."""
        if not self.any_path:
            return self.pushes.get(path)
        last = path.rpartition("/")[2]
        return next((one for one in self.pushes.values() if one.name == last), None)

    def is_token_path(self, path: str) -> bool:
        """Whether a token is asked for here."""
        wanted = self.query_token.path
        return path == wanted or (self.any_path and path.endswith("/query_token"))

    def fields_wrong(self, one: Interface, body: Any, *owners: str) -> list[Violation]:
        """Every field of a request that is not as its table asks. `owners` may begin serial numbers."""
        return list(one.body.check(body, Scope(owners, self.refuse_unknown_fields)))

    def answer_wrong(
        self, one: Interface, body: Any, asked: Mapping[str, Any], *owners: str
    ) -> list[Violation]:
        """Everything wrong with an operator's answer: its fields, and where those hold its figures."""
        assert one.answer_table is not None
        wrong = list(one.answer_table.check(body, Scope(owners, self.refuse_unknown_fields)))
        return wrong or [found for rule in one.rules for found in rule(body, asked)]


def shipped() -> list[str]:
    """The profiles there are."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


@cache
def load(name: str) -> Profile:
    """A profile by its name. Raises ProfileError."""
    if name not in shipped():
        raise ProfileError(f"{name}: there are {', '.join(shipped())}")
    raw = _merged(name)
    try:
        return _profile(raw)
    except (BadTable, KeyError, TypeError, AttributeError) as exc:
        raise ProfileError(f"{name}: {exc!r}") from exc


def _merged(name: str) -> dict[str, Any]:
    raw: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    if unknown := raw.keys() - HERE:
        raise ProfileError(f"{name}: unknown keys {', '.join(sorted(unknown))}")
    return _over(_merged(raw["extends"]), raw) if "extends" in raw else raw


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`. A field replaces the same field whether or not it may be left out."""
    merged = dict(below)
    for name, value in above.items():
        old = next((known for known in merged if _bare(known) == _bare(name)), name)
        before = merged.get(old)
        if old != name and old in merged:
            del merged[old]
        merged[name] = _over(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def _bare(name: str) -> str:
    return name.rstrip("?").partition("|")[0]


def _profile(raw: dict[str, Any]) -> Profile:
    records: dict[str, Table] = {}
    rows = {name: _respelt(fields, raw) for name, fields in raw["records"].items() if fields}
    records |= {name: Table(fields, records) for name, fields in rows.items()}
    pushes: dict[str, Interface] = {}
    for name, one in raw["pushes"].items():
        if one is not None:
            made = _interface(name, one, raw, rows, records)
            folder = made.path.rpartition("/")[0]
            # Another spelling stands in the same folder unless it is a whole path.
            also = (other if other.startswith("/") else f"{folder}/{other}" for other in one.get("also", ()))
            pushes |= dict.fromkeys([made.path, *also], made)
    queries = {
        name: _interface(name, one, raw, rows, records)
        for name, one in raw["queries"].items()
        if one is not None
    }
    settings = {name: raw[name] for name in SETTINGS - {"text_ret", "answer_operator"}}
    return Profile(
        name=raw["name"],
        title=raw["title"],
        pushes=pushes,
        queries=queries,
        query_token=queries["query_token"],
        text_ret=frozenset(raw["text_ret"]),
        answer_operator=raw.get("answer_operator", False),
        **settings,
    )


def _interface(
    name: str,
    one: dict[str, Any],
    raw: dict[str, Any],
    rows: dict[str, dict[str, str]],
    records: dict[str, Table],
) -> Interface:
    is_push = "keeps" in one
    rules = tuple(RULES[rule] for rule in one.get("rules", ()))
    return Interface(
        name=name,
        path=raw["paths"].get(name, f"{raw['base_path']}/{name}"),
        body=Table(_flat(one["body"], raw, rows), records),
        rules=rules,
        keeps=one.get("keeps", ""),
        key=one.get("key", ""),
        energy=one.get("energy", ""),
        answer={field: word for field, word in one["answer"].items() if word} if is_push else {},
        answer_table=None if is_push else Table(_flat(one["answer"], raw, rows), records),
    )


def _flat(fields: dict[str, Any], raw: dict[str, Any], rows: dict[str, dict[str, str]]) -> dict[str, str]:
    """The fields with those of `fields_of` before them, without those taken away."""
    own = {name: kind for name, kind in fields.items() if name != "fields_of"}
    base = dict(rows[fields["fields_of"]]) if "fields_of" in fields else {}
    whole = _over(base, _respelt(own, raw))
    return {name: kind for name, kind in whole.items() if kind is not None}


def _respelt(fields: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """The fields as this platform spells them."""
    spelling: dict[str, str] = raw.get("respell", {})
    spelt = {}
    for name, kind in fields.items():
        bare = name.rstrip("?")
        spelt[spelling.get(bare, bare) + name[len(bare) :]] = kind
    return spelt
