CREATE TABLE peak_due (
    site_id BIGINT NOT NULL,
    hour BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_peak_due PRIMARY KEY (site_id, hour)
);

CREATE TABLE site_peaks (
    period TEXT NOT NULL,
    start BIGINT NOT NULL,
    site_id BIGINT NOT NULL,
    peak_w BIGINT NOT NULL,
    is_measured BIGINT NOT NULL,
    computed_at BIGINT NOT NULL,
    CONSTRAINT pk_site_peaks PRIMARY KEY (period, start, site_id)
);

CREATE INDEX ix_site_peaks_site ON site_peaks (site_id, period, start);

CREATE TABLE site_use_periods (
    period TEXT NOT NULL,
    start BIGINT NOT NULL,
    site_id BIGINT NOT NULL,
    until BIGINT NOT NULL,
    charging_us BIGINT NOT NULL,
    occupied_us BIGINT NOT NULL,
    free_us BIGINT NOT NULL,
    reserved_us BIGINT NOT NULL,
    offline_us BIGINT NOT NULL,
    fault_us BIGINT NOT NULL,
    unknown_us BIGINT NOT NULL,
    capacity_wh BIGINT,
    equipment_us BIGINT NOT NULL,
    records BIGINT NOT NULL,
    fault_records BIGINT NOT NULL,
    computed_at BIGINT NOT NULL,
    CONSTRAINT pk_site_use_periods PRIMARY KEY (period, start, site_id)
);

CREATE TABLE uptime_exclusions (
    exclusion_id BIGSERIAL NOT NULL,
    station_id BIGINT NOT NULL,
    evse BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    actor TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    CONSTRAINT pk_uptime_exclusions PRIMARY KEY (exclusion_id),
    CONSTRAINT fk_uptime_exclusions_station_id FOREIGN KEY(station_id) REFERENCES charging_stations (station_id)
);

CREATE INDEX ix_uptime_exclusions_station ON uptime_exclusions (station_id, starts_at);

CREATE TABLE use_marks (
    source TEXT NOT NULL,
    seen_id BIGINT NOT NULL,
    CONSTRAINT pk_use_marks PRIMARY KEY (source)
);

CREATE TABLE use_periods (
    period TEXT NOT NULL,
    start BIGINT NOT NULL,
    station_id BIGINT NOT NULL,
    evse BIGINT NOT NULL,
    connector BIGINT NOT NULL,
    until BIGINT NOT NULL,
    charging_us BIGINT NOT NULL,
    occupied_us BIGINT NOT NULL,
    free_us BIGINT NOT NULL,
    reserved_us BIGINT NOT NULL,
    offline_us BIGINT NOT NULL,
    fault_us BIGINT NOT NULL,
    unknown_us BIGINT NOT NULL,
    capacity_wh BIGINT,
    equipment_us BIGINT NOT NULL,
    records BIGINT NOT NULL,
    fault_records BIGINT NOT NULL,
    computed_at BIGINT NOT NULL,
    CONSTRAINT pk_use_periods PRIMARY KEY (period, start, station_id, evse, connector)
);

CREATE INDEX ix_use_periods_station ON use_periods (station_id, period, start);

CREATE TABLE use_progress (
    station_id BIGINT NOT NULL,
    done_until BIGINT NOT NULL,
    CONSTRAINT pk_use_progress PRIMARY KEY (station_id)
);

CREATE INDEX ix_use_progress_done ON use_progress (done_until);

CREATE INDEX ix_connector_states_time ON connector_states (station_id, evse, connector, at);

CREATE INDEX ix_station_events_links ON station_events (station_id, at) WHERE kind IN ('connected', 'disconnected');
