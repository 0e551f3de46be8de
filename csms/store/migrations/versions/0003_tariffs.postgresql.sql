CREATE TABLE tariffs (
    tariff_id BIGSERIAL NOT NULL,
    operator_id BIGINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_tariffs PRIMARY KEY (tariff_id),
    CONSTRAINT uq_tariffs_operator_id_code UNIQUE (operator_id, code),
    CONSTRAINT fk_tariffs_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
);

CREATE TABLE tariff_versions (
    version_id BIGSERIAL NOT NULL,
    tariff_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_tariff_versions PRIMARY KEY (version_id),
    CONSTRAINT uq_tariff_versions_tariff_id_number UNIQUE (tariff_id, number),
    CONSTRAINT fk_tariff_versions_tariff_id FOREIGN KEY(tariff_id) REFERENCES tariffs (tariff_id)
);

CREATE TABLE tariff_assignments (
    assignment_id BIGSERIAL NOT NULL,
    tariff_id BIGINT NOT NULL,
    operator_id BIGINT NOT NULL,
    site_id BIGINT,
    station_id BIGINT,
    evse BIGINT,
    connector BIGINT,
    valid_from BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_tariff_assignments PRIMARY KEY (assignment_id),
    CONSTRAINT fk_tariff_assignments_tariff_id FOREIGN KEY(tariff_id) REFERENCES tariffs (tariff_id),
    CONSTRAINT fk_tariff_assignments_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id),
    CONSTRAINT fk_tariff_assignments_site_id FOREIGN KEY(site_id) REFERENCES sites (site_id),
    CONSTRAINT fk_tariff_assignments_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
);

CREATE INDEX ix_tariff_assignments_tariff ON tariff_assignments (tariff_id, assignment_id);

CREATE TABLE session_costs (
    session_id BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    at BIGINT NOT NULL,
    session_revision BIGINT NOT NULL,
    digest TEXT NOT NULL,
    version_id BIGINT,
    energy_wh BIGINT,
    currency TEXT,
    elec_money TEXT,
    service_money TEXT,
    idle_minutes BIGINT,
    idle_money TEXT,
    parking_minutes BIGINT,
    parking_money TEXT,
    total TEXT,
    lines TEXT NOT NULL,
    CONSTRAINT pk_session_costs PRIMARY KEY (session_id, revision)
);

INSERT INTO session_costs (session_id, revision, at, session_revision, digest, lines)
    SELECT CAST(key AS BIGINT), max(CAST(split_part(about, '/', 2) AS BIGINT)), max(created_at), max(CAST(split_part(about, '/', 2) AS BIGINT)), '', '[]'
    FROM outbox WHERE kind = 'charge-order' GROUP BY key;
