"""Reads profiles' YAML files, lays one over the other, and names file, line and key of what is wrong.

Knows YAML and pydantic's errors; no field of a profile.
"""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from csms.errors import ConfigError

PROFILES = Path(__file__).with_name("profiles")
MAX_FILE_BYTES = 262_144

_KEY_FIRST = re.compile(r"([a-z_]+): ")

Keys = tuple[str, ...]
Lines = dict[Keys, str]


class ProfileError(ConfigError):
    """The city platform profile is wrong:"""


def bundled() -> list[str]:
    """Names of the profiles that come with the program."""
    return sorted(file.stem for file in PROFILES.glob("*.yaml"))


def find(source: str | Path, near: Path) -> Path:
    """A name without a suffix is a bundled profile; a file is looked for beside the one that names it."""
    text = str(source)
    if not text.endswith((".yaml", ".yml")):
        path = PROFILES / f"{text}.yaml"
        if text not in bundled():
            raise ProfileError(
                f"there is no profile {text}; known: {', '.join(bundled())}, or name a .yaml file"
            )
        return path
    return near / text


def gather(path: Path, seen: tuple[Path, ...]) -> tuple[dict[str, Any], Lines]:
    """A file's values laid over those it extends, and `file:line` of every key."""
    if path in seen:
        raise ProfileError(f"{path}: extends itself")
    values, lines = _read(path)
    if "extends" not in values:
        return values, lines
    parent = values.pop("extends")
    if not isinstance(parent, str):
        raise ProfileError(f"{lines['extends',]}: extends: expected the name of a profile")
    below, lines_below = gather(find(parent, near=path.parent), (*seen, path))
    return _laid_over(below, values), lines_below | lines


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Mappings are merged, everything else is replaced, null takes away."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(under, dict):
            merged[key] = _laid_over(under, value)
        else:
            merged[key] = value
    return merged


def _read(path: Path) -> tuple[dict[str, Any], Lines]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ProfileError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines = dict(_lines_of(node, (), path))
        values = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as exc:
        raise ProfileError(f"{path} cannot be read: {exc}") from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ProfileError(f"{where}: not valid YAML: {getattr(exc, 'problem', exc)}") from exc
    if not isinstance(values, dict):
        raise ProfileError(f"{path}:1: expected keys such as `name:`")
    return values, lines


def _lines_of(node: yaml.Node | None, above: Keys, path: Path) -> list[tuple[Keys, str]]:
    """`file:line` of every key and list item. A key that stands twice is refused."""
    found: list[tuple[Keys, str]] = []
    if isinstance(node, yaml.MappingNode):
        here: set[Hashable] = set()
        for key, value in node.value:
            where = f"{path}:{key.start_mark.line + 1}"
            if key.value in here:
                raise ProfileError(f"{where}: {key.value} stands twice")
            here.add(key.value)
            keys = (*above, str(key.value))
            found += [(keys, where), *_lines_of(value, keys, path)]
    elif isinstance(node, yaml.SequenceNode):
        for n, item in enumerate(node.value):
            keys = (*above, str(n))
            found += [(keys, f"{path}:{item.start_mark.line + 1}"), *_lines_of(item, keys, path)]
    return found


def explain(exc: ValidationError, path: Path, lines: Lines) -> str:
    """Each problem as `file:line: key: what`; the nearest key that stands in a file gives the line."""
    problems = []
    for error in exc.errors(include_url=False, include_input=False, include_context=False):
        keys = tuple(str(part) for part in error["loc"] if part != "[key]")
        what = error["msg"].removeprefix("Value error, ")
        # Checks over several keys begin their words with the one to look at.
        if error["type"] == "value_error" and (found := _KEY_FIRST.match(what)):
            keys, what = (*keys, found[1]), what[found.end() :]
        where = next((lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in lines), str(path))
        problems.append(f"{where}: {'.'.join(keys)}: {what}")
    return "; ".join(problems)
