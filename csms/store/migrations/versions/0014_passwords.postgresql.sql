ALTER TABLE charging_stations ADD COLUMN previous_until BIGINT;
