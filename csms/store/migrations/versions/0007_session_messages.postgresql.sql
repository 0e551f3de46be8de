ALTER TABLE sessions ADD COLUMN heard BIGINT DEFAULT 0 NOT NULL;

ALTER TABLE session_messages RENAME TO session_messages_old;

ALTER TABLE session_messages_old RENAME CONSTRAINT pk_session_messages TO pk_session_messages_old;

CREATE TABLE session_messages (
    entry_id BIGSERIAL NOT NULL,
    session_id BIGINT NOT NULL,
    key_number BIGINT NOT NULL,
    key TEXT NOT NULL,
    nth BIGINT NOT NULL,
    kind TEXT NOT NULL,
    message_id TEXT NOT NULL,
    at BIGINT,
    received_at BIGINT NOT NULL,
    payload_hash TEXT NOT NULL,
    facts TEXT NOT NULL,
    answer TEXT,
    evse BIGINT NOT NULL,
    samples TEXT NOT NULL,
    action TEXT NOT NULL,
    request TEXT NOT NULL,
    CONSTRAINT pk_session_messages PRIMARY KEY (entry_id),
    CONSTRAINT uq_session_messages_session_id_key_number UNIQUE (session_id, key_number)
);

INSERT INTO session_messages
    (session_id, key_number, key, nth, kind, message_id, at, received_at, payload_hash, facts, answer,
     evse, samples, action, request)
SELECT session_id,
       CASE WHEN key = 'start' THEN -1 WHEN key = 'stop' THEN -2
            WHEN key ~ '^[0-9]+$' THEN CAST(key AS BIGINT)
            ELSE -row_number() OVER (PARTITION BY session_id ORDER BY received_at, key) - 4611686018427387904
       END,
       key, 0, kind, message_id, at, received_at, payload_hash, facts, answer, 0, '', '', ''
FROM session_messages_old
ORDER BY received_at, key;

INSERT INTO session_messages
    (session_id, key_number, key, nth, kind, message_id, at, received_at, payload_hash, facts, answer,
     evse, samples, action, request)
SELECT owner_id,
       -row_number() OVER (PARTITION BY owner_id ORDER BY received_at, at) - 6917529027641081856,
       'readings:' || at || ':' || evse || ':' || part, 0, 'readings', '', at, received_at, '', '',
       NULL, evse, '[[' || at || ',' || samples || ']]', '', ''
FROM readings
WHERE owner_id > 0
ORDER BY received_at, at;

DROP TABLE session_messages_old;

DELETE FROM readings WHERE owner_id > 0;

UPDATE readings SET owner_id = -owner_id;

ALTER TABLE readings RENAME COLUMN owner_id TO station_id;
