CREATE TABLE platform_tallies (
    platform TEXT NOT NULL,
    kind TEXT NOT NULL,
    day BIGINT NOT NULL,
    sent BIGINT DEFAULT 0 NOT NULL,
    on_time BIGINT DEFAULT 0 NOT NULL,
    accepted BIGINT DEFAULT 0 NOT NULL,
    disputed BIGINT DEFAULT 0 NOT NULL,
    dead BIGINT DEFAULT 0 NOT NULL,
    last_at BIGINT,
    CONSTRAINT pk_platform_tallies PRIMARY KEY (platform, kind, day)
);

CREATE TABLE order_checks (
    platform TEXT NOT NULL,
    day BIGINT NOT NULL,
    check_order_seq TEXT NOT NULL,
    orders BIGINT NOT NULL,
    energy_wh BIGINT NOT NULL,
    money TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    answered_at BIGINT,
    disputes BIGINT,
    CONSTRAINT pk_order_checks PRIMARY KEY (platform, day)
);

CREATE TABLE disputes (
    dispute_id BIGSERIAL NOT NULL,
    platform TEXT NOT NULL,
    source TEXT NOT NULL,
    about TEXT NOT NULL,
    start_charge_seq TEXT NOT NULL,
    reason BIGINT,
    their_power TEXT NOT NULL,
    their_money TEXT NOT NULL,
    our_energy_wh BIGINT,
    our_money TEXT,
    raised_at BIGINT NOT NULL,
    resolved_at BIGINT,
    resolved_by TEXT,
    note TEXT,
    CONSTRAINT pk_disputes PRIMARY KEY (dispute_id),
    CONSTRAINT uq_disputes_platform_source_about_start_charge_seq UNIQUE (platform, source, about, start_charge_seq)
);

CREATE INDEX ix_disputes_platform ON disputes (platform, dispute_id);

CREATE TABLE platform_ticks (
    task TEXT NOT NULL,
    tick BIGINT NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT pk_platform_ticks PRIMARY KEY (task, tick)
);

CREATE INDEX ix_platform_ticks_at ON platform_ticks (at);

CREATE TABLE platform_cursors (
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    CONSTRAINT pk_platform_cursors PRIMARY KEY (name)
);

ALTER TABLE outbox ADD COLUMN sent_hash TEXT;

DROP INDEX ix_outbox_key;

DROP INDEX ix_outbox_due;

CREATE INDEX ix_outbox_dead ON outbox (outbox_id) WHERE state = 'dead';

CREATE INDEX ix_outbox_due ON outbox (platform, due_at) WHERE state = 'waiting';

CREATE INDEX ix_outbox_key ON outbox (platform, kind, key, outbox_id) WHERE state = 'waiting';

CREATE INDEX ix_outbox_platform ON outbox (platform, kind, outbox_id);

CREATE INDEX ix_outbox_waiting ON outbox (outbox_id) WHERE state = 'waiting';
