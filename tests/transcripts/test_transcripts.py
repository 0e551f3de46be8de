"""Golden conversations: each scenario in each version, byte for byte, with equal sessions at the end."""

import json
from pathlib import Path
from typing import Any

import pytest

from csms.errors import InvalidInput
from csms.replay import Conversation, lines_of, replay_file

HERE = Path(__file__).parent
VERSIONS = {"v16", "v201", "v21"}
SHARED = sorted(HERE.glob("*/v*.txt"))
ONLY = sorted(HERE.glob("only/*/v*.txt"))


@pytest.mark.parametrize("file", [*SHARED, *ONLY], ids=lambda f: f"{f.parent.name}-{f.stem}")
async def test_a_conversation_goes_as_recorded(file: Path) -> None:
    """The answers are the recorded ones, and what is known afterwards is the same in every version."""
    conversation = Conversation()

    await conversation.play(lines_of(file))

    assert conversation.differences == []
    sessions = await conversation.sessions()
    expected = json.loads((file.parent / "sessions.json").read_text())
    wanted = [_for_version(one, file.stem) for one in expected]
    assert [
        await _like(conversation, found, like) for found, like in zip(sessions, wanted, strict=True)
    ] == wanted
    await conversation.database.close()


@pytest.mark.parametrize("scenario", sorted({f.parent for f in SHARED}), ids=lambda d: d.name)
def test_every_scenario_exists_in_every_version(scenario: Path) -> None:
    """One model of sessions is proven by the same story told three times."""
    assert {f.stem for f in scenario.glob("*.txt")} == VERSIONS


@pytest.mark.parametrize("scenario", sorted({f.parent for f in ONLY}), ids=lambda d: d.name)
def test_what_some_versions_only_can_say_is_kept_apart(scenario: Path) -> None:
    """What every version can say has its place among the shared scenarios."""
    assert {f.stem for f in scenario.glob("*.txt")} < VERSIONS


async def test_a_difference_is_told_with_its_line(tmp_path: Path) -> None:
    """A transcript that does not fit the system says where."""
    file = tmp_path / "wrong.txt"
    file.write_text(
        '-- now 2026-01-01T10:00:00Z\nstation [2,"1","Heartbeat",{}]\ncsms [3,"1",{"currentTime":"x"}]\n'
    )

    (difference,) = await replay_file(file)

    assert difference.startswith('line 3: expected [3,"1",{"currentTime":"x"}]')


@pytest.mark.parametrize(
    "line",
    [
        "-- stand on one leg",
        "-- version ocpp3.0",
        "-- token A1 lost-in-the-post",
        "-- token A1 limit=many",
        "-- now and then",
        "somebody [2]",
    ],
)
async def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    """Whoever writes a conversation hears where it is wrong."""
    file = tmp_path / "wrong.txt"
    file.write_text(f"# first\n{line}\n")

    with pytest.raises(InvalidInput, match="line 2"):
        await replay_file(file)


def _for_version(wanted: dict[str, Any], version: str) -> dict[str, Any]:
    """A session as the scenario wants it: `readings` may differ, since only 2.x reads at start and end."""
    readings = wanted.get("readings")
    return {**wanted, "readings": readings[version]} if isinstance(readings, dict) else wanted


async def _like(conversation: Conversation, found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The part of a session that the scenario speaks of; `readings` are the values of its energy register."""
    like = {key: found.get(key) for key in wanted}
    if "readings" in wanted:
        readings = await conversation.readings(found["session_id"])
        like["readings"] = [
            one["value"] for one in readings if one["measurand"] == "energy.active.import.register"
        ]
    return like
