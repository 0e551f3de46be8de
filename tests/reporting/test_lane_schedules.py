"""A lane under schedules that end, newest-only kinds, no corrections; and in a city's bad days."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from csms.errors import StoreUnavailable
from csms.reporting.lane import Lane
from csms.reporting.tcec.client import PlatformClient
from csms.reporting.tcec.outcomes import Delivered, Disputed, Outcome, Retry
from csms.reporting.tcec.profile import Profile, load_profile
from csms.store.database import Database
from csms.store.disputes import DisputeStore
from csms.store.outbox import Outbox, OutboxEntry, OutboxFilter
from csms.store.records import OutboxRow
from simulators.city import CityPlatform
from tests.reporting.parts import Clock, order, reporting

S = timedelta(seconds=1)
SCHEDULED = """
extends: simulated
name: scheduled
pushes:
  charge-order: {retry_s: [15, 15, 30], retry_repeats: none, restates: false}
  connector-status: {retry_s: [5], retry_repeats: none, newest_only: true}
  charge-status: {retry_s: [1, 2], retry_repeats: all}
"""
STATUS = {
    "operator_id": "123456789", "identity": "A", "evse": 1, "connector": 1, "at": "2026-01-05T10:00:00Z",
}  # fmt: skip


@pytest.fixture
def scheduled(tmp_path: Path) -> Profile:
    """A profile of its own."""
    (tmp_path / "scheduled.yaml").write_text(SCHEDULED)
    return load_profile(tmp_path / "scheduled.yaml")


class Platform:
    """Gives the next of its answers, the last one for ever."""

    def __init__(self, profile: Profile, *answers: Outcome) -> None:
        self.profile, self.answers = profile, list(answers)
        self.got: list[tuple[str, Mapping[str, Any]]] = []

    async def push(self, kind: str, payload: Mapping[str, Any]) -> Outcome:
        self.got.append((kind, payload))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Desk:
    """Adds a mark, refuses, or fails."""

    def __init__(self, said: str = "mark") -> None:
        self.said = said
        self.answers: list[Mapping[str, object]] = []

    async def complete(self, entry: OutboxEntry) -> Mapping[str, object] | None:
        match self.said:
            case "fault":
                raise KeyError("ours")
            case "away":
                raise StoreUnavailable("no database")
            case "hidden":
                return None
        return {**entry.payload, "mark": 1}

    async def delivered(self, entry: OutboxEntry, answer: Mapping[str, object]) -> None:
        self.answers.append(answer)


def lane_of(platform: Any, outbox: Outbox, clock: Clock, desk: Desk | None = None) -> Lane:
    return Lane("city", platform, outbox, reporting(), clock, lambda: 1.0, desk)


def status(n: int, clock: Clock) -> OutboxRow:
    return OutboxRow.of(
        "city", "connector-status", "A/1/1", str(n), {**STATUS, "status": "charging"}, clock()
    )


def orders(clock: Clock, *revisions: int) -> list[OutboxRow]:
    return [
        OutboxRow.of("city", "charge-order", "1", f"1/{r}", order(1, revision=r), clock()) for r in revisions
    ]


async def states(outbox: Outbox) -> dict[str, tuple[str, str | None]]:
    items = (await outbox.find(OutboxFilter(), most=1000)).items
    return {one["about"]: (one["state"], one["last_error"]) for one in items}


def test_schedules(scheduled: Profile) -> None:
    """The last for ever, all anew, or none."""
    assert [scheduled.retry_after_s("charge-order", n) for n in (1, 2, 3, 4)] == [15, 15, 30, None]
    assert [scheduled.retry_after_s("charge-status", n) for n in (1, 2, 3, 4)] == [1, 2, 1, 2]
    assert [scheduled.retry_after_s("hour-total", n) for n in (6, 7)] == [60, 60]


async def test_a_schedule_to_its_end(scheduled: Profile, outbox: Outbox, clock: Clock) -> None:
    """At its own times; then it is set aside for people to see."""
    platform = Platform(scheduled, Retry("no answer"))
    await outbox.enqueue(orders(clock, 1))
    lane, at = lane_of(platform, outbox, clock), list[float]()

    for _ in range(200):
        before = len(platform.got)
        await lane.deliver_due()
        if len(platform.got) > before:
            at.append(clock().timestamp())
        clock.move(S)

    assert [later - earlier for earlier, later in pairwise(at)] == [15, 15, 30]
    assert await states(outbox) == {"1/1": ("dead", "given up after 4 tries: no answer")}


async def test_a_live_value_is_dropped(scheduled: Profile, outbox: Outbox, clock: Clock) -> None:
    """The next one says more, and dead letters are for people."""
    await outbox.enqueue([status(1, clock)])
    lane = lane_of(Platform(scheduled, Retry("no answer")), outbox, clock)

    for _ in range(3):
        await lane.deliver_due()
        clock.move(6 * S)

    assert await states(outbox) == {"1": ("dropped", "given up after 2 tries: no answer")}


async def test_a_platform_is_asked_again_though_messages_are_given_up(
    scheduled: Profile, outbox: Outbox, clock: Clock
) -> None:
    """Live values that end after one try do not make its rests longer than their own waits."""
    platform = Platform(scheduled, *[Retry("no answer")] * 9, Delivered())
    lane = lane_of(platform, outbox, clock)

    for n in range(60):
        await outbox.enqueue([status(n, clock)])
        await lane.deliver_due()
        clock.move(S)

    assert len(platform.got) > 9
    assert (await outbox.find(OutboxFilter(state="waiting"))).items == []


async def test_only_the_newest_is_told(scheduled: Profile, outbox: Outbox, clock: Clock) -> None:
    """What was not told when a newer one came is dropped."""
    platform = Platform(scheduled, Delivered())
    await outbox.enqueue([status(n, clock) for n in (1, 2, 3)])

    await lane_of(platform, outbox, clock).deliver_due()
    await lane_of(platform, outbox, clock).deliver_due()

    assert len(platform.got) == 1
    assert {about: state for about, (state, _) in (await states(outbox)).items()} == {
        "1": "dropped", "2": "dropped", "3": "sent",
    }  # fmt: skip


async def test_a_correction_that_is_not_wanted(scheduled: Profile, outbox: Outbox, clock: Clock) -> None:
    """After what it corrects was told; before that it is the first it hears."""
    platform = Platform(scheduled, Delivered())
    await outbox.enqueue(orders(clock, 1, 2))
    lane = lane_of(platform, outbox, clock)

    await lane.deliver_due()
    await lane.deliver_due()
    await outbox.enqueue([OutboxRow.of("city", "charge-order", "9", "9/2", order(9, revision=2), clock())])
    await lane.deliver_due()

    assert await states(outbox) == {
        "1/1": ("sent", None), "1/2": ("dropped", "the platform takes no correction"), "9/2": ("sent", None),
    }  # fmt: skip


async def test_corrections_where_they_are_wanted(outbox: Outbox, clock: Clock) -> None:
    """In order."""
    platform = Platform(load_profile("simulated"), Delivered())
    await outbox.enqueue(orders(clock, 1, 2))
    lane = lane_of(platform, outbox, clock)

    await lane.deliver_due()
    await lane.deliver_due()

    assert [payload["revision"] for _, payload in platform.got] == [1, 2]


@pytest.mark.parametrize(
    ("said", "state", "got"),
    [("mark", "sent", [1]), ("fault", "sent", [None]), ("hidden", "dropped", []), ("away", "waiting", [])],
)
async def test_a_desk(outbox: Outbox, clock: Clock, said: str, state: str, got: list[int | None]) -> None:
    """What it adds is told, what it hides is dropped; its fault holds nothing up."""
    desk = Desk(said)
    platform = Platform(load_profile("simulated"), Delivered({"ConfirmResult": 0}))
    await outbox.enqueue(orders(clock, 1))

    await lane_of(platform, outbox, clock, desk).deliver_due()

    assert [payload.get("mark") for _, payload in platform.got] == got
    assert (await states(outbox))["1/1"][0] == state
    assert len(desk.answers) == len(got)


async def test_a_dispute_is_kept(database: Database, outbox: Outbox, clock: Clock) -> None:
    """With what we told of it."""
    platform = Platform(load_profile("simulated"), Disputed("ConfirmResult 1", 1))
    await outbox.enqueue(orders(clock, 1))

    await lane_of(platform, outbox, clock).deliver_due()

    (one,) = (await DisputeStore(database).disputes("city", True)).items
    assert (one["start_charge_seq"], one["our_energy_wh"], one["about"]) == (
        order(1)["start_charge_seq"], 1001, "1/1",
    )  # fmt: skip


@pytest.mark.parametrize("fault", ["bad-mac", "forged", "html", "token-expired", "busy", "lose", "empty"])
async def test_a_citys_bad_days(
    city: CityPlatform, client: PlatformClient, outbox: Outbox, clock: Clock, fault: str
) -> None:
    """In the middle of a stream: every order is there once in the end, and none is set aside."""
    lane = lane_of(client, outbox, clock)
    rows = [OutboxRow.of("city", "charge-order", str(n), f"{n}/1", order(n), clock()) for n in range(1, 9)]
    await outbox.enqueue(rows[:3])
    await lane.deliver_due()

    city.behave(f"{fault}=2")
    await outbox.enqueue(rows[3:])
    for _ in range(40):
        await lane.deliver_due()
        clock.move(20 * S)

    assert {state for state, _ in (await states(outbox)).values()} == {"sent"}
    assert city.ledger.summary()["orders"]["accepted"] == 8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data_secret": "fifteen-bytes-!"}, "data_secret.*15 bytes"),
        ({"data_secret_iv": "sixteen-bytes-ä!"}, "data_secret_iv.*17 bytes"),
        ({"sig_secret": None}, "sig_secret.*required"),
        ({"data_sekret": "x"}, "data_sekret"),
    ],
)
def test_keys_that_cannot_be(tmp_path: Path, change: dict[str, str | None], said: str) -> None:
    """Refused at start, by file, line and key."""
    import yaml

    from csms.config import Settings
    from csms.errors import ConfigError

    keys = {"operator_secret": "s", "data_secret": "0123456789abcdef", "data_secret_iv": "0123456789abcdef"}
    one: dict[str, Any] = {
        "name": "city", "profile": "beijing", "url": "http://127.0.0.1", "operator": "123456789",
        "sig_secret": "s", **keys, **change,
    }  # fmt: skip
    one = {key: value for key, value in one.items() if value is not None}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"reporting": {"platforms": [one]}}, allow_unicode=True))

    with pytest.raises(ConfigError, match=rf"c\.yaml:\d+: reporting\.platforms\.0\.{said}"):
        Settings.load(tmp_path / "c.yaml")
