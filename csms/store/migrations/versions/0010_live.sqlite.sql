CREATE TABLE changes (
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    operator_id INTEGER,
    site_id INTEGER,
    station_id INTEGER,
    session_id INTEGER,
    body TEXT NOT NULL,
    CONSTRAINT pk_changes PRIMARY KEY (number)
)
 STRICT;

CREATE TABLE webhooks (
    webhook_id INTEGER NOT NULL,
    url TEXT NOT NULL,
    kinds TEXT NOT NULL,
    operator_id INTEGER,
    secret TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    paused TEXT NOT NULL,
    last_at INTEGER,
    last_error TEXT NOT NULL,
    lease TEXT NOT NULL,
    leased_until INTEGER NOT NULL,
    CONSTRAINT pk_webhooks PRIMARY KEY (webhook_id)
)
 STRICT;

CREATE TABLE webhook_deliveries (
    delivery_id INTEGER NOT NULL,
    webhook_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    events INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    status INTEGER,
    error TEXT NOT NULL,
    took_ms INTEGER NOT NULL,
    CONSTRAINT pk_webhook_deliveries PRIMARY KEY (delivery_id)
)
 STRICT;

CREATE INDEX ix_webhook_deliveries_webhook ON webhook_deliveries (webhook_id, delivery_id);

CREATE TABLE alarms (
    alarm_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity TEXT NOT NULL,
    operator_id INTEGER,
    site_id INTEGER,
    station_id INTEGER,
    details TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    gone_at INTEGER,
    cleared_at INTEGER,
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    note TEXT,
    CONSTRAINT pk_alarms PRIMARY KEY (alarm_id)
)
 STRICT;

CREATE INDEX ix_alarms_cleared ON alarms (cleared_at) WHERE cleared_at IS NOT NULL;

CREATE UNIQUE INDEX ix_alarms_open ON alarms (kind, subject) WHERE cleared_at IS NULL;

CREATE INDEX ix_alarms_operator ON alarms (operator_id, alarm_id);

CREATE INDEX ix_alarms_station ON alarms (station_id, alarm_id);

CREATE TABLE session_marks (
    queue TEXT NOT NULL,
    session_id INTEGER NOT NULL,
    operator_id INTEGER,
    site_id INTEGER,
    CONSTRAINT pk_session_marks PRIMARY KEY (queue, session_id)
)
 WITHOUT ROWID,
 STRICT;

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
