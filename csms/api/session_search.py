"""/sessions and /sessions/totals: sessions looked for by everything that is known of them, and added up."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field, StringConstraints

from csms.api.attachments import csv_file
from csms.api.auth import READERS, AskedOperator, Own, Who, operation
from csms.api.forms import Code, EvseNumber, Identity, Instant, Page, TokenText, View, with_examples
from csms.api.paging import After, Limit, TimeSpan
from csms.api.parts import ApiParts, Parts
from csms.api.platform import wants_csv
from csms.api.problems import invalid
from csms.api.sessions import COLUMNS, EXAMPLE, Session
from csms.domain.quality import Flag
from csms.store.sessions import SessionFilter

router = APIRouter(prefix="/sessions", tags=["Sessions"])

State = Literal["live", "active", "suspected-ended", "ended", "unsettled", "settled"]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,50}$")]
Number = Annotated[int | None, Query(ge=0, le=10**12)]
Money = Annotated[Decimal | None, Query(ge=0, le=10**9, decimal_places=2)]


CSV_RESPONSE = {
    200: {
        "description": "A page as JSON, or with `Accept: text/csv` everything the filter selects.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": ",".join(COLUMNS) + "\r\n" + ",".join(str(EXAMPLE[c]) for c in COLUMNS) + "\r\n",
            }
        },
    }
}


class MoneyOf(View):
    """Money of one currency."""

    currency: str
    total: str


class Totals(View):
    """What the sessions of a filter add up to, and how that was found."""

    exact: bool = Field(description="Whether it is all of them, each counted.")
    basis: Literal["sessions", "days"] = Field(
        description="sessions: counted one by one. days: of the roll-ups of whole local days in the range;"
        " energy is then that of these days, and money what they are billed (of a station: none)."
    )
    sessions: int
    energy_wh: int
    minutes: int = Field(description="From start to end (running ones: until last heard).")
    money: list[MoneyOf] | None
    counted_to: str | None = Field(
        default=None, description="Not exact, by sessions: the start of the last one that was counted."
    )
    since: str | None = Field(default=None, alias="from", description="By days: where the first begins.")
    until: str | None = Field(default=None, alias="to", description="By days: where the last ends.")

    model_config = with_examples(
        {
            "exact": True,
            "basis": "sessions",
            "sessions": 2,
            "energy_wh": 45000,
            "minutes": 90,
            "money": [{"currency": "CNY", "total": "81.36"}],
        }
    )


def _filter(
    operator: AskedOperator,
    own: Own,
    span: TimeSpan,
    site: Annotated[Code | None, Query(description="Only at this site (code).")] = None,
    station: Annotated[Identity | None, Query(description="Only of this charging station.")] = None,
    evse: Annotated[EvseNumber | None, Query(description="Only of this EVSE.")] = None,
    connector: Annotated[EvseNumber | None, Query(description="Only of this connector.")] = None,
    token: Annotated[TokenText | None, Query(description="Only by this id token, without case.")] = None,
    transaction_id: Annotated[TokenText | None, Query(description="Only of this transaction id.")] = None,
    state: Annotated[
        State | None,
        Query(
            description="Only in this state. live: not ended; unsettled: ended, not priced and totalled yet;"
            " settled: ended, and that is done."
        ),
    ] = None,
    quality: Annotated[Flag | None, Query(description="Only with this quality flag.")] = None,
    stop_reason: Annotated[Word | None, Query(description="Only ended for this reason.")] = None,
    ended_from: Annotated[Instant | None, Query(description="Only ended from this time on.")] = None,
    ended_to: Annotated[
        Instant | None,
        Query(
            description="Only ended before this time. Who asks by the end finds sessions of up to 31 days."
        ),
    ] = None,
    energy_from: Annotated[Number, Query(description="Only of this energy (Wh) or more.")] = None,
    energy_to: Annotated[Number, Query(description="Only of this energy (Wh) or less.")] = None,
    cost_from: Annotated[Money, Query(description="Only of this cost or more.")] = None,
    cost_to: Annotated[Money, Query(description="Only of this cost or less.")] = None,
    disputed: Annotated[
        bool, Query(description="Only with a dispute that is not resolved, the 5,000 newest sessions.")
    ] = False,
    unsent: Annotated[
        bool, Query(description="Only with an order that waits or was set aside, of the 5,000 newest orders.")
    ] = False,
    text: Annotated[
        TokenText | None,
        Query(description="Part of token, transaction id or identity; or a session's number."),
    ] = None,
    sort: Annotated[Literal["newest", "oldest"], Query(description="Which start comes first.")] = "newest",
) -> SessionFilter:
    for name, least, most in (("energy_to", energy_from, energy_to), ("cost_to", cost_from, cost_to)):
        if least is not None and most is not None and most < least:
            raise invalid(f"query.{name}", "it is below its `from`", "Send a greater one.")
    return SessionFilter(
        operator, site, station, evse, connector, token, state, quality, *span,
        ended_since=ended_from, ended_until=ended_to, transaction_id=transaction_id, stop_reason=stop_reason,
        least_wh=energy_from, most_wh=energy_to, least_cost=_fen(cost_from), most_cost=_fen(cost_to),
        is_disputed=disputed, is_unsent=unsent, text=text, oldest_first=sort == "oldest", scope=own,
    )  # fmt: skip


def _fen(money: Decimal | None) -> int | None:
    return None if money is None else int(money * 100)


AskedSessions = Annotated[SessionFilter, Depends(_filter)]


def _with_csv() -> dict[str, Any]:
    made = operation(READERS, 404, by_site=True)
    return made | {"responses": {**made["responses"], **CSV_RESPONSE}}


@router.get("", summary="List charging sessions", response_model=Page[Session], **_with_csv())
async def list_sessions(
    request: Request, parts: Parts, who: Who, wanted: AskedSessions, limit: Limit, after: After = None
) -> Any:
    """By start, newest first. `from` and `to` select by start time. Combined filters are looked through some
    thousand sessions at a time: a page may be shorter than `limit`, or empty, and have a page after it. With
    `Accept: text/csv` the answer is a CSV file (RFC 4180, UTF-8) of everything the filter selects, streamed;
    `after` and `limit` do not apply to it. Text that a spreadsheet would take for a formula has a single
    quote in front.
    """
    if wants_csv(request):
        table = ("sessions", COLUMNS, _pages(parts, wanted))
        return await csv_file(parts, request, who, table, wanted, "sessions.csv")
    return (await parts.sessions.find(wanted, after, limit))._asdict()


@router.get(
    "/totals",
    summary="What sessions add up to",
    response_model=Totals,
    response_model_exclude_unset=True,
    **operation(READERS, 404, by_site=True),
)
async def session_totals(parts: Parts, wanted: AskedSessions) -> Any:
    """With the filter of the list. Up to 50,000 sessions are counted one by one. Of more, a filter of nothing
    but operator, site, station and start is answered from the roll-ups of days; any other counts the first
    50,000 in order of `sort` that its leading condition gives, and says up to where.
    """
    return await parts.evidence.totals.of(wanted)


async def _pages(parts: ApiParts, wanted: SessionFilter) -> AsyncIterator[list[dict[str, Any]]]:
    after: str | None = None
    while True:
        page = await parts.sessions.find(wanted, after, parts.settings.http.page_limit)
        yield page.items
        after = page.next
        if after is None:
            return
