-- Who watches what, until when, and why.
ALTER TABLE watch ADD COLUMN expires_at INTEGER;
ALTER TABLE watch ADD COLUMN note TEXT;

-- How asking about a watched subject ended.
CREATE TABLE poll (
    kind        TEXT NOT NULL CHECK (kind IN ('user', 'ip')),
    subject     TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    since       INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    answered_at INTEGER, -- the last time it ended with an answer
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

-- How the jobs' last runs ended.
CREATE TABLE job_state (
    job             TEXT PRIMARY KEY,
    outcome         TEXT NOT NULL,
    since           INTEGER NOT NULL,
    last_begun_at   INTEGER NOT NULL,
    last_success_at INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO job_state (job, outcome, since, last_begun_at, last_success_at)
    SELECT job, 'succeeded', last_success_at, last_success_at, last_success_at FROM job_run;
DROP TABLE job_run;

-- A listing of the tenant that is under way: how far it has got, and what it
-- brought. Nothing of it is shown before its last page.
CREATE TABLE tenant_listing (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    begun_at   INTEGER NOT NULL,
    page_token TEXT NOT NULL
) STRICT;

CREATE TABLE tenant_staged (
    login    TEXT PRIMARY KEY,
    facts    TEXT NOT NULL,   -- JSON
    failing  TEXT,            -- JSON list; NULL when the service does not tell
    asked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The last listing that came to its end.
CREATE TABLE tenant_complete (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    begun_at     INTEGER NOT NULL,
    completed_at INTEGER NOT NULL,
    is_verdict   INTEGER NOT NULL CHECK (is_verdict IN (0, 1)) -- told of every user's failing checks
) STRICT;

CREATE TABLE tenant_figure (
    dimension TEXT NOT NULL,
    value     TEXT NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (dimension, value)
) STRICT, WITHOUT ROWID;

-- The service itself, as it was last seen.
CREATE TABLE integration (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    status      TEXT NOT NULL,
    date        INTEGER NOT NULL,
    error       TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE admin (
    login           TEXT PRIMARY KEY,
    display_name    TEXT,
    last_sign_in_at INTEGER
) STRICT, WITHOUT ROWID;

-- One row for each part of the service that was seen.
CREATE TABLE service_seen (
    part    TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL,
    number  INTEGER -- of the daily counts: the newest day's
) STRICT, WITHOUT ROWID;

-- Webhook targets that this exporter registered.
CREATE TABLE webhook_target (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    url           TEXT NOT NULL,
    check_ids     TEXT NOT NULL, -- JSON list
    registered_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX failure_by_delivery ON failure (delivery_seq) WHERE delivery_seq IS NOT NULL;
CREATE INDEX failure_resolved ON failure (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX event_observed ON event (observed_at);
