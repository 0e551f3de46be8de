CREATE TABLE bill_days (
    operator_id BIGINT NOT NULL,
    start BIGINT NOT NULL,
    site_id BIGINT NOT NULL,
    sessions BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    energy_wh BIGINT NOT NULL,
    elec_fen BIGINT NOT NULL,
    service_fen BIGINT NOT NULL,
    idle_fen BIGINT NOT NULL,
    parking_fen BIGINT NOT NULL,
    total_fen BIGINT NOT NULL,
    sharp_wh BIGINT NOT NULL,
    sharp_elec_fen BIGINT NOT NULL,
    sharp_service_fen BIGINT NOT NULL,
    peak_wh BIGINT NOT NULL,
    peak_elec_fen BIGINT NOT NULL,
    peak_service_fen BIGINT NOT NULL,
    flat_wh BIGINT NOT NULL,
    flat_elec_fen BIGINT NOT NULL,
    flat_service_fen BIGINT NOT NULL,
    valley_wh BIGINT NOT NULL,
    valley_elec_fen BIGINT NOT NULL,
    valley_service_fen BIGINT NOT NULL,
    last_priced_at BIGINT,
    computed_at BIGINT NOT NULL,
    CONSTRAINT pk_bill_days PRIMARY KEY (operator_id, start, site_id)
);

CREATE TABLE bill_due (
    operator_id BIGINT NOT NULL,
    start BIGINT NOT NULL,
    site_id BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_bill_due PRIMARY KEY (operator_id, start, site_id)
);

CREATE INDEX ix_bill_due_at ON bill_due (due_at);

CREATE TABLE schedules (
    schedule_id BIGSERIAL NOT NULL,
    name TEXT NOT NULL,
    operator_id BIGINT,
    report TEXT NOT NULL,
    options TEXT NOT NULL,
    form TEXT NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    every TEXT NOT NULL,
    at_minute BIGINT NOT NULL,
    target TEXT NOT NULL,
    address TEXT NOT NULL,
    secret TEXT,
    enabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    removed_at BIGINT,
    next_at BIGINT NOT NULL,
    CONSTRAINT pk_schedules PRIMARY KEY (schedule_id),
    CONSTRAINT fk_schedules_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
);

CREATE INDEX ix_schedules_next ON schedules (next_at) WHERE enabled = 1 AND removed_at IS NULL;

CREATE TABLE deliveries (
    delivery_id BIGSERIAL NOT NULL,
    schedule_id BIGINT NOT NULL,
    period TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    state TEXT DEFAULT 'waiting' NOT NULL,
    attempts BIGINT DEFAULT 0 NOT NULL,
    delivered_at BIGINT,
    file_name TEXT NOT NULL,
    bytes BIGINT,
    sha256 TEXT,
    last_error TEXT,
    CONSTRAINT pk_deliveries PRIMARY KEY (delivery_id),
    CONSTRAINT uq_deliveries_schedule_id_period UNIQUE (schedule_id, period),
    CONSTRAINT fk_deliveries_schedule_id FOREIGN KEY(schedule_id) REFERENCES schedules (schedule_id)
);

CREATE INDEX ix_deliveries_created ON deliveries (created_at);

CREATE INDEX ix_deliveries_due ON deliveries (due_at) WHERE state = 'waiting';

CREATE INDEX ix_deliveries_schedule ON deliveries (schedule_id, delivery_id);

CREATE INDEX ix_disputes_order ON disputes (start_charge_seq, dispute_id);

INSERT INTO bill_due (operator_id, start, site_id, due_at, version)
SELECT operator_id, start, CASE level WHEN 'site' THEN subject_id ELSE 0 END, 0, 1
FROM totals WHERE period = 'day' AND level IN ('site', 'operator');
