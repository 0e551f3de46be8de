"""Golden conversations: each scenario in each version, byte for byte, with equal sessions at the end."""

import json
from pathlib import Path
from typing import Any

import pytest

from csms.replay import Conversation, lines_of, replay_file

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*/v*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}-{f.stem}")
async def test_a_conversation_goes_as_recorded(file: Path) -> None:
    """The answers are the recorded ones, and what is known afterwards is the same in every version."""
    conversation = Conversation()

    await conversation.play(lines_of(file))

    assert conversation.differences == []
    sessions = await conversation.sessions()
    expected = json.loads((file.parent / "sessions.json").read_text())
    assert [_like(found, wanted) for found, wanted in zip(sessions, expected, strict=True)] == expected
    await conversation.database.close()


@pytest.mark.parametrize("scenario", sorted({f.parent for f in FILES}), ids=lambda d: d.name)
def test_every_scenario_exists_in_every_version(scenario: Path) -> None:
    """One model of sessions is proven by the same story told three times."""
    assert {f.stem for f in scenario.glob("*.txt")} == {"v16", "v201", "v21"}


async def test_a_difference_is_told_with_its_line(tmp_path: Path) -> None:
    """A transcript that does not fit the system says where."""
    file = tmp_path / "wrong.txt"
    file.write_text(
        '-- now 2026-01-01T10:00:00Z\nstation [2,"1","Heartbeat",{}]\ncsms [3,"1",{"currentTime":"x"}]\n'
    )

    (difference,) = await replay_file(file)

    assert difference.startswith('line 3: expected [3,"1",{"currentTime":"x"}]')


def _like(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The part of a session that the scenario speaks of."""
    return {key: found.get(key) for key in wanted}
