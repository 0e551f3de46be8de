CREATE TABLE bill_days (
    operator_id INTEGER NOT NULL,
    start INTEGER NOT NULL,
    site_id INTEGER NOT NULL,
    sessions INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL,
    elec_fen INTEGER NOT NULL,
    service_fen INTEGER NOT NULL,
    idle_fen INTEGER NOT NULL,
    parking_fen INTEGER NOT NULL,
    total_fen INTEGER NOT NULL,
    sharp_wh INTEGER NOT NULL,
    sharp_elec_fen INTEGER NOT NULL,
    sharp_service_fen INTEGER NOT NULL,
    peak_wh INTEGER NOT NULL,
    peak_elec_fen INTEGER NOT NULL,
    peak_service_fen INTEGER NOT NULL,
    flat_wh INTEGER NOT NULL,
    flat_elec_fen INTEGER NOT NULL,
    flat_service_fen INTEGER NOT NULL,
    valley_wh INTEGER NOT NULL,
    valley_elec_fen INTEGER NOT NULL,
    valley_service_fen INTEGER NOT NULL,
    last_priced_at INTEGER,
    computed_at INTEGER NOT NULL,
    CONSTRAINT pk_bill_days PRIMARY KEY (operator_id, start, site_id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE bill_due (
    operator_id INTEGER NOT NULL,
    start INTEGER NOT NULL,
    site_id INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_bill_due PRIMARY KEY (operator_id, start, site_id)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX ix_bill_due_at ON bill_due (due_at);

CREATE TABLE schedules (
    schedule_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    operator_id INTEGER,
    report TEXT NOT NULL,
    options TEXT NOT NULL,
    form TEXT NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    every TEXT NOT NULL,
    at_minute INTEGER NOT NULL,
    target TEXT NOT NULL,
    address TEXT NOT NULL,
    secret TEXT,
    enabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    removed_at INTEGER,
    next_at INTEGER NOT NULL,
    CONSTRAINT pk_schedules PRIMARY KEY (schedule_id),
    CONSTRAINT fk_schedules_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
)
 STRICT;

CREATE INDEX ix_schedules_next ON schedules (next_at) WHERE enabled = 1 AND removed_at IS NULL;

CREATE TABLE deliveries (
    delivery_id INTEGER NOT NULL,
    schedule_id INTEGER NOT NULL,
    period TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT DEFAULT 'waiting' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    delivered_at INTEGER,
    file_name TEXT NOT NULL,
    bytes INTEGER,
    sha256 TEXT,
    last_error TEXT,
    CONSTRAINT pk_deliveries PRIMARY KEY (delivery_id),
    CONSTRAINT uq_deliveries_schedule_id_period UNIQUE (schedule_id, period),
    CONSTRAINT fk_deliveries_schedule_id FOREIGN KEY(schedule_id) REFERENCES schedules (schedule_id)
)
 STRICT;

CREATE INDEX ix_deliveries_created ON deliveries (created_at);

CREATE INDEX ix_deliveries_due ON deliveries (due_at) WHERE state = 'waiting';

CREATE INDEX ix_deliveries_schedule ON deliveries (schedule_id, delivery_id);

CREATE INDEX ix_disputes_order ON disputes (start_charge_seq, dispute_id);

INSERT INTO bill_due (operator_id, start, site_id, due_at, version)
SELECT operator_id, start, CASE level WHEN 'site' THEN subject_id ELSE 0 END, 0, 1
FROM totals WHERE period = 'day' AND level IN ('site', 'operator');
