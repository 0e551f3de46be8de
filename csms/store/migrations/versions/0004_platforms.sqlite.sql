CREATE TABLE platform_tallies (
    platform TEXT NOT NULL,
    kind TEXT NOT NULL,
    day INTEGER NOT NULL,
    sent INTEGER DEFAULT 0 NOT NULL,
    on_time INTEGER DEFAULT 0 NOT NULL,
    accepted INTEGER DEFAULT 0 NOT NULL,
    disputed INTEGER DEFAULT 0 NOT NULL,
    dead INTEGER DEFAULT 0 NOT NULL,
    last_at INTEGER,
    CONSTRAINT pk_platform_tallies PRIMARY KEY (platform, kind, day)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE order_checks (
    platform TEXT NOT NULL,
    day INTEGER NOT NULL,
    check_order_seq TEXT NOT NULL,
    orders INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL,
    money TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    answered_at INTEGER,
    disputes INTEGER,
    CONSTRAINT pk_order_checks PRIMARY KEY (platform, day)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE disputes (
    dispute_id INTEGER NOT NULL,
    platform TEXT NOT NULL,
    source TEXT NOT NULL,
    about TEXT NOT NULL,
    start_charge_seq TEXT NOT NULL,
    reason INTEGER,
    their_power TEXT NOT NULL,
    their_money TEXT NOT NULL,
    our_energy_wh INTEGER,
    our_money TEXT,
    raised_at INTEGER NOT NULL,
    resolved_at INTEGER,
    resolved_by TEXT,
    note TEXT,
    CONSTRAINT pk_disputes PRIMARY KEY (dispute_id),
    CONSTRAINT uq_disputes_platform_source_about_start_charge_seq UNIQUE (platform, source, about, start_charge_seq)
)
 STRICT;

CREATE INDEX ix_disputes_platform ON disputes (platform, dispute_id);

CREATE TABLE platform_ticks (
    task TEXT NOT NULL,
    tick INTEGER NOT NULL,
    at INTEGER NOT NULL,
    CONSTRAINT pk_platform_ticks PRIMARY KEY (task, tick)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX ix_platform_ticks_at ON platform_ticks (at);

CREATE TABLE platform_cursors (
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    CONSTRAINT pk_platform_cursors PRIMARY KEY (name)
)
 WITHOUT ROWID,
 STRICT;

ALTER TABLE outbox ADD COLUMN sent_hash TEXT;

DROP INDEX ix_outbox_key;

DROP INDEX ix_outbox_due;

CREATE INDEX ix_outbox_dead ON outbox (outbox_id) WHERE state = 'dead';

CREATE INDEX ix_outbox_due ON outbox (platform, due_at) WHERE state = 'waiting';

CREATE INDEX ix_outbox_key ON outbox (platform, kind, "key", outbox_id) WHERE state = 'waiting';

CREATE INDEX ix_outbox_platform ON outbox (platform, kind, outbox_id);

CREATE INDEX ix_outbox_waiting ON outbox (outbox_id) WHERE state = 'waiting';
