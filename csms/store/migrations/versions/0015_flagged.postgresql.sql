CREATE INDEX ix_sessions_flagged_operator ON sessions (operator_id, started_at, session_id) WHERE flags <> '';

CREATE INDEX ix_sessions_flagged_site ON sessions (site_id, started_at, session_id) WHERE flags <> '';
