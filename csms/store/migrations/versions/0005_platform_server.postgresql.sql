CREATE TABLE platform_orders (
    order_id BIGSERIAL NOT NULL,
    platform TEXT NOT NULL,
    start_charge_seq TEXT NOT NULL,
    station_id BIGINT NOT NULL,
    identity TEXT NOT NULL,
    evse BIGINT NOT NULL,
    connector BIGINT NOT NULL,
    connector_id TEXT NOT NULL,
    id_token TEXT NOT NULL,
    token_folded TEXT NOT NULL,
    remote_start_id BIGINT,
    session_id BIGINT,
    state TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    start_by BIGINT NOT NULL,
    start_answer TEXT,
    stop_asked_at BIGINT,
    stop_by BIGINT,
    stop_answer TEXT,
    failure TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT pk_platform_orders PRIMARY KEY (order_id),
    CONSTRAINT uq_platform_orders_platform_start_charge_seq UNIQUE (platform, start_charge_seq)
);

CREATE INDEX ix_platform_orders_session ON platform_orders (session_id);

CREATE INDEX ix_platform_orders_state ON platform_orders (platform, state, changed_at);

CREATE INDEX ix_platform_orders_station ON platform_orders (station_id, asked_at);

CREATE INDEX ix_platform_orders_token ON platform_orders (token_folded);

CREATE TABLE platform_envelopes (
    platform TEXT NOT NULL,
    operator_id TEXT NOT NULL,
    stamp TEXT NOT NULL,
    seq TEXT NOT NULL,
    sig TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    CONSTRAINT pk_platform_envelopes PRIMARY KEY (platform, operator_id, stamp, seq, sig)
);

CREATE INDEX ix_platform_envelopes_taken ON platform_envelopes (taken_at);
