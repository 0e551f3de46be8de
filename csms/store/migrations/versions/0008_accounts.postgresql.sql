CREATE TABLE users (
    user_id BIGSERIAL NOT NULL,
    folded TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    operator_id BIGINT,
    sites TEXT,
    language TEXT DEFAULT '' NOT NULL,
    time_zone TEXT DEFAULT '' NOT NULL,
    enabled BIGINT DEFAULT 1 NOT NULL,
    must_change BIGINT DEFAULT 0 NOT NULL,
    code_secret TEXT,
    code_step BIGINT DEFAULT 0 NOT NULL,
    recovery TEXT DEFAULT '[]' NOT NULL,
    created_at BIGINT NOT NULL,
    signed_in_at BIGINT,
    CONSTRAINT pk_users PRIMARY KEY (user_id),
    CONSTRAINT uq_users_folded UNIQUE (folded),
    CONSTRAINT fk_users_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
);

CREATE TABLE visits (
    token_hash BYTEA NOT NULL,
    user_id BIGINT NOT NULL,
    csrf TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    CONSTRAINT pk_visits PRIMARY KEY (token_hash),
    CONSTRAINT fk_visits_user_id FOREIGN KEY(user_id) REFERENCES users (user_id)
);

CREATE INDEX ix_visits_user ON visits (user_id);

CREATE INDEX ix_visits_seen ON visits (seen_at);

ALTER TABLE api_keys ADD COLUMN sites TEXT;

ALTER TABLE audit_log ADD COLUMN address TEXT DEFAULT '' NOT NULL;

ALTER TABLE audit_log ADD COLUMN before TEXT;

CREATE INDEX ix_audit_log_actor ON audit_log (actor, audit_id);

CREATE INDEX ix_audit_log_subject ON audit_log (subject, audit_id);

CREATE INDEX ix_audit_log_action ON audit_log (action, audit_id);

CREATE INDEX ix_audit_log_at ON audit_log (at, audit_id);
