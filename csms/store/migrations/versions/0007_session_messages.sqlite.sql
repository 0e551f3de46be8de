ALTER TABLE sessions ADD COLUMN heard INTEGER DEFAULT 0 NOT NULL;

CREATE TABLE session_messages_new (
    entry_id INTEGER NOT NULL,
    session_id INTEGER NOT NULL,
    key_number INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    nth INTEGER NOT NULL,
    kind TEXT NOT NULL,
    message_id TEXT NOT NULL,
    at INTEGER,
    received_at INTEGER NOT NULL,
    payload_hash TEXT NOT NULL,
    facts TEXT NOT NULL,
    answer TEXT,
    evse INTEGER NOT NULL,
    samples TEXT NOT NULL,
    action TEXT NOT NULL,
    request TEXT NOT NULL,
    CONSTRAINT pk_session_messages PRIMARY KEY (entry_id),
    CONSTRAINT uq_session_messages_session_id_key_number UNIQUE (session_id, key_number)
)
 STRICT;

INSERT INTO session_messages_new
    (session_id, key_number, "key", nth, kind, message_id, at, received_at, payload_hash, facts, answer,
     evse, samples, action, request)
SELECT session_id,
       CASE WHEN "key" = 'start' THEN -1 WHEN "key" = 'stop' THEN -2
            WHEN "key" GLOB '[0-9]*' AND "key" NOT GLOB '*[^0-9]*' THEN CAST("key" AS INTEGER)
            ELSE -row_number() OVER (PARTITION BY session_id ORDER BY received_at, "key") - 4611686018427387904
       END,
       "key", 0, kind, message_id, at, received_at, payload_hash, facts, answer, 0, '', '', ''
FROM session_messages
ORDER BY received_at, "key";

INSERT INTO session_messages_new
    (session_id, key_number, "key", nth, kind, message_id, at, received_at, payload_hash, facts, answer,
     evse, samples, action, request)
SELECT owner_id,
       -row_number() OVER (PARTITION BY owner_id ORDER BY received_at, at) - 6917529027641081856,
       'readings:' || at || ':' || evse || ':' || part, 0, 'readings', '', at, received_at, '', '',
       NULL, evse, '[[' || at || ',' || samples || ']]', '', ''
FROM readings
WHERE owner_id > 0
ORDER BY received_at, at;

DROP TABLE session_messages;

ALTER TABLE session_messages_new RENAME TO session_messages;

CREATE TABLE readings_new (
    station_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    evse INTEGER NOT NULL,
    part INTEGER NOT NULL,
    samples TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    CONSTRAINT pk_readings PRIMARY KEY (station_id, at, evse, part)
)
 WITHOUT ROWID,
 STRICT;

INSERT INTO readings_new (station_id, at, evse, part, samples, received_at)
SELECT -owner_id, at, evse, part, samples, received_at FROM readings WHERE owner_id < 0;

DROP TABLE readings;

ALTER TABLE readings_new RENAME TO readings;
