"""Rows of charging sessions and their evidence. Knows their columns; what they mean is the domain's."""

from typing import NamedTuple

from csms.store.reading_rows import ReadingKind


class SessionInsert(NamedTuple):
    """A new session. Its UNIQUE (station_id, start_key) may refuse it: AlreadyStored."""

    session_id: int
    station_id: int
    site_id: int | None
    operator_id: int | None
    ocpp_version: str
    transaction_id: str
    start_key: str
    evse: int
    connector: int
    token: str
    token_folded: str
    token_type: str
    authorization: str
    authorization_reason: str
    state: str
    started_at: int
    received_at: int
    ended_at: int | None
    end_received_at: int | None
    meter_start_wh: int | None
    meter_stop_wh: int | None
    energy_wh: int | None
    energy_source: str
    stop_reason: str
    flags: str
    revision: int
    remote_start_id: int | None
    charging_state: str
    last_event_at: int | None
    suspected_at: int | None
    progress: str
    heard: int


class SessionUpdate(NamedTuple):
    """Everything of a session that a message may change, among it indexed columns."""

    transaction_id: str
    start_key: str
    evse: int
    connector: int
    token: str
    token_folded: str
    token_type: str
    authorization: str
    authorization_reason: str
    state: str
    started_at: int
    received_at: int
    ended_at: int | None
    end_received_at: int | None
    meter_start_wh: int | None
    meter_stop_wh: int | None
    energy_wh: int | None
    energy_source: str
    stop_reason: str
    flags: str
    revision: int
    remote_start_id: int | None
    charging_state: str
    last_event_at: int | None
    suspected_at: int | None
    progress: str
    heard: int
    session_id: int


class SessionProgress(NamedTuple):
    """What most messages change, up to message number `heard`. No indexed column: no index is written.

    Nothing happens where the row knows as much already: these may come late (`writer`).
    """

    meter_start_wh: int | None
    energy_wh: int | None
    energy_source: str
    revision: int
    charging_state: str
    last_event_at: int | None
    suspected_at: int | None
    progress: str
    heard: int
    session_id: int


class NextReadingRow(NamedTuple):
    """A message that was nothing but the next reading of its session: all else follows from these."""

    session_id: int
    key_number: int
    nth: int
    message_id: str
    at: int
    received_at: int
    evse: int
    samples: str
    action: str
    request: str


class SessionMessageRow(NamedTuple):
    """Evidence of a session with the answer it got. The first of a key stays.

    `kinds` are those of the samples that may be new, for the writer: they are rows of another table.
    """

    session_id: int
    key_number: int
    key: str
    nth: int
    kind: str
    message_id: str
    at: int | None
    received_at: int
    payload_hash: str
    facts: str
    answer: str | None
    evse: int = 0
    samples: str = ""
    action: str = ""
    request: str = ""
    kinds: tuple[ReadingKind, ...] = ()


class SessionRevisionRow(NamedTuple):
    """A revision; the energy before it is read from the session row, which is updated after it."""

    session_id: int
    revision: int
    at: int
    cause: str
    new_energy_wh: int | None
    snapshot: str


class SessionMark(NamedTuple):
    """The session wants a person's eye, in this queue. Again changes nothing."""

    queue: str
    session_id: int
    operator_id: int | None
    site_id: int | None


class SessionUnmark(NamedTuple):
    """It does so no more."""

    queue: str
    session_id: int


class SessionDue(NamedTuple):
    """The session's hours must be computed again, not before `due_at`. An earlier mark stays."""

    session_id: int
    due_at: int
