"""What stations hear of tokens."""

from datetime import timedelta

import pytest

from csms.config import SessionSettings, Settings
from csms.domain.assets import IdToken, OcppVersion, TokenStatus
from tests.handlers.kit import HOUR, MINUTE, T0, House, event_2

EACH = pytest.mark.parametrize("version", list(OcppVersion))


async def _register(house: House, *tokens: IdToken) -> None:
    for token in tokens:
        await house.services.registry.put_token(token, T0)


async def _authorize(house: House, version: OcppVersion, token: str) -> dict[str, object]:
    talk = await house.connect(version)
    if talk.is_16:
        answer = await talk.say("Authorize", {"idTag": token})
        return dict(answer["idTagInfo"])
    answer = await talk.say("Authorize", {"idToken": {"idToken": token, "type": "ISO14443"}})
    return dict(answer["idTokenInfo"])


@EACH
async def test_an_authorize_is_no_session(house: House, version: OcppVersion) -> None:
    """However many sessions the token has running; and nothing is stored."""
    await _register(house, IdToken("ONE", concurrent_limit=1))
    await (await house.connect(identity="CS-2")).start(token="ONE")

    assert (await _authorize(house, version, "one"))["status"] == "Accepted"


@EACH
@pytest.mark.parametrize(
    ("status", "word", "word_16"),
    [
        (TokenStatus.BLOCKED, "Blocked", "Blocked"),
        (TokenStatus.EXPIRED, "Expired", "Expired"),
        (TokenStatus.INVALID, "Invalid", "Invalid"),
    ],
)
async def test_each_status_has_its_word(
    house: House, version: OcppVersion, status: TokenStatus, word: str, word_16: str
) -> None:
    """In the version's own."""
    await _register(house, IdToken("T", status=status))

    told = await _authorize(house, version, "T")

    assert told["status"] == (word_16 if version is OcppVersion.V16 else word)


@EACH
async def test_unknown_tokens_by_policy(house: House, version: OcppVersion) -> None:
    """Refused unless the settings let strangers in."""
    open_house = House(
        house.database, house.writer, Settings(sessions=SessionSettings(unknown_tokens="accept"))
    )

    refused = await _authorize(house, version, "STRANGER")
    accepted = await _authorize(open_house, version, "STRANGER")

    assert refused["status"] == ("Invalid" if version is OcppVersion.V16 else "Unknown")
    assert accepted["status"] == "Accepted"


async def test_expiry_and_group_are_told(house: House) -> None:
    """So that the station may keep them."""
    await _register(house, IdToken("T", group="FAMILY", expires_at=T0 + timedelta(days=1)))

    assert await _authorize(house, OcppVersion.V16, "T") == {
        "status": "Accepted",
        "parentIdTag": "FAMILY",
        "expiryDate": "2026-01-02T10:00:00.000Z",
    }


@pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])
async def test_a_start_that_needs_no_token_is_accepted(house: House, version: OcppVersion) -> None:
    """C02: free charging, or a button."""
    talk = await house.connect(version)
    nobody = {"idToken": "", "type": "NoAuthorization"}

    answer = await talk.say("TransactionEvent", event_2("Started", T0, 0, 100, idToken=nobody))

    assert answer == {"idTokenInfo": {"status": "Accepted"}}
    assert (await house.sessions())[0]["quality"] == []


class TestStop:
    """C09: whoever started a session may stop it, and their group. A stop that happened is never refused."""

    async def _stopped_by(self, house: House, starter: str, stopper: str) -> dict[str, object]:
        talk = await house.connect()
        transaction_id = await talk.start(token=starter)
        house.at += HOUR
        answer = await talk.stop(transaction_id, 2000, idTag=stopper)
        (session,) = await house.sessions()
        assert (session["state"], session["id_token"]) == ("ended", starter)
        return dict(answer["idTagInfo"])

    async def test_by_its_starter(self, house: House) -> None:
        """Compared without case."""
        assert (await self._stopped_by(house, "A1", "a1"))["status"] == "Accepted"

    async def test_by_its_starters_group(self, house: House) -> None:
        """The group is told."""
        await _register(house, IdToken("P", group="FAMILY"), IdToken("Q", group="family"))

        assert await self._stopped_by(house, "P", "Q") == {"status": "Accepted", "parentIdTag": "family"}

    async def test_by_a_stranger(self, house: House) -> None:
        """Told, and the session is over all the same."""
        assert (await self._stopped_by(house, "A1", "STRANGER"))["status"] == "Invalid"

    async def test_by_another_token(self, house: House) -> None:
        """A valid one that has nothing to do with this session."""
        assert (await self._stopped_by(house, "A1", "A2"))["status"] == "Invalid"

    @pytest.mark.parametrize("status", [TokenStatus.BLOCKED, TokenStatus.EXPIRED])
    async def test_by_a_starter_that_was_refused(self, house: House, status: TokenStatus) -> None:
        """Its own stop does not make it an accepted token: stations keep what they hear (1.6 3.5.1)."""
        await _register(house, IdToken("B", status=status))

        assert (await self._stopped_by(house, "B", "B"))["status"] == status.value.capitalize()

    async def test_of_nobody_knows_what(self, house: House) -> None:
        """An orphan stop tells what the token may do in general."""
        talk = await house.connect()

        answer = await talk.stop(4242, 2000, idTag="A1")

        assert answer == {"idTagInfo": {"status": "Accepted"}}

    async def test_without_a_token(self, house: House) -> None:
        """There is nothing to tell."""
        talk = await house.connect()
        transaction_id = await talk.start()
        house.at += MINUTE

        assert await talk.stop(transaction_id, 2000) == {}
