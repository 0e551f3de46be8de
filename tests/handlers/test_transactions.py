"""Sessions where the transcripts do not reach: what is stored beside them, and what happened meanwhile."""

from datetime import timedelta

import pytest

from csms.domain.assets import OcppVersion
from csms.reporting.upkeep import Upkeep
from csms.store.upkeep import UpkeepStore
from tests.handlers.kit import HOUR, MINUTE, T0, House, event_2, meter_16, start_16, stop_16

V2 = pytest.mark.parametrize("version", [OcppVersion.V201, OcppVersion.V21])


class TestUnclaimedReadings:
    """Readings that name no session are kept for their EVSE, or belong to what runs there."""

    async def test_nothing_runs(self, house: House) -> None:
        """Then they are the EVSE's."""
        talk = await house.connect()

        await talk.meter(500)
        house.at += MINUTE
        await talk.meter(700, transaction_id=77)

        assert await house.unclaimed(talk) == [(1, 500), (1, 700)]
        assert await house.sessions() == []

    async def test_before_the_session(self, house: House) -> None:
        """What was measured before a session is none of its."""
        talk = await house.connect()
        await talk.start()

        await talk.say("MeterValues", meter_16(T0 - MINUTE, 900))

        assert await house.unclaimed(talk) == [(1, 900)]

    async def test_of_the_whole_station(self, house: House) -> None:
        """Connector 0 is the main meter."""
        talk = await house.connect()
        await talk.start()

        await talk.meter(99_000, evse=0)

        assert await house.unclaimed(talk) == [(0, 99_000)]

    async def test_of_the_session_that_runs(self, house: House) -> None:
        """The one of this EVSE."""
        talk = await house.connect()
        await talk.start()
        house.at += MINUTE

        await talk.meter(1100)

        assert await house.unclaimed(talk) == []
        assert (await house.sessions())[0]["energy_wh"] == 100

    @V2
    async def test_of_2x_are_outside_transactions(self, house: House, version: OcppVersion) -> None:
        """J01: a 2.x station tells a transaction's values in its events."""
        talk = await house.connect(version)
        await talk.say("TransactionEvent", event_2("Started", T0, 0, 100))
        house.at += MINUTE
        value = {"timestamp": "2026-01-01T10:01:00Z", "sampledValue": [{"value": 7}]}

        await talk.say("MeterValues", {"evseId": 1, "meterValue": [value]})

        assert await house.unclaimed(talk) == [(1, 7)]

    async def test_a_stale_transaction_id(self, house: House) -> None:
        """Some models go on naming a transaction long after it: it stays as it is, and is not flagged."""
        talk = await house.connect()
        transaction_id = await talk.start()
        house.at += HOUR
        await talk.stop(transaction_id, 2000)

        house.at += 4 * MINUTE  # so soon it is a closing value
        await talk.meter(2000, transaction_id)
        (closing,) = await house.sessions()
        house.at += HOUR
        await talk.meter(2000, transaction_id)

        assert closing["quality"] == ["late-data"]
        assert await house.unclaimed(talk) == [(1, 2000)]
        assert (await house.sessions())[0]["energy_wh"] == 1000


class TestNamelessStops:
    """1.6 stops of transaction -1 and 0."""

    @pytest.mark.parametrize("transaction_id", [-1, 0, 4242])
    async def test_a_matched_stop_again(self, house: House, transaction_id: int) -> None:
        """T05: sent again it ends nothing else, also when the next session runs already."""
        talk = await house.connect()
        await talk.start()
        house.at += HOUR
        stop = stop_16(transaction_id, house.at, 2000)
        await talk.say("StopTransaction", stop)
        await talk.start(2000)

        house.at += MINUTE
        await talk.say("StopTransaction", stop)
        await (await house.connect()).say("StopTransaction", stop)

        states = [(row["state"], row["energy_wh"]) for row in await house.sessions()]
        assert states == [("ended", 1000), ("active", None)]

    async def test_an_orphan_again(self, house: House) -> None:
        """One orphan, however often and from whichever connection its stop comes."""
        talk = await house.connect()
        stop = stop_16(-1, T0, 2000)
        for _ in range(3):
            await talk.say("StopTransaction", stop)
            talk = await house.connect()
        await house.settle()

        (orphan,) = await house.sessions()
        assert orphan["quality"] == ["orphan-stop"]
        assert await house.owed("charge-order") == []

    async def test_an_orphan_finds_its_start_once(self, house: House) -> None:
        """T14: and its order is owed then. A later start that would fit it as well is another session."""
        talk = await house.connect()
        house.at += 2 * HOUR
        await talk.say("StopTransaction", stop_16(-1, T0 + HOUR, 3000))

        await talk.say("StartTransaction", start_16(T0))
        await talk.say("StartTransaction", start_16(T0 + 30 * MINUTE, 2000))
        await house.settle()

        merged, other = await house.sessions()
        assert (merged["state"], merged["energy_wh"], merged["revision"]) == ("ended", 2000, 2)
        assert other["state"] == "active"
        assert len(await house.owed("charge-order")) == 1


