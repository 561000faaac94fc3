-- Moments are microseconds since 1970-01-01 UTC.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES ('store_id', lower(hex(randomblob(16))));

-- Every delivery that was answered with a 2xx, once.
CREATE TABLE delivery (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    received_at  INTEGER NOT NULL,
    published_at INTEGER,
    detail_type  TEXT NOT NULL,
    outcome      TEXT NOT NULL CHECK (outcome IN ('accepted', 'filtered', 'test')),
    check_id     TEXT,
    body         TEXT -- as received; NULL when the operator filters the check out
) STRICT;

CREATE INDEX delivery_received ON delivery (received_at);

-- Checks in the newest delivery's words.
CREATE TABLE check_definition (
    check_id            TEXT PRIMARY KEY,
    title               TEXT NOT NULL,
    severity            TEXT,
    description         TEXT NOT NULL, -- JSON list
    recommended_actions TEXT NOT NULL, -- JSON list
    as_of               INTEGER NOT NULL,
    last_event_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Counters of domain facts, kept in the transaction of the fact.
CREATE TABLE check_total (
    check_id    TEXT NOT NULL,
    severity    TEXT NOT NULL,
    failures    INTEGER NOT NULL DEFAULT 0,
    resolutions INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (check_id, severity)
) STRICT, WITHOUT ROWID;

CREATE TABLE failure (
    id           INTEGER PRIMARY KEY,
    check_id     TEXT NOT NULL,
    login        TEXT NOT NULL,
    opened_at    INTEGER NOT NULL,
    reported_at  INTEGER NOT NULL, -- when the service last said so
    delivery_seq INTEGER REFERENCES delivery (seq), -- NULL when an answer told of it
    resolved_at  INTEGER
) STRICT;

CREATE UNIQUE INDEX failure_open ON failure (check_id, login) WHERE resolved_at IS NULL;
-- How far the answers of the API about a user's failures have got.
CREATE TABLE failure_answer (
    login         TEXT PRIMARY KEY,
    as_of         INTEGER NOT NULL, -- when the newest one had been asked for
    unknown_since INTEGER           -- since when the service does not know the user
) STRICT, WITHOUT ROWID;

CREATE INDEX failure_open_by_login ON failure (login) WHERE resolved_at IS NULL;

-- One row for each reason to watch something.
CREATE TABLE watch (
    kind     TEXT NOT NULL CHECK (kind IN ('user', 'ip')),
    subject  TEXT NOT NULL,
    source   TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    PRIMARY KEY (kind, subject, source)
) STRICT, WITHOUT ROWID;

-- How many subjects have a row there, so that a limit costs no count.
CREATE TABLE watch_total (
    kind     TEXT PRIMARY KEY,
    subjects INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO watch_total (kind, subjects) VALUES ('user', 0), ('ip', 0);

CREATE TABLE user_snapshot (
    login             TEXT PRIMARY KEY,
    state             TEXT NOT NULL, -- JSON
    first_observed_at INTEGER NOT NULL,
    observed_at       INTEGER NOT NULL,
    new_ips           INTEGER NOT NULL DEFAULT 0,
    last_new_ip_at    INTEGER
) STRICT, WITHOUT ROWID;

-- The applications of the snapshots, by name.
CREATE TABLE user_application (
    login       TEXT NOT NULL,
    application TEXT NOT NULL,
    used        INTEGER NOT NULL CHECK (used IN (0, 1)),
    PRIMARY KEY (login, application)
) STRICT, WITHOUT ROWID;

CREATE INDEX user_application_by_name ON user_application (application, used, login);

CREATE TABLE ip_snapshot (
    ip                TEXT PRIMARY KEY,
    users             TEXT NOT NULL, -- JSON
    first_observed_at INTEGER NOT NULL,
    observed_at       INTEGER NOT NULL,
    new_users         INTEGER NOT NULL DEFAULT 0,
    last_new_user_at  INTEGER
) STRICT, WITHOUT ROWID;

-- The log: append-only, and a number is never used twice.
CREATE TABLE event (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    public      INTEGER NOT NULL CHECK (public IN (0, 1)),
    check_id    TEXT,
    login       TEXT,
    ip          TEXT,
    application TEXT,
    happened_at INTEGER NOT NULL,
    observed_at INTEGER NOT NULL,
    severity    TEXT,
    body        TEXT NOT NULL,
    attributes  TEXT NOT NULL -- JSON object
) STRICT;

CREATE INDEX event_public ON event (public) WHERE public = 1;
CREATE INDEX event_by_login ON event (login) WHERE login IS NOT NULL;

-- How far each receiver of the log has got.
CREATE TABLE cursor (
    consumer TEXT PRIMARY KEY,
    seq      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events that a collector refuses for ever.
CREATE TABLE parked_event (
    seq       INTEGER PRIMARY KEY REFERENCES event (seq),
    reason    TEXT NOT NULL,
    parked_at INTEGER NOT NULL
) STRICT;

CREATE TABLE job_run (
    job             TEXT PRIMARY KEY,
    last_success_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
