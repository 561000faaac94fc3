-- Every delivery that came with a valid secret, taken once or refused, under one
-- number of ours. The table is made anew, since a refused one may have no id.
CREATE TABLE delivery_new (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT,             -- the envelope's, or made from the body; NULL when refused
    detail_id      TEXT,
    received_at    INTEGER NOT NULL,
    sent_at        INTEGER,          -- the envelope's time
    published_at   INTEGER,
    detail_type    TEXT,
    source         TEXT,
    account        TEXT,
    region         TEXT,
    check_id       TEXT,
    title          TEXT,
    severity       TEXT,             -- as sent
    outcome        TEXT NOT NULL CHECK (outcome IN
        ('accepted', 'filtered', 'test', 'malformed', 'too_large', 'unavailable')),
    status         INTEGER NOT NULL, -- of the answer
    reason         TEXT,             -- why it was refused, or opened nothing
    users          INTEGER NOT NULL DEFAULT 0,
    new_users      INTEGER NOT NULL DEFAULT 0,
    known_users    TEXT NOT NULL DEFAULT '[]', -- JSON list: who was known to fail already
    cleared_users  TEXT NOT NULL DEFAULT '[]', -- JSON list: whom a newer answer cleared
    skipped_logins INTEGER NOT NULL DEFAULT 0,
    notes          TEXT NOT NULL DEFAULT '[]', -- JSON list
    repeats        INTEGER NOT NULL DEFAULT 0,
    last_repeat_at INTEGER,
    replayed_as    INTEGER,          -- of a refused one: the delivery that its replay became
    size           INTEGER,          -- of the body, unpacked where that succeeded
    is_packed      INTEGER NOT NULL DEFAULT 0 CHECK (is_packed IN (0, 1)),
    body           ANY               -- TEXT, or BLOB when it is no UTF-8; may be cut when refused
) STRICT;

INSERT INTO delivery_new
    (seq, id, received_at, published_at, detail_type, check_id, outcome, status, size, body)
    SELECT seq, id, received_at, published_at, detail_type, check_id, outcome, 200,
           length(CAST(body AS BLOB)), body
    FROM delivery;
UPDATE delivery_new SET users = coalesce(json_array_length(body, '$.detail.usersFailing'), 0)
    WHERE json_valid(body);

DROP TABLE delivery;
ALTER TABLE delivery_new RENAME TO delivery;

CREATE UNIQUE INDEX delivery_id ON delivery (id) WHERE status = 200;
CREATE INDEX delivery_received ON delivery (received_at);
CREATE INDEX delivery_refused ON delivery (seq) WHERE status <> 200;
CREATE INDEX delivery_of_check ON delivery (check_id, seq) WHERE check_id IS NOT NULL;
