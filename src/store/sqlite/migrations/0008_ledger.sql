-- What changes read and write, by what it is: a check has a number, and its id and
-- titles are names of it; open failures stand apart from those that ended; what
-- many events say in the same words is kept once.

-- The numbers that were given last, and how much is watched: one row.
CREATE TABLE head (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    event         INTEGER NOT NULL,
    public_events INTEGER NOT NULL, -- public events up to that one
    delivery      INTEGER NOT NULL,
    check_number  INTEGER NOT NULL,
    listing       INTEGER NOT NULL,
    users         INTEGER NOT NULL, -- watched
    ips           INTEGER NOT NULL, -- watched
    failing_people INTEGER NOT NULL -- who have an open failure
) STRICT;

CREATE TABLE checks (
    number        INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    title         TEXT NOT NULL,
    severity      TEXT,
    as_of         INTEGER NOT NULL,
    last_event_at INTEGER NOT NULL,
    version       INTEGER NOT NULL, -- of its words
    open          INTEGER NOT NULL  -- failures that are open
) STRICT;
-- Checks that only failures or totals name come last: a counter must not go back.
INSERT INTO checks (id, title, severity, as_of, last_event_at, version, open)
    SELECT check_id, title, severity, as_of, last_event_at, 1, (
        SELECT count(*) FROM failure AS f
        WHERE f.check_id = d.check_id AND f.resolved_at IS NULL)
    FROM check_definition AS d ORDER BY check_id;
INSERT INTO checks (id, title, as_of, last_event_at, version, open)
    SELECT check_id, check_id, 0, max(at), 1, sum(is_open) FROM (
        SELECT check_id, reported_at AS at, resolved_at IS NULL AS is_open FROM failure
        UNION ALL SELECT check_id, 0, 0 FROM check_total)
    WHERE check_id NOT IN (SELECT id FROM checks)
    GROUP BY check_id ORDER BY check_id;

-- The words of each version of a check.
CREATE TABLE check_words (
    check_number        INTEGER NOT NULL,
    version             INTEGER NOT NULL,
    description         TEXT NOT NULL, -- JSON list
    recommended_actions TEXT NOT NULL, -- JSON list
    PRIMARY KEY (check_number, version)
) STRICT, WITHOUT ROWID;
INSERT INTO check_words (check_number, version, description, recommended_actions)
    SELECT number, 1, coalesce(description, '[]'), coalesce(recommended_actions, '[]')
    FROM checks AS c LEFT JOIN check_definition AS d ON d.check_id = c.id;

