CREATE TABLE operator_assets (
    operator_id INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    CONSTRAINT pk_operator_assets PRIMARY KEY (operator_id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE site_assets (
    site_id INTEGER NOT NULL,
    operator_id INTEGER NOT NULL,
    city_id TEXT,
    attributes TEXT NOT NULL,
    modified_at INTEGER,
    changed_at INTEGER NOT NULL,
    CONSTRAINT pk_site_assets PRIMARY KEY (site_id),
    CONSTRAINT uq_site_assets_operator_id_city_id UNIQUE (operator_id, city_id),
    CONSTRAINT fk_site_assets_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX ix_site_assets_changed ON site_assets (operator_id, changed_at);

CREATE TABLE equipment (
    equipment_no INTEGER NOT NULL,
    operator_id INTEGER NOT NULL,
    equipment_id TEXT NOT NULL,
    site_id INTEGER NOT NULL,
    station_id INTEGER,
    charger_class TEXT NOT NULL,
    attributes TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    CONSTRAINT pk_equipment PRIMARY KEY (equipment_no),
    CONSTRAINT uq_equipment_operator_id_equipment_id UNIQUE (operator_id, equipment_id),
    CONSTRAINT fk_equipment_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id),
    CONSTRAINT fk_equipment_site_id FOREIGN KEY(site_id) REFERENCES sites (site_id),
    CONSTRAINT fk_equipment_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
)
 STRICT;

CREATE INDEX ix_equipment_site ON equipment (site_id, equipment_no);

CREATE INDEX ix_equipment_station ON equipment (station_id);

CREATE TABLE equipment_connectors (
    connector_no INTEGER NOT NULL,
    equipment_no INTEGER NOT NULL,
    operator_id INTEGER NOT NULL,
    connector_id TEXT NOT NULL,
    station_id INTEGER,
    evse INTEGER,
    connector INTEGER,
    attributes TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    CONSTRAINT pk_equipment_connectors PRIMARY KEY (connector_no),
    CONSTRAINT uq_equipment_connectors_operator_id_connector_id UNIQUE (operator_id, connector_id),
    CONSTRAINT fk_equipment_connectors_equipment_no FOREIGN KEY(equipment_no) REFERENCES equipment (equipment_no),
    CONSTRAINT fk_equipment_connectors_operator_id FOREIGN KEY(operator_id) REFERENCES operators (operator_id),
    CONSTRAINT fk_equipment_connectors_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
)
 STRICT;

CREATE INDEX ix_equipment_connectors_equipment ON equipment_connectors (equipment_no);

CREATE UNIQUE INDEX uq_equipment_connectors_address ON equipment_connectors (station_id, evse, connector);

CREATE TABLE asset_spells (
    level TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER,
    operator_id INTEGER NOT NULL,
    site_id INTEGER,
    charger_class TEXT NOT NULL,
    CONSTRAINT pk_asset_spells PRIMARY KEY (level, subject_id, since)
)
 WITHOUT ROWID,
 STRICT;
