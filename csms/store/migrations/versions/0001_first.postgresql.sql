CREATE TABLE audit_log (
    audit_id BIGSERIAL NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    details TEXT NOT NULL,
    CONSTRAINT pk_audit_log PRIMARY KEY (audit_id)
);

CREATE TABLE connector_states (
    state_id BIGSERIAL NOT NULL,
    station_id BIGINT NOT NULL,
    evse BIGINT NOT NULL,
    connector BIGINT NOT NULL,
    status TEXT NOT NULL,
    error_code TEXT NOT NULL,
    info TEXT NOT NULL,
    vendor_error TEXT NOT NULL,
    at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    CONSTRAINT pk_connector_states PRIMARY KEY (state_id)
);

CREATE INDEX ix_connector_states_connector ON connector_states (station_id, evse, connector, state_id);

CREATE TABLE connectors (
    station_id BIGINT NOT NULL,
    evse BIGINT NOT NULL,
    connector BIGINT NOT NULL,
    status TEXT NOT NULL,
    error_code TEXT NOT NULL,
    info TEXT NOT NULL,
    vendor_error TEXT NOT NULL,
    since BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    CONSTRAINT pk_connectors PRIMARY KEY (station_id, evse, connector)
);

CREATE TABLE counters (
    name TEXT NOT NULL,
    next BIGINT NOT NULL,
    CONSTRAINT pk_counters PRIMARY KEY (name)
);

CREATE TABLE id_tokens (
    folded TEXT NOT NULL,
    token TEXT NOT NULL,
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    group_token TEXT,
    expires_at BIGINT,
    concurrent_limit BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT pk_id_tokens PRIMARY KEY (folded)
);

CREATE TABLE messages (
    entry_id BIGSERIAL NOT NULL,
    station_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    direction TEXT NOT NULL,
    message_id TEXT NOT NULL,
    action TEXT NOT NULL,
    request TEXT NOT NULL,
    answer TEXT,
    outcome TEXT NOT NULL,
    latency_us BIGINT,
    CONSTRAINT pk_messages PRIMARY KEY (entry_id)
);

CREATE INDEX ix_messages_station ON messages (station_id, entry_id);

CREATE TABLE operators (
    operator_id BIGSERIAL NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    CONSTRAINT pk_operators PRIMARY KEY (operator_id),
    CONSTRAINT uq_operators_code UNIQUE (code)
);

CREATE TABLE outbox (
    outbox_id BIGSERIAL NOT NULL,
    platform TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    about TEXT NOT NULL,
    payload TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    state TEXT DEFAULT 'waiting' NOT NULL,
    attempts BIGINT DEFAULT 0 NOT NULL,
    sent_at BIGINT,
    answer TEXT,
    last_error TEXT,
    CONSTRAINT pk_outbox PRIMARY KEY (outbox_id),
    CONSTRAINT uq_outbox_platform_kind_about UNIQUE (platform, kind, about)
);

CREATE INDEX ix_outbox_due ON outbox (due_at) WHERE state = 'waiting';

CREATE INDEX ix_outbox_key ON outbox (platform, key, outbox_id) WHERE state = 'waiting';

CREATE TABLE platform_state (
    platform TEXT NOT NULL,
    paused BIGINT NOT NULL,
    reason TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT pk_platform_state PRIMARY KEY (platform)
);

CREATE TABLE probes (
    probe_id BIGINT NOT NULL,
    filler TEXT NOT NULL,
    CONSTRAINT pk_probes PRIMARY KEY (probe_id)
);

CREATE TABLE quarantine (
    identity TEXT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    remote_address TEXT NOT NULL,
    reason TEXT NOT NULL,
    headers TEXT NOT NULL,
    CONSTRAINT pk_quarantine PRIMARY KEY (identity)
);

CREATE TABLE reading_kinds (
    kind_id BIGINT NOT NULL,
    measurand TEXT NOT NULL,
    phase TEXT NOT NULL,
    location TEXT NOT NULL,
    context TEXT NOT NULL,
    CONSTRAINT pk_reading_kinds PRIMARY KEY (kind_id)
);

