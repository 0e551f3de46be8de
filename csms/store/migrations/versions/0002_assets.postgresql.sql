CREATE TABLE operator_assets (
    operator_id BIGINT NOT NULL,
    attributes TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    CONSTRAINT pk_operator_assets PRIMARY KEY (operator_id)
);

CREATE TABLE site_assets (
    site_id BIGINT NOT NULL,
    operator_id BIGINT NOT NULL,
    city_id TEXT,
    attributes TEXT NOT NULL,
    modified_at BIGINT,
    changed_at BIGINT NOT NULL,
    CONSTRAINT pk_site_assets PRIMARY KEY (site_id),
    CONSTRAINT uq_site_assets_operator_id_city_id UNIQUE (operator_id, city_id),
    CONSTRAINT fk_site_assets_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
);

CREATE INDEX ix_site_assets_changed ON site_assets (operator_id, changed_at);

CREATE TABLE equipment (
    equipment_no BIGSERIAL NOT NULL,
    operator_id BIGINT NOT NULL,
    equipment_id TEXT NOT NULL,
    site_id BIGINT NOT NULL,
    station_id BIGINT,
    charger_class TEXT NOT NULL,
    attributes TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    CONSTRAINT pk_equipment PRIMARY KEY (equipment_no),
    CONSTRAINT uq_equipment_operator_id_equipment_id UNIQUE (operator_id, equipment_id),
    CONSTRAINT fk_equipment_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id),
    CONSTRAINT fk_equipment_site_id FOREIGN KEY(site_id) REFERENCES sites (site_id),
    CONSTRAINT fk_equipment_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
);

CREATE INDEX ix_equipment_site ON equipment (site_id, equipment_no);

CREATE INDEX ix_equipment_station ON equipment (station_id);

CREATE TABLE equipment_connectors (
    connector_no BIGSERIAL NOT NULL,
    equipment_no BIGINT NOT NULL,
    operator_id BIGINT NOT NULL,
    connector_id TEXT NOT NULL,
    station_id BIGINT,
    evse BIGINT,
    connector BIGINT,
    attributes TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    CONSTRAINT pk_equipment_connectors PRIMARY KEY (connector_no),
    CONSTRAINT uq_equipment_connectors_operator_id_connector_id UNIQUE (operator_id, connector_id),
    CONSTRAINT fk_equipment_connectors_equipment_no FOREIGN KEY(equipment_no) REFERENCES equipment (equipment_no),
    CONSTRAINT fk_equipment_connectors_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id),
    CONSTRAINT fk_equipment_connectors_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
);

CREATE INDEX ix_equipment_connectors_equipment ON equipment_connectors (equipment_no);

CREATE UNIQUE INDEX uq_equipment_connectors_address ON equipment_connectors (station_id, evse, connector);

CREATE TABLE asset_spells (
    level TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT,
    operator_id BIGINT NOT NULL,
    site_id BIGINT,
    charger_class TEXT NOT NULL,
    CONSTRAINT pk_asset_spells PRIMARY KEY (level, subject_id, since)
);
