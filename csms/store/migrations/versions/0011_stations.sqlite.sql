ALTER TABLE charging_stations ADD COLUMN name TEXT DEFAULT '' NOT NULL;

ALTER TABLE charging_stations ADD COLUMN labels TEXT DEFAULT '{}' NOT NULL;

ALTER TABLE charging_stations ADD COLUMN retired_at INTEGER;

ALTER TABLE quarantine ADD COLUMN denied_at INTEGER;

CREATE INDEX ix_charging_stations_boot ON charging_stations (boot_status, identity);

CREATE INDEX ix_charging_stations_disabled ON charging_stations (identity) WHERE retired_at IS NULL AND enabled = 0;

CREATE INDEX ix_charging_stations_firmware ON charging_stations (firmware_version, identity);

CREATE INDEX ix_charging_stations_model ON charging_stations (model, identity);

CREATE INDEX ix_charging_stations_name ON charging_stations (name);

CREATE INDEX ix_charging_stations_never_seen ON charging_stations (identity) WHERE retired_at IS NULL AND connected_at IS NULL;

CREATE INDEX ix_charging_stations_offline ON charging_stations (identity) WHERE retired_at IS NULL AND connected_at IS NOT NULL AND disconnected_at IS NOT NULL;

CREATE INDEX ix_charging_stations_online ON charging_stations (identity) WHERE retired_at IS NULL AND connected_at IS NOT NULL AND disconnected_at IS NULL;

CREATE INDEX ix_charging_stations_prefix ON charging_stations (identity);

CREATE INDEX ix_charging_stations_retired ON charging_stations (identity) WHERE retired_at IS NOT NULL;

CREATE INDEX ix_charging_stations_serial ON charging_stations (serial_number);

CREATE INDEX ix_charging_stations_vendor ON charging_stations (vendor, identity);

CREATE INDEX ix_charging_stations_version ON charging_stations (ocpp_version, identity);

CREATE INDEX ix_quarantine_seen ON quarantine (last_seen_at, identity);

CREATE INDEX ix_connectors_status ON connectors (status, station_id);

CREATE TABLE command_batches (
    batch_id INTEGER NOT NULL,
    operator_id INTEGER,
    actor TEXT NOT NULL,
    command TEXT NOT NULL,
    selection TEXT NOT NULL,
    per_s INTEGER NOT NULL,
    concurrency INTEGER NOT NULL,
    stop_after INTEGER,
    state TEXT NOT NULL,
    next_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    CONSTRAINT pk_command_batches PRIMARY KEY (batch_id),
    CONSTRAINT fk_command_batches_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
)
 STRICT;

CREATE INDEX ix_command_batches_operator ON command_batches (operator_id, batch_id);

CREATE INDEX ix_command_batches_running ON command_batches (batch_id) WHERE state = 'running';

CREATE TABLE command_batch_items (
    item_id INTEGER NOT NULL,
    batch_id INTEGER NOT NULL,
    station_id INTEGER NOT NULL,
    state TEXT DEFAULT 'waiting' NOT NULL,
    result TEXT,
    detail TEXT,
    attempts INTEGER DEFAULT 0 NOT NULL,
    leased_until INTEGER,
    finished_at INTEGER,
    CONSTRAINT pk_command_batch_items PRIMARY KEY (item_id),
    CONSTRAINT fk_command_batch_items_batch_id FOREIGN KEY(batch_id) REFERENCES command_batches (batch_id),
    CONSTRAINT fk_command_batch_items_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
)
 STRICT;

CREATE INDEX ix_command_batch_items_result ON command_batch_items (batch_id, result, item_id);

CREATE INDEX ix_command_batch_items_sent ON command_batch_items (leased_until) WHERE state = 'sent';

CREATE INDEX ix_command_batch_items_state ON command_batch_items (batch_id, state, item_id);

CREATE UNIQUE INDEX uq_command_batch_items_station ON command_batch_items (batch_id, station_id);

CREATE TABLE idempotency_keys (
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    status INTEGER,
    media_type TEXT,
    answer BLOB,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (actor, idempotency_key)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX ix_idempotency_keys_created ON idempotency_keys (created_at);
