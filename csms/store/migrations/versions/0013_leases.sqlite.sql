ALTER TABLE outbox ADD COLUMN leased_until INTEGER;

ALTER TABLE outbox ADD COLUMN renewed_at INTEGER;

CREATE INDEX ix_outbox_told ON outbox (platform, kind, "key", outbox_id) WHERE sent_at IS NOT NULL;

CREATE INDEX ix_outbox_renewed ON outbox (platform, kind, renewed_at) WHERE state = 'waiting' AND renewed_at IS NOT NULL;
