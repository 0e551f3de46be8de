"""Commands: as the API's document has them, and what came of one."""

from csms.console.pages.station_commands import command_schemas, outcome, title
from tests.api.conftest import Desk
from tests.console.kit import HOSTILE, visit_of


async def test_every_command_has_a_name_and_a_form(desk: Desk) -> None:
    """In both languages."""
    english, chinese = await visit_of(desk), await visit_of(desk, language="zh-CN")

    known = await command_schemas(english)

    assert {"StartSession", "Reset", "GetVariables"} <= known.keys()
    for name in ("StartSession", "StopSession", "Reset"):
        assert title(name, english.words) != title(name, chinese.words)
    assert title("Odd", english.words) == "Odd"


async def test_an_outcome(desk: Desk) -> None:
    """What it means, what to do, what the station said."""
    words = (await visit_of(desk)).words
    answer = {"command_id": "7", "result": "silent", "detail": {"status": HOSTILE}}

    made = outcome(answer, words)

    assert "look at its state first" in made
    assert "<img" not in made
    assert "banner done" in outcome({"command_id": "7", "result": "accepted", "detail": {}}, words)