-- The titles that a check has, and those that it had, as titles are compared.
CREATE TABLE check_title (
    folded       TEXT NOT NULL,
    check_number INTEGER NOT NULL,
    since        INTEGER NOT NULL,
    until        INTEGER, -- NULL: it has it now
    PRIMARY KEY (folded, check_number, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX check_title_now ON check_title (check_number) WHERE until IS NULL;
-- fold() is the exporter's own: SQLite folds ASCII only.
INSERT INTO check_title (folded, check_number, since)
    SELECT fold(title), number, as_of FROM checks;

CREATE TABLE check_total_new (
    check_number INTEGER NOT NULL,
    severity     TEXT NOT NULL,
    failures     INTEGER NOT NULL,
    resolutions  INTEGER NOT NULL,
    PRIMARY KEY (check_number, severity)
) STRICT, WITHOUT ROWID;
INSERT INTO check_total_new (check_number, severity, failures, resolutions)
    SELECT c.number, t.severity, failures, resolutions
    FROM check_total AS t JOIN checks AS c ON c.id = t.check_id;
DROP TABLE check_total;
ALTER TABLE check_total_new RENAME TO check_total;

-- Failures that are open. Rows of one user stand together, and an answer about a user
-- finds them there; those of a check are found by their age.
CREATE TABLE failure_now (
    check_number INTEGER NOT NULL,
    login        TEXT NOT NULL,
    opened_at    INTEGER NOT NULL,
    reported_at  INTEGER NOT NULL, -- when the service last said so
    delivery     INTEGER,          -- that opened it; NULL when an answer did
    is_announced INTEGER NOT NULL CHECK (is_announced IN (0, 1)),
    PRIMARY KEY (login, check_number)
) STRICT, WITHOUT ROWID;
-- Whether an answer's failure was announced is not known of older ones: an event of
-- the moment at which it opened tells it. A check that was told of by its title may
-- have got its id since; the event still has the title.
INSERT INTO failure_now (check_number, login, opened_at, reported_at, delivery, is_announced)
    SELECT c.number, login, opened_at, reported_at, delivery_seq,
           delivery_seq IS NOT NULL OR NOT EXISTS (
               SELECT 1 FROM event AS e WHERE e.login = f.login
               AND e.name = 'internal.check.baseline' AND e.happened_at = f.opened_at
               AND (e.check_id = f.check_id OR e.check_id NOT IN (SELECT id FROM checks)))
    FROM failure AS f JOIN checks AS c ON c.id = f.check_id
    WHERE resolved_at IS NULL ORDER BY login, c.number;

-- Failures that ended.
CREATE TABLE failure_closed (
    number       INTEGER PRIMARY KEY,
    check_number INTEGER NOT NULL,
    login        TEXT NOT NULL,
    opened_at    INTEGER NOT NULL,
    closed_at    INTEGER NOT NULL,
    delivery     INTEGER,
    is_announced INTEGER NOT NULL CHECK (is_announced IN (0, 1)),
    reason       TEXT -- NULL: ended before version 8
) STRICT;
INSERT INTO failure_closed
        (check_number, login, opened_at, closed_at, delivery, is_announced)
    SELECT c.number, login, opened_at, resolved_at, delivery_seq,
           delivery_seq IS NOT NULL OR NOT EXISTS (
               SELECT 1 FROM event AS e WHERE e.login = f.login
               AND e.name = 'internal.check.baseline' AND e.happened_at = f.opened_at
               AND (e.check_id = f.check_id OR e.check_id NOT IN (SELECT id FROM checks)))
    FROM failure AS f JOIN checks AS c ON c.id = f.check_id
    WHERE resolved_at IS NOT NULL ORDER BY resolved_at;
CREATE INDEX failure_closed_at ON failure_closed (closed_at);
DROP TABLE failure;
ALTER TABLE failure_now RENAME TO failure;
CREATE INDEX failure_by_age ON failure (check_number, opened_at);
CREATE INDEX failure_by_delivery ON failure (delivery) WHERE delivery IS NOT NULL;
DROP TABLE check_definition;

-- The log. Attributes that the events of a delivery share stand in event_context
-- under the number of the first of them; description and advice in check_words.
CREATE TABLE event_context (
    number     INTEGER PRIMARY KEY,
    attributes TEXT NOT NULL -- JSON object
) STRICT;
CREATE TABLE event_new (
    seq           INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,
    public        INTEGER NOT NULL CHECK (public IN (0, 1)),
    ordinal       INTEGER NOT NULL, -- public events up to and with this one
    check_id      TEXT,
    login         TEXT,
    ip            TEXT,
    application   TEXT,
    happened_at   INTEGER NOT NULL,
    observed_at   INTEGER NOT NULL,
    severity      TEXT,
    body          TEXT NOT NULL,
    attributes    TEXT NOT NULL, -- JSON object
    context       INTEGER,       -- event_context.number
    check_version INTEGER        -- check_words.version, of its check
) STRICT;
INSERT INTO event_new (seq, name, public, ordinal, check_id, login, ip, application,
                       happened_at, observed_at, severity, body, attributes)
    SELECT seq, name, public, sum(public) OVER (ORDER BY seq), check_id, login, ip, application,
           happened_at, observed_at, severity, body, attributes
    FROM event ORDER BY seq;

INSERT INTO head (id, event, public_events, delivery, check_number, listing, users, ips,
                  failing_people)
    SELECT 1,
        max(coalesce((SELECT max(seq) FROM event), 0),
            coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)),
        coalesce((SELECT sum(public) FROM event), 0),
        max(coalesce((SELECT max(seq) FROM delivery), 0),
            coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'delivery'), 0),
            coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'delivery_new'), 0)),
        coalesce((SELECT max(number) FROM checks), 0),
        (SELECT count(*) FROM tenant_complete),
        coalesce((SELECT subjects FROM watch_total WHERE kind = 'user'), 0),
        coalesce((SELECT subjects FROM watch_total WHERE kind = 'ip'), 0),
        (SELECT count(DISTINCT login) FROM failure);

DROP TABLE event;
ALTER TABLE event_new RENAME TO event;
CREATE INDEX event_by_login ON event (login) WHERE login IS NOT NULL;
CREATE INDEX event_observed ON event (observed_at);
DROP TABLE watch_total;

