DROP INDEX ix_sessions_transaction;

CREATE INDEX ix_sessions_transaction ON sessions (transaction_id, station_id);

CREATE INDEX ix_sessions_orphans ON sessions (started_at, session_id) WHERE flags LIKE '%,orphan-stop,%' AND flags NOT LIKE '%,dismissed,%';

ALTER TABLE id_tokens ADD COLUMN operator_id BIGINT;

ALTER TABLE id_tokens ADD COLUMN sites TEXT DEFAULT '[]' NOT NULL;

ALTER TABLE id_tokens ADD COLUMN note TEXT DEFAULT '' NOT NULL;

CREATE INDEX ix_id_tokens_operator ON id_tokens (operator_id, folded) WHERE operator_id IS NOT NULL;

CREATE INDEX ix_id_tokens_group ON id_tokens (group_token, folded) WHERE group_token IS NOT NULL;

CREATE INDEX ix_messages_authorize ON messages (entry_id) WHERE action = 'Authorize';

ALTER TABLE disputes ADD COLUMN session_id BIGINT;

UPDATE disputes SET session_id = coalesce(
    (SELECT o.session_id FROM platform_orders o
     WHERE o.platform = disputes.platform AND o.start_charge_seq = disputes.start_charge_seq),
    (SELECT s.session_id FROM sessions s WHERE s.session_id = CASE
        WHEN disputes.start_charge_seq ~ '^.{9}[0-9]{18}$' THEN CAST(substr(disputes.start_charge_seq, 10) AS BIGINT) END)
);

CREATE INDEX ix_disputes_session ON disputes (session_id) WHERE session_id IS NOT NULL AND resolved_at IS NULL;
