"""The same message again after kill -9: the same answer, and the session is there once."""

from __future__ import annotations

from tests.campaign.conftest import Serve
from tests.campaign.kit import (
    PASSWORD,
    VERSIONS,
    Messages,
    Payload,
    boot,
    dial,
    session_told,
    sessions_of,
    start,
    tell,
)
from tests.clients.stories import ENERGY_WH
from tests.serverkit import CsmsServer

BEFORE = {"BEGUN": 1, "HALF": 2, "WHOLE": 4}
"""How many messages of its session each kind of station has told when the server is killed."""


async def test_messages_that_are_repeated_after_a_crash(url: str, serve: Serve) -> None:
    """What was answered before kill -9 is answered alike after it, under any id, and counts once."""
    csms = serve({"database": {"url": url}})
    await start(csms)
    told = {f"{kind}-{version}": session_told(version) for kind in BEFORE for version in VERSIONS}
    await csms.add_stations(told, PASSWORD)
    answers = {
        one: await say(csms, one, messages[: before(one)], boots=True) for one, messages in told.items()
    }

    csms.kill()
    await csms.start()

    for one, messages in told.items():
        again = await say(csms, one, messages)
        assert again[: before(one)] == answers[one]
        assert await say(csms, one, messages, prefix="other") == again
        (session,) = await sessions_of(csms, one)
        assert (session["state"], session["energy_wh"], session["revision"]) == ("ended", ENERGY_WH, 1)


def before(one: str) -> int:
    """How many messages this station has told when the server is killed."""
    return BEFORE[one.partition("-")[0]]


async def say(
    csms: CsmsServer, one: str, messages: Messages, prefix: str = "same", boots: bool = False
) -> list[Payload]:
    """Connect, tell, leave; the answers."""
    version = one.partition("-")[2]
    async with dial(csms, one, version) as peer:
        if boots:
            await boot(peer, version)
        return await tell(peer, messages, prefix)
