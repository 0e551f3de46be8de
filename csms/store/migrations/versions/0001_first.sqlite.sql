CREATE TABLE audit_log (
    audit_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    CONSTRAINT pk_audit_log PRIMARY KEY (audit_id)
)
 STRICT;

CREATE TABLE connector_states (
    state_id INTEGER NOT NULL,
    station_id INTEGER NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    status TEXT NOT NULL,
    error_code TEXT NOT NULL,
    info TEXT NOT NULL,
    vendor_error TEXT NOT NULL,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    CONSTRAINT pk_connector_states PRIMARY KEY (state_id)
)
 STRICT;

CREATE INDEX ix_connector_states_connector ON connector_states (station_id, evse, connector, state_id);

CREATE TABLE connectors (
    station_id INTEGER NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    status TEXT NOT NULL,
    error_code TEXT NOT NULL,
    info TEXT NOT NULL,
    vendor_error TEXT NOT NULL,
    since INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    CONSTRAINT pk_connectors PRIMARY KEY (station_id, evse, connector)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE counters (
    name TEXT NOT NULL,
    next INTEGER NOT NULL,
    CONSTRAINT pk_counters PRIMARY KEY (name)
)
 STRICT;

CREATE TABLE id_tokens (
    folded TEXT NOT NULL,
    token TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    group_token TEXT,
    expires_at INTEGER,
    concurrent_limit INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT pk_id_tokens PRIMARY KEY (folded)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE messages (
    entry_id INTEGER NOT NULL,
    station_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    direction TEXT NOT NULL,
    message_id TEXT NOT NULL,
    action TEXT NOT NULL,
    request TEXT NOT NULL,
    answer TEXT,
    outcome TEXT NOT NULL,
    latency_us INTEGER,
    CONSTRAINT pk_messages PRIMARY KEY (entry_id)
)
 STRICT;

CREATE INDEX ix_messages_station ON messages (station_id, entry_id);

CREATE TABLE operators (
    operator_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    CONSTRAINT pk_operators PRIMARY KEY (operator_id),
    CONSTRAINT uq_operators_code UNIQUE (code)
)
 STRICT;

CREATE TABLE outbox (
    outbox_id INTEGER NOT NULL,
    platform TEXT NOT NULL,
    kind TEXT NOT NULL,
    "key" TEXT NOT NULL,
    about TEXT NOT NULL,
    payload TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT DEFAULT 'waiting' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    sent_at INTEGER,
    answer TEXT,
    last_error TEXT,
    CONSTRAINT pk_outbox PRIMARY KEY (outbox_id),
    CONSTRAINT uq_outbox_platform_kind_about UNIQUE (platform, kind, about)
)
 STRICT;

CREATE INDEX ix_outbox_due ON outbox (due_at) WHERE state = 'waiting';

CREATE INDEX ix_outbox_key ON outbox (platform, "key", outbox_id) WHERE state = 'waiting';

CREATE TABLE platform_state (
    platform TEXT NOT NULL,
    paused INTEGER NOT NULL,
    reason TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    CONSTRAINT pk_platform_state PRIMARY KEY (platform)
)
 STRICT;

CREATE TABLE probes (
    probe_id INTEGER NOT NULL,
    filler TEXT NOT NULL,
    CONSTRAINT pk_probes PRIMARY KEY (probe_id)
)
 STRICT;

CREATE TABLE quarantine (
    identity TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    remote_address TEXT NOT NULL,
    reason TEXT NOT NULL,
    headers TEXT NOT NULL,
    CONSTRAINT pk_quarantine PRIMARY KEY (identity)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE reading_kinds (
    kind_id INTEGER NOT NULL,
    measurand TEXT NOT NULL,
    phase TEXT NOT NULL,
    location TEXT NOT NULL,
    context TEXT NOT NULL,
    CONSTRAINT pk_reading_kinds PRIMARY KEY (kind_id)
)
 STRICT;

CREATE TABLE readings (
    owner_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    evse INTEGER NOT NULL,
    part INTEGER NOT NULL,
    samples TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    CONSTRAINT pk_readings PRIMARY KEY (owner_id, at, evse, part)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE session_due (
    session_id INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_session_due PRIMARY KEY (session_id)
)
 STRICT;

CREATE INDEX ix_session_due_at ON session_due (due_at);

CREATE TABLE session_hours (
    session_id INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    operator_id INTEGER,
    site_id INTEGER,
    station_id INTEGER NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL,
    charging_s INTEGER NOT NULL,
    starts INTEGER NOT NULL,
    CONSTRAINT pk_session_hours PRIMARY KEY (session_id, hour)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX ix_session_hours_hour ON session_hours (hour, station_id, evse, connector);

CREATE INDEX ix_session_hours_site ON session_hours (site_id, hour);

CREATE INDEX ix_session_hours_station ON session_hours (station_id, hour);

CREATE TABLE session_messages (
    session_id INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    kind TEXT NOT NULL,
    message_id TEXT NOT NULL,
    at INTEGER,
    received_at INTEGER NOT NULL,
    payload_hash TEXT NOT NULL,
    facts TEXT NOT NULL,
    answer TEXT,
    CONSTRAINT pk_session_messages PRIMARY KEY (session_id, "key")
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE session_revisions (
    session_id INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL,
    cause TEXT NOT NULL,
    old_energy_wh INTEGER,
    new_energy_wh INTEGER,
    snapshot TEXT NOT NULL,
    CONSTRAINT pk_session_revisions PRIMARY KEY (session_id, revision)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE station_events (
    event_id INTEGER NOT NULL,
    station_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    details TEXT NOT NULL,
    CONSTRAINT pk_station_events PRIMARY KEY (event_id)
)
 STRICT;

CREATE INDEX ix_station_events_kind ON station_events (kind, event_id);

CREATE INDEX ix_station_events_station ON station_events (station_id, event_id);

CREATE TABLE total_revisions (
    period TEXT NOT NULL,
    level TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    start INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    charging_s INTEGER NOT NULL,
    computed_at INTEGER NOT NULL,
    CONSTRAINT pk_total_revisions PRIMARY KEY (period, level, subject_id, evse, connector, start, revision)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE totals (
    period TEXT NOT NULL,
    level TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    start INTEGER NOT NULL,
    until INTEGER NOT NULL,
    operator_id INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    charging_s INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    computed_at INTEGER NOT NULL,
    closed_at INTEGER,
    CONSTRAINT pk_totals PRIMARY KEY (period, level, subject_id, evse, connector, start)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX ix_totals_start ON totals (period, level, start, subject_id);

CREATE INDEX ix_totals_unclosed ON totals (until) WHERE closed_at IS NULL;

CREATE TABLE variables (
    station_id INTEGER NOT NULL,
    component TEXT NOT NULL,
    variable TEXT NOT NULL,
    attribute TEXT NOT NULL,
    value TEXT,
    mutability TEXT NOT NULL,
    characteristics TEXT,
    received_at INTEGER NOT NULL,
    CONSTRAINT pk_variables PRIMARY KEY (station_id, component, variable, attribute)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE api_keys (
    key_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    key_hash BLOB NOT NULL,
    role TEXT NOT NULL,
    operator_id INTEGER,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER,
    CONSTRAINT pk_api_keys PRIMARY KEY (key_id),
    CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash),
    CONSTRAINT fk_api_keys_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
)
 STRICT;

CREATE TABLE sites (
    site_id INTEGER NOT NULL,
    operator_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    latitude REAL,
    longitude REAL,
    CONSTRAINT pk_sites PRIMARY KEY (site_id),
    CONSTRAINT uq_sites_operator_id_code UNIQUE (operator_id, code),
    CONSTRAINT fk_sites_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
)
 STRICT;

CREATE TABLE charging_stations (
    station_id INTEGER NOT NULL,
    identity TEXT NOT NULL,
    site_id INTEGER,
    operator_id INTEGER,
    enabled INTEGER DEFAULT 1 NOT NULL,
    boot_status TEXT DEFAULT 'pending' NOT NULL,
    vendor TEXT DEFAULT '' NOT NULL,
    model TEXT DEFAULT '' NOT NULL,
    serial_number TEXT DEFAULT '' NOT NULL,
    firmware_version TEXT DEFAULT '' NOT NULL,
    boot_details TEXT DEFAULT '{}' NOT NULL,
    vendor_profile TEXT,
    max_power_w INTEGER,
    security_profile INTEGER DEFAULT 1 NOT NULL,
    highest_profile INTEGER DEFAULT 0 NOT NULL,
    assume_version TEXT,
    salt BLOB,
    password_hash BLOB,
    previous_salt BLOB,
    previous_hash BLOB,
    hex_on_wire INTEGER DEFAULT 0 NOT NULL,
    epoch INTEGER DEFAULT 0 NOT NULL,
    node TEXT DEFAULT '' NOT NULL,
    ocpp_version TEXT,
    remote_address TEXT DEFAULT '' NOT NULL,
    connected_at INTEGER,
    last_seen_at INTEGER,
    disconnected_at INTEGER,
    created_at INTEGER NOT NULL,
    CONSTRAINT pk_charging_stations PRIMARY KEY (station_id),
    CONSTRAINT uq_charging_stations_identity UNIQUE (identity),
    CONSTRAINT fk_charging_stations_site_id FOREIGN KEY(site_id) REFERENCES sites (site_id),
    CONSTRAINT fk_charging_stations_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
)
 STRICT;

CREATE INDEX ix_charging_stations_operator ON charging_stations (operator_id, identity);

CREATE INDEX ix_charging_stations_site ON charging_stations (site_id, identity);

CREATE TABLE commands (
    command_id INTEGER NOT NULL,
    station_id INTEGER NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    idempotency_key TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    result TEXT,
    detail TEXT,
    CONSTRAINT pk_commands PRIMARY KEY (command_id),
    CONSTRAINT uq_commands_actor_idempotency_key UNIQUE (actor, idempotency_key),
    CONSTRAINT fk_commands_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
)
 STRICT;

CREATE INDEX ix_commands_station ON commands (station_id, command_id);

CREATE TABLE sessions (
    session_id INTEGER NOT NULL,
    station_id INTEGER NOT NULL,
    site_id INTEGER,
    operator_id INTEGER,
    ocpp_version TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    start_key TEXT NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    token TEXT NOT NULL,
    token_folded TEXT NOT NULL,
    token_type TEXT NOT NULL,
    authorization TEXT NOT NULL,
    authorization_reason TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    ended_at INTEGER,
    end_received_at INTEGER,
    meter_start_wh INTEGER,
    meter_stop_wh INTEGER,
    energy_wh INTEGER,
    energy_source TEXT NOT NULL,
    stop_reason TEXT NOT NULL,
    flags TEXT NOT NULL,
    revision INTEGER NOT NULL,
    remote_start_id INTEGER,
    charging_state TEXT NOT NULL,
    last_event_at INTEGER,
    suspected_at INTEGER,
    progress TEXT NOT NULL,
    CONSTRAINT pk_sessions PRIMARY KEY (session_id),
    CONSTRAINT uq_sessions_station_id_start_key UNIQUE (station_id, start_key),
    CONSTRAINT fk_sessions_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
)
 STRICT;

CREATE INDEX ix_sessions_flagged ON sessions (started_at, session_id) WHERE flags <> '';

CREATE INDEX ix_sessions_open ON sessions (station_id) WHERE state <> 'ended';

CREATE INDEX ix_sessions_open_token ON sessions (token_folded) WHERE state = 'active';

CREATE INDEX ix_sessions_operator ON sessions (operator_id, started_at, session_id);

CREATE INDEX ix_sessions_site ON sessions (site_id, started_at, session_id);

CREATE INDEX ix_sessions_started ON sessions (started_at, session_id);

CREATE INDEX ix_sessions_station ON sessions (station_id, started_at, session_id);

CREATE INDEX ix_sessions_token ON sessions (token_folded, started_at, session_id);

CREATE INDEX ix_sessions_transaction ON sessions (station_id, transaction_id);

CREATE INDEX ix_sessions_unended ON sessions (started_at, session_id) WHERE state <> 'ended';
