CREATE TABLE tariffs (
    tariff_id INTEGER NOT NULL,
    operator_id INTEGER NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT pk_tariffs PRIMARY KEY (tariff_id),
    CONSTRAINT uq_tariffs_operator_id_code UNIQUE (operator_id, code),
    CONSTRAINT fk_tariffs_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
)
 STRICT;

CREATE TABLE tariff_versions (
    version_id INTEGER NOT NULL,
    tariff_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_until INTEGER,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT pk_tariff_versions PRIMARY KEY (version_id),
    CONSTRAINT uq_tariff_versions_tariff_id_number UNIQUE (tariff_id, number),
    CONSTRAINT fk_tariff_versions_tariff_id FOREIGN KEY(tariff_id) REFERENCES tariffs (tariff_id)
)
 STRICT;

CREATE TABLE tariff_assignments (
    assignment_id INTEGER NOT NULL,
    tariff_id INTEGER NOT NULL,
    operator_id INTEGER NOT NULL,
    site_id INTEGER,
    station_id INTEGER,
    evse INTEGER,
    connector INTEGER,
    valid_from INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT pk_tariff_assignments PRIMARY KEY (assignment_id),
    CONSTRAINT fk_tariff_assignments_tariff_id FOREIGN KEY(tariff_id) REFERENCES tariffs (tariff_id),
    CONSTRAINT fk_tariff_assignments_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id),
    CONSTRAINT fk_tariff_assignments_site_id FOREIGN KEY(site_id) REFERENCES sites (site_id),
    CONSTRAINT fk_tariff_assignments_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
)
 STRICT;

CREATE INDEX ix_tariff_assignments_tariff ON tariff_assignments (tariff_id, assignment_id);

CREATE TABLE session_costs (
    session_id INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    at INTEGER NOT NULL,
    session_revision INTEGER NOT NULL,
    digest TEXT NOT NULL,
    version_id INTEGER,
    energy_wh INTEGER,
    currency TEXT,
    elec_money TEXT,
    service_money TEXT,
    idle_minutes INTEGER,
    idle_money TEXT,
    parking_minutes INTEGER,
    parking_money TEXT,
    total TEXT,
    lines TEXT NOT NULL,
    CONSTRAINT pk_session_costs PRIMARY KEY (session_id, revision)
)
 WITHOUT ROWID,
 STRICT;

INSERT INTO session_costs (session_id, revision, at, session_revision, digest, lines)
    SELECT CAST(key AS INTEGER), max(CAST(substr(about, length(key) + 2) AS INTEGER)), max(created_at), max(CAST(substr(about, length(key) + 2) AS INTEGER)), '', '[]'
    FROM outbox WHERE kind = 'charge-order' GROUP BY key;