CREATE TABLE readings (
    owner_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    evse BIGINT NOT NULL,
    part BIGINT NOT NULL,
    samples TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    CONSTRAINT pk_readings PRIMARY KEY (owner_id, at, evse, part)
);

CREATE TABLE session_due (
    session_id BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_session_due PRIMARY KEY (session_id)
);

CREATE INDEX ix_session_due_at ON session_due (due_at);

CREATE TABLE session_hours (
    session_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    operator_id BIGINT,
    site_id BIGINT,
    station_id BIGINT NOT NULL,
    evse BIGINT NOT NULL,
    connector BIGINT NOT NULL,
    energy_wh BIGINT NOT NULL,
    charging_s BIGINT NOT NULL,
    starts BIGINT NOT NULL,
    CONSTRAINT pk_session_hours PRIMARY KEY (session_id, hour)
);

CREATE INDEX ix_session_hours_hour ON session_hours (hour, station_id, evse, connector);

CREATE INDEX ix_session_hours_site ON session_hours (site_id, hour);

CREATE INDEX ix_session_hours_station ON session_hours (station_id, hour);

CREATE TABLE session_messages (
    session_id BIGINT NOT NULL,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    message_id TEXT NOT NULL,
    at BIGINT,
    received_at BIGINT NOT NULL,
    payload_hash TEXT NOT NULL,
    facts TEXT NOT NULL,
    answer TEXT,
    CONSTRAINT pk_session_messages PRIMARY KEY (session_id, key)
);

CREATE TABLE session_revisions (
    session_id BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    at BIGINT NOT NULL,
    cause TEXT NOT NULL,
    old_energy_wh BIGINT,
    new_energy_wh BIGINT,
    snapshot TEXT NOT NULL,
    CONSTRAINT pk_session_revisions PRIMARY KEY (session_id, revision)
);

CREATE TABLE station_events (
    event_id BIGSERIAL NOT NULL,
    station_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    details TEXT NOT NULL,
    CONSTRAINT pk_station_events PRIMARY KEY (event_id)
);

CREATE INDEX ix_station_events_kind ON station_events (kind, event_id);

CREATE INDEX ix_station_events_station ON station_events (station_id, event_id);

CREATE TABLE total_revisions (
    period TEXT NOT NULL,
    level TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    evse BIGINT NOT NULL,
    connector BIGINT NOT NULL,
    start BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    energy_wh BIGINT NOT NULL,
    sessions BIGINT NOT NULL,
    charging_s BIGINT NOT NULL,
    computed_at BIGINT NOT NULL,
    CONSTRAINT pk_total_revisions PRIMARY KEY (period, level, subject_id, evse, connector, start, revision)
);

CREATE TABLE totals (
    period TEXT NOT NULL,
    level TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    evse BIGINT NOT NULL,
    connector BIGINT NOT NULL,
    start BIGINT NOT NULL,
    until BIGINT NOT NULL,
    operator_id BIGINT NOT NULL,
    energy_wh BIGINT NOT NULL,
    sessions BIGINT NOT NULL,
    charging_s BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    computed_at BIGINT NOT NULL,
    closed_at BIGINT,
    CONSTRAINT pk_totals PRIMARY KEY (period, level, subject_id, evse, connector, start)
);

CREATE INDEX ix_totals_start ON totals (period, level, start, subject_id);

CREATE INDEX ix_totals_unclosed ON totals (until) WHERE closed_at IS NULL;

CREATE TABLE variables (
    station_id BIGINT NOT NULL,
    component TEXT NOT NULL,
    variable TEXT NOT NULL,
    attribute TEXT NOT NULL,
    value TEXT,
    mutability TEXT NOT NULL,
    characteristics TEXT,
    received_at BIGINT NOT NULL,
    CONSTRAINT pk_variables PRIMARY KEY (station_id, component, variable, attribute)
);

CREATE TABLE api_keys (
    key_id BIGSERIAL NOT NULL,
    name TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    role TEXT NOT NULL,
    operator_id BIGINT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT,
    CONSTRAINT pk_api_keys PRIMARY KEY (key_id),
    CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash),
    CONSTRAINT fk_api_keys_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
);

