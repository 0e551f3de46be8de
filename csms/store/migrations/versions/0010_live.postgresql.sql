CREATE TABLE changes (
    number BIGSERIAL NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    operator_id BIGINT,
    site_id BIGINT,
    station_id BIGINT,
    session_id BIGINT,
    body TEXT NOT NULL,
    CONSTRAINT pk_changes PRIMARY KEY (number)
);

CREATE TABLE webhooks (
    webhook_id BIGSERIAL NOT NULL,
    url TEXT NOT NULL,
    kinds TEXT NOT NULL,
    operator_id BIGINT,
    secret TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    position BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    paused TEXT NOT NULL,
    last_at BIGINT,
    last_error TEXT NOT NULL,
    lease TEXT NOT NULL,
    leased_until BIGINT NOT NULL,
    CONSTRAINT pk_webhooks PRIMARY KEY (webhook_id)
);

CREATE TABLE webhook_deliveries (
    delivery_id BIGSERIAL NOT NULL,
    webhook_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    events BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    status BIGINT,
    error TEXT NOT NULL,
    took_ms BIGINT NOT NULL,
    CONSTRAINT pk_webhook_deliveries PRIMARY KEY (delivery_id)
);

CREATE INDEX ix_webhook_deliveries_webhook ON webhook_deliveries (webhook_id, delivery_id);

CREATE TABLE alarms (
    alarm_id BIGSERIAL NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity TEXT NOT NULL,
    operator_id BIGINT,
    site_id BIGINT,
    station_id BIGINT,
    details TEXT NOT NULL,
    raised_at BIGINT NOT NULL,
    gone_at BIGINT,
    cleared_at BIGINT,
    acknowledged_at BIGINT,
    acknowledged_by TEXT,
    note TEXT,
    CONSTRAINT pk_alarms PRIMARY KEY (alarm_id)
);

CREATE INDEX ix_alarms_cleared ON alarms (cleared_at) WHERE cleared_at IS NOT NULL;

CREATE UNIQUE INDEX ix_alarms_open ON alarms (kind, subject) WHERE cleared_at IS NULL;

CREATE INDEX ix_alarms_operator ON alarms (operator_id, alarm_id);

CREATE INDEX ix_alarms_station ON alarms (station_id, alarm_id);

CREATE TABLE session_marks (
    queue TEXT NOT NULL,
    session_id BIGINT NOT NULL,
    operator_id BIGINT,
    site_id BIGINT,
    CONSTRAINT pk_session_marks PRIMARY KEY (queue, session_id)
);

CREATE INDEX ix_session_marks_operator ON session_marks (operator_id, queue, session_id);

CREATE INDEX ix_charging_stations_away ON charging_stations (disconnected_at) WHERE disconnected_at IS NOT NULL;

CREATE INDEX ix_connectors_faulted ON connectors (station_id) WHERE status = 'faulted' OR error_code <> '';

CREATE INDEX ix_disputes_open ON disputes (platform, dispute_id) WHERE resolved_at IS NULL;

INSERT INTO session_marks (queue, session_id, operator_id, site_id)
SELECT DISTINCT q.queue, s.session_id, s.operator_id, s.site_id
FROM sessions s JOIN (
    SELECT 'unmatched-stops' AS queue, '%,orphan-stop,%' AS flag
    UNION ALL SELECT 'gaps', '%,gap,%'
    UNION ALL SELECT 'implausible-energy', '%,implausible-energy,%'
    UNION ALL SELECT 'implausible-energy', '%,stop-below-start,%'
    UNION ALL SELECT 'clock-errors', '%,clock,%'
) q ON s.flags LIKE q.flag
WHERE s.flags <> '';