CREATE TABLE delivery_new (
    seq            INTEGER PRIMARY KEY,
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
    known_users    TEXT,             -- JSON list: who was known to fail already; NULL: nobody
    cleared_users  TEXT,             -- JSON list: whom a newer answer cleared; NULL: nobody
    skipped_logins INTEGER NOT NULL DEFAULT 0,
    notes          TEXT,             -- JSON list; NULL: none
    repeats        INTEGER NOT NULL DEFAULT 0,
    last_repeat_at INTEGER,
    replayed_as    INTEGER,          -- of a refused one: the delivery that its replay became
    size           INTEGER,          -- of the body, unpacked where that succeeded
    is_packed      INTEGER NOT NULL DEFAULT 0 CHECK (is_packed IN (0, 1)),
    body_form      INTEGER NOT NULL DEFAULT 0, -- 0: as it came; 1: zstd
    body           ANY               -- may be cut when refused
) STRICT;
INSERT INTO delivery_new (seq, id, detail_id, received_at, sent_at, published_at, detail_type,
        source, account, region, check_id, title, severity, outcome, status, reason, users,
        new_users, known_users, cleared_users, skipped_logins, notes, repeats, last_repeat_at,
        replayed_as, size, is_packed, body)
    SELECT seq, id, detail_id, received_at, sent_at, published_at, detail_type, source, account,
        region, check_id, title, severity, outcome, status, reason, users, new_users,
        nullif(known_users, '[]'), nullif(cleared_users, '[]'), skipped_logins,
        nullif(notes, '[]'), repeats, last_repeat_at, replayed_as, size, is_packed, body
    FROM delivery ORDER BY seq;
DROP TABLE delivery;
ALTER TABLE delivery_new RENAME TO delivery;
CREATE UNIQUE INDEX delivery_id ON delivery (id) WHERE status = 200;
CREATE INDEX delivery_received ON delivery (received_at);
CREATE INDEX delivery_refused ON delivery (seq) WHERE status <> 200;
CREATE INDEX delivery_of_check ON delivery (check_id, seq) WHERE check_id IS NOT NULL;
CREATE INDEX delivery_repeated ON delivery (last_repeat_at) WHERE last_repeat_at IS NOT NULL;

-- Listings of the tenant: the last complete one, and the one that is under way.
-- One that was under way is begun anew.
CREATE TABLE listing (
    state        TEXT PRIMARY KEY CHECK (state IN ('under_way', 'done')),
    number       INTEGER NOT NULL,
    begun_at     INTEGER NOT NULL,
    page_token   TEXT,             -- NULL: its last page is in
    pages        INTEGER NOT NULL,
    users        INTEGER NOT NULL,
    told         INTEGER NOT NULL, -- users of whom the failing checks were told
    skipped      INTEGER NOT NULL, -- rows that could not be read
    figures      TEXT NOT NULL,    -- JSON list of [dimension, value, count]
    ended_at     INTEGER,          -- when its last page came
    position     TEXT,             -- up to which login its verdicts were applied
    is_verdict   INTEGER NOT NULL CHECK (is_verdict IN (0, 1))
) STRICT, WITHOUT ROWID;
INSERT INTO listing (state, number, begun_at, pages, users, told, skipped, figures, ended_at,
                     is_verdict)
    SELECT 'done', 1, begun_at, 0, users, coalesce((SELECT sum(is_told) FROM tenant_member), 0), skipped, (
            SELECT json_group_array(json_array(dimension, value, count)) FROM tenant_figure),
        completed_at, is_verdict
    FROM tenant_complete;
CREATE TABLE listing_member (
    listing  INTEGER NOT NULL,
    login    TEXT NOT NULL,
    failing  TEXT,             -- JSON list; NULL when not told
    is_null  INTEGER NOT NULL CHECK (is_null IN (0, 1)), -- failing is null without an error
    asked_at INTEGER NOT NULL,
    PRIMARY KEY (listing, login)
) STRICT, WITHOUT ROWID;
INSERT INTO listing_member (listing, login, failing, is_null, asked_at)
    SELECT 1, login, iif(is_told, '[]', NULL), 0, begun_at FROM tenant_member, tenant_complete;
DROP TABLE tenant_member;
DROP TABLE tenant_complete;
DROP TABLE tenant_figure;
DROP TABLE tenant_staged;
DROP TABLE tenant_listing;

-- What a snapshot holds is read from the snapshot.
DROP TABLE user_application;
ALTER TABLE user_snapshot ADD COLUMN form INTEGER NOT NULL DEFAULT 1;
ALTER TABLE ip_snapshot ADD COLUMN form INTEGER NOT NULL DEFAULT 1;