CREATE TABLE sites (
    site_id BIGSERIAL NOT NULL,
    operator_id BIGINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    CONSTRAINT pk_sites PRIMARY KEY (site_id),
    CONSTRAINT uq_sites_operator_id_code UNIQUE (operator_id, code),
    CONSTRAINT fk_sites_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
);

CREATE TABLE charging_stations (
    station_id BIGSERIAL NOT NULL,
    identity TEXT NOT NULL,
    site_id BIGINT,
    operator_id BIGINT,
    enabled BIGINT DEFAULT 1 NOT NULL,
    boot_status TEXT DEFAULT 'pending' NOT NULL,
    vendor TEXT DEFAULT '' NOT NULL,
    model TEXT DEFAULT '' NOT NULL,
    serial_number TEXT DEFAULT '' NOT NULL,
    firmware_version TEXT DEFAULT '' NOT NULL,
    boot_details TEXT DEFAULT '{}' NOT NULL,
    vendor_profile TEXT,
    max_power_w BIGINT,
    security_profile BIGINT DEFAULT 1 NOT NULL,
    highest_profile BIGINT DEFAULT 0 NOT NULL,
    assume_version TEXT,
    salt BYTEA,
    password_hash BYTEA,
    previous_salt BYTEA,
    previous_hash BYTEA,
    hex_on_wire BIGINT DEFAULT 0 NOT NULL,
    epoch BIGINT DEFAULT 0 NOT NULL,
    node TEXT DEFAULT '' NOT NULL,
    ocpp_version TEXT,
    remote_address TEXT DEFAULT '' NOT NULL,
    connected_at BIGINT,
    last_seen_at BIGINT,
    disconnected_at BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_charging_stations PRIMARY KEY (station_id),
    CONSTRAINT uq_charging_stations_identity UNIQUE (identity),
    CONSTRAINT fk_charging_stations_site_id FOREIGN KEY(site_id) REFERENCES sites (site_id),
    CONSTRAINT fk_charging_stations_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
);

CREATE INDEX ix_charging_stations_operator ON charging_stations (operator_id, identity);

CREATE INDEX ix_charging_stations_site ON charging_stations (site_id, identity);

CREATE TABLE commands (
    command_id BIGSERIAL NOT NULL,
    station_id BIGINT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    idempotency_key TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    result TEXT,
    detail TEXT,
    CONSTRAINT pk_commands PRIMARY KEY (command_id),
    CONSTRAINT uq_commands_actor_idempotency_key UNIQUE (actor, idempotency_key),
    CONSTRAINT fk_commands_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
);

CREATE INDEX ix_commands_station ON commands (station_id, command_id);

CREATE TABLE sessions (
    session_id BIGINT NOT NULL,
    station_id BIGINT NOT NULL,
    site_id BIGINT,
    operator_id BIGINT,
    ocpp_version TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    start_key TEXT NOT NULL,
    evse BIGINT NOT NULL,
    connector BIGINT NOT NULL,
    token TEXT NOT NULL,
    token_folded TEXT NOT NULL,
    token_type TEXT NOT NULL,
    "authorization" TEXT NOT NULL,
    authorization_reason TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    ended_at BIGINT,
    end_received_at BIGINT,
    meter_start_wh BIGINT,
    meter_stop_wh BIGINT,
    energy_wh BIGINT,
    energy_source TEXT NOT NULL,
    stop_reason TEXT NOT NULL,
    flags TEXT NOT NULL,
    revision BIGINT NOT NULL,
    remote_start_id BIGINT,
    charging_state TEXT NOT NULL,
    last_event_at BIGINT,
    suspected_at BIGINT,
    progress TEXT NOT NULL,
    CONSTRAINT pk_sessions PRIMARY KEY (session_id),
    CONSTRAINT uq_sessions_station_id_start_key UNIQUE (station_id, start_key),
    CONSTRAINT fk_sessions_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
);

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
