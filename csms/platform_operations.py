"""What an administrator does with city platforms from the command line: one function each."""

from datetime import UTC, datetime, timedelta

from csms.api.platforms import CHINA, figures, timeliness, upload_rate
from csms.config import Settings
from csms.errors import NotFound
from csms.operations import opened
from csms.reporting.service import limits_of
from csms.store.disputes import DisputeStore
from csms.store.outbox import Outbox, Resent
from csms.store.platforms import PlatformStore

DAYS = 7


async def listed(settings: Settings) -> list[tuple[str, ...]]:
    """Each platform as a line: name, profile, state, waiting, dead, open disputes, rates of the last week."""
    now, limits = datetime.now(UTC), limits_of(settings.reporting)
    last = (now + CHINA).date()
    async with opened(settings) as database:
        store = PlatformStore(database)
        tallies = await store.tallies(last - timedelta(days=DAYS - 1), last, now, limits)
        pauses, disputes = await store.pauses(), await DisputeStore(database).open_disputes()
    rows: list[tuple[str, ...]] = []
    for one in settings.reporting.platforms:
        mine = [tally for tally in tallies if tally.platform == one.name]
        kinds = [figures(tally, limits.get((one.name, tally.kind))) for tally in mine]
        state = pauses.get(one.name, {"paused": False, "reason": ""})
        paused = "settings" if one.paused else state["reason"] if state["paused"] else ""
        rows.append(
            (
                one.name,
                one.profile,
                f"paused: {paused}" if paused else "served",
                str(sum(tally.waiting for tally in mine)),
                str(sum(tally.dead for tally in mine)),
                str(disputes.get(one.name, 0)),
                _percent(timeliness(kinds)),
                _percent(upload_rate(mine)),
            )
        )
    return rows


async def pause(settings: Settings, name: str, reason: str) -> None:
    """Stop telling a platform. Raises NotFound."""
    _known(settings, name)
    async with opened(settings) as database:
        await Outbox(database).pause(name, reason, datetime.now(UTC))


async def resume(settings: Settings, name: str) -> None:
    """Tell a platform again. Raises NotFound."""
    _known(settings, name)
    async with opened(settings) as database:
        await Outbox(database).resume(name, datetime.now(UTC))


async def resend(settings: Settings, name: str, record: int | None) -> Resent:
    """Owe a record again, or all that were set aside; how many. Raises NotFound, Superseded."""
    _known(settings, name)
    async with opened(settings) as database:
        outbox, now = Outbox(database), datetime.now(UTC)
        if record is None:
            return await outbox.resend_dead(name, now)
        if await outbox.platform_of(record) != name:
            raise NotFound(f"record {record} of {name}")
        return Resent(int(await outbox.resend(record, now)), 0)


def _known(settings: Settings, name: str) -> None:
    names = [one.name for one in settings.reporting.platforms]
    if name not in names:
        raise NotFound(f"platform {name}; the settings have {', '.join(names) or 'none'}")


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{100 * part:.2f} %"