class TestClosedByPolicy:
    """T12: a session whose stop never came is closed after a time; the stop that comes still revises it."""

    @pytest.mark.parametrize("is_new_connection", [True, False])
    async def test_a_late_stop(self, house: House, is_new_connection: bool) -> None:
        """Also on the connection that remembers the session as it was before."""
        talk = await house.connect()
        transaction_id = await talk.start()
        house.at += 10 * MINUTE
        await talk.meter(1500, transaction_id)
        house.at += MINUTE
        await talk.boot()
        house.at += timedelta(hours=25)
        assert await Upkeep(house.services, UpkeepStore(house.database)).tend() == 1
        (closed,) = await house.sessions()
        await house.settle()

        if is_new_connection:
            talk = await house.connect()
        await talk.stop(transaction_id, 1600, T0 + 11 * MINUTE)
        await house.settle()

        assert (closed["state"], closed["energy_wh"], closed["quality"]) == (
            "ended",
            500,
            ["estimated", "no-stop"],
        )
        (session,) = await house.sessions()
        assert (session["energy_wh"], session["revision"]) == (600, 2)
        assert "no-stop" not in session["quality"]
        orders = [
            (about.partition("/")[2], one["energy_wh"]) for about, one in await house.owed("charge-order")
        ]
        assert orders == [("1", 500), ("2", 600)]

    async def test_a_session_that_went_on(self, house: House) -> None:
        """A reading from after the supposed end moves it."""
        talk = await house.connect()
        transaction_id = await talk.start()
        house.at += MINUTE
        await talk.boot()
        house.at += timedelta(hours=25)
        await Upkeep(house.services, UpkeepStore(house.database)).tend()

        await talk.meter(3000, transaction_id)

        (session,) = await house.sessions()
        assert (session["state"], session["energy_wh"], session["revision"]) == ("ended", 2000, 2)


@V2
async def test_many_events_told_offline_are_counted_once(house: House, version: OcppVersion) -> None:
    """E04.FR.03: five hundred events at once, each of them twice."""
    talk = await house.connect(version)
    house.at += 10 * HOUR
    events = [event_2("Started", T0, 0, 0, offline=True)]
    events += [event_2("Updated", T0 + n * MINUTE, n, 10 * n, offline=True) for n in range(1, 500)]
    events += [event_2("Ended", T0 + 500 * MINUTE, 500, 5000, offline=True)]

    for event in events:
        assert await talk.say("TransactionEvent", event) == await talk.say("TransactionEvent", event)

    (session,) = await house.sessions()
    assert (session["energy_wh"], session["quality"], session["revision"]) == (5000, [], 1)
    stored = await house.services.sessions.readings(int(session["session_id"]), most=1000)
    assert len(stored.items) == 501


@V2
async def test_a_reused_id_is_recognised_beyond_memory(house: House, version: OcppVersion) -> None:
    """E08: the retried start of the second session is a retry of the second."""
    talk = await house.connect(version)
    await talk.say("TransactionEvent", event_2("Started", T0, 0, 100))
    await talk.say("TransactionEvent", event_2("Ended", T0 + MINUTE, 1, 200))
    house.at += timedelta(days=300)
    again = event_2("Started", house.at, 0, 900)
    await (await house.connect(version)).say("TransactionEvent", again)
    for n in range(30):
        other = [event_2("Started", house.at, 0, 0, f"O{n}"), event_2("Ended", house.at, 1, 0, f"O{n}")]
        talk = await house.connect(version)
        house.at += MINUTE
        for event in other:
            await talk.say("TransactionEvent", event)

    await talk.say("TransactionEvent", again)

    of_this_id = [row for row in await house.sessions() if row["transaction_id"] == "TX-1"]
    assert [(row["state"], row["quality"]) for row in of_this_id] == [
        ("ended", []),
        ("suspected-ended", ["transaction-id-reused"]),
    ]


async def test_a_second_start_makes_the_first_suspected(house: House) -> None:
    """T10: both are kept; the evidence is on the first."""
    talk = await house.connect()
    first = await talk.start()
    house.at += HOUR
    await talk.start(2000, token="A2")

    states = {row["transaction_id"]: row["state"] for row in await house.sessions()}

    assert states[str(first)] == "suspected-ended"
    assert list(states.values()).count("active") == 1
