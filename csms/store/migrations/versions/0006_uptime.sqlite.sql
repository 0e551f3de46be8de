CREATE TABLE peak_due (
    site_id INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT pk_peak_due PRIMARY KEY (site_id, hour)
)
 STRICT;

CREATE TABLE site_peaks (
    period TEXT NOT NULL,
    start INTEGER NOT NULL,
    site_id INTEGER NOT NULL,
    peak_w INTEGER NOT NULL,
    is_measured INTEGER NOT NULL,
    computed_at INTEGER NOT NULL,
    CONSTRAINT pk_site_peaks PRIMARY KEY (period, start, site_id)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX ix_site_peaks_site ON site_peaks (site_id, period, start);

CREATE TABLE site_use_periods (
    period TEXT NOT NULL,
    start INTEGER NOT NULL,
    site_id INTEGER NOT NULL,
    until INTEGER NOT NULL,
    charging_us INTEGER NOT NULL,
    occupied_us INTEGER NOT NULL,
    free_us INTEGER NOT NULL,
    reserved_us INTEGER NOT NULL,
    offline_us INTEGER NOT NULL,
    fault_us INTEGER NOT NULL,
    unknown_us INTEGER NOT NULL,
    capacity_wh INTEGER,
    equipment_us INTEGER NOT NULL,
    records INTEGER NOT NULL,
    fault_records INTEGER NOT NULL,
    computed_at INTEGER NOT NULL,
    CONSTRAINT pk_site_use_periods PRIMARY KEY (period, start, site_id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE uptime_exclusions (
    exclusion_id INTEGER NOT NULL,
    station_id INTEGER NOT NULL,
    evse INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    actor TEXT NOT NULL,
    modified_at INTEGER NOT NULL,
    CONSTRAINT pk_uptime_exclusions PRIMARY KEY (exclusion_id),
    CONSTRAINT fk_uptime_exclusions_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
)
 STRICT;

CREATE INDEX ix_uptime_exclusions_station ON uptime_exclusions (station_id, starts_at);

CREATE TABLE use_marks (
    source TEXT NOT NULL,
    seen_id INTEGER NOT NULL,
    CONSTRAINT pk_use_marks PRIMARY KEY (source)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE use_periods (
    period TEXT NOT NULL,
    start INTEGER NOT NULL,
    station_id INTEGER NOT NULL,
    evse INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    until INTEGER NOT NULL,
    charging_us INTEGER NOT NULL,
    occupied_us INTEGER NOT NULL,
    free_us INTEGER NOT NULL,
    reserved_us INTEGER NOT NULL,
    offline_us INTEGER NOT NULL,
    fault_us INTEGER NOT NULL,
    unknown_us INTEGER NOT NULL,
    capacity_wh INTEGER,
    equipment_us INTEGER NOT NULL,
    records INTEGER NOT NULL,
    fault_records INTEGER NOT NULL,
    computed_at INTEGER NOT NULL,
    CONSTRAINT pk_use_periods PRIMARY KEY (period, start, station_id, evse, connector)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX ix_use_periods_station ON use_periods (station_id, period, start);

CREATE TABLE use_progress (
    station_id INTEGER NOT NULL,
    done_until INTEGER NOT NULL,
    CONSTRAINT pk_use_progress PRIMARY KEY (station_id)
)
 STRICT;

CREATE INDEX ix_use_progress_done ON use_progress (done_until);

CREATE INDEX ix_connector_states_time ON connector_states (station_id, evse, connector, at);

CREATE INDEX ix_station_events_links ON station_events (station_id, at) WHERE kind IN ('connected', 'disconnected');
