-- Users by identity: an e-mail login is one person in any case. identity() is the
-- exporter's own, as the domain compares logins.

-- How logins are spelled, where that is not their identity.
CREATE TABLE login_spelling (
    login    TEXT PRIMARY KEY,
    spelling TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who was stored under another text than the identity.
CREATE TEMP TABLE respelled AS
    SELECT login AS spelling, identity(login) AS login FROM (
        SELECT DISTINCT login FROM failure
        UNION SELECT login FROM failure_closed
        UNION SELECT login FROM failure_answer
        UNION SELECT subject FROM watch WHERE kind = 'user'
        UNION SELECT subject FROM poll WHERE kind = 'user'
        UNION SELECT login FROM user_snapshot
        UNION SELECT login FROM list_null
        UNION SELECT login FROM listing_member
        UNION SELECT DISTINCT login FROM event WHERE login IS NOT NULL)
    WHERE login <> identity(login);
CREATE UNIQUE INDEX temp.respelled_by_spelling ON respelled (spelling);

-- The event's own id, a UUID; NULL for events of older versions, whose id follows from
-- their number.
ALTER TABLE event ADD COLUMN uid BLOB;

-- The spelling that the service used last; that of the watch list where it used none.
INSERT INTO login_spelling (login, spelling)
    SELECT identity(spelling), spelling FROM (
        SELECT subject AS spelling, 0 AS at FROM watch WHERE kind = 'user'
        UNION ALL SELECT login, as_of FROM failure_answer WHERE unknown_since IS NULL
        UNION ALL SELECT login, asked_at FROM listing_member
        UNION ALL SELECT login, reported_at FROM failure)
    WHERE identity(spelling) IN (SELECT login FROM respelled) ORDER BY at
    ON CONFLICT (login) DO UPDATE SET spelling = excluded.spelling;
DELETE FROM login_spelling WHERE spelling = login;

-- Twins become one: the failure that began first, with the latest report.
INSERT INTO failure (check_number, login, opened_at, reported_at, delivery, is_announced)
    SELECT check_number, r.login, opened_at, reported_at, delivery, is_announced
    FROM failure AS f JOIN respelled AS r ON r.spelling = f.login WHERE true
    ON CONFLICT (login, check_number) DO UPDATE SET
        delivery = iif(excluded.opened_at < opened_at, excluded.delivery, delivery),
        opened_at = min(opened_at, excluded.opened_at),
        reported_at = max(reported_at, excluded.reported_at),
        is_announced = max(is_announced, excluded.is_announced);
DELETE FROM failure WHERE login IN (SELECT spelling FROM respelled);
UPDATE checks SET open = (SELECT count(*) FROM failure WHERE check_number = number)
    WHERE EXISTS (SELECT 1 FROM respelled);

UPDATE failure_closed SET login = (SELECT login FROM respelled WHERE spelling = failure_closed.login)
    WHERE login IN (SELECT spelling FROM respelled);

INSERT INTO failure_answer (login, as_of, unknown_since)
    SELECT r.login, as_of, unknown_since
    FROM failure_answer AS a JOIN respelled AS r ON r.spelling = a.login WHERE true
    ON CONFLICT (login) DO UPDATE SET
        as_of = max(as_of, excluded.as_of),
        unknown_since = min(unknown_since, excluded.unknown_since); -- NULL where one is known
DELETE FROM failure_answer WHERE login IN (SELECT spelling FROM respelled);

-- Reasons to watch are united; the one that lasts longer counts.
INSERT INTO watch (kind, subject, source, added_at, expires_at, note)
    SELECT kind, r.login, source, added_at, expires_at, note
    FROM watch AS w JOIN respelled AS r ON r.spelling = w.subject WHERE kind = 'user'
    ON CONFLICT (kind, subject, source) DO UPDATE SET
        added_at = min(added_at, excluded.added_at),
        expires_at = max(expires_at, excluded.expires_at), -- NULL: for ever
        note = coalesce(note, excluded.note);
DELETE FROM watch WHERE kind = 'user' AND subject IN (SELECT spelling FROM respelled);

INSERT INTO poll (kind, subject, outcome, since, last_at, answered_at, reason, errors, status)
    SELECT kind, r.login, outcome, since, last_at, answered_at, reason, errors, status
    FROM poll AS p JOIN respelled AS r ON r.spelling = p.subject WHERE kind = 'user'
    ORDER BY last_at
    ON CONFLICT (kind, subject) DO UPDATE SET
        outcome = excluded.outcome, since = excluded.since, last_at = excluded.last_at,
        answered_at = excluded.answered_at, reason = excluded.reason, errors = excluded.errors,
        status = excluded.status
    WHERE excluded.last_at > last_at;
DELETE FROM poll WHERE kind = 'user' AND subject IN (SELECT spelling FROM respelled);

-- The newer snapshot stays. Counters do not go back.
INSERT INTO user_snapshot (login, state, first_observed_at, observed_at, new_ips, last_new_ip_at,
                           form)
    SELECT r.login, state, first_observed_at, observed_at, new_ips, last_new_ip_at, form
    FROM user_snapshot AS s JOIN respelled AS r ON r.spelling = s.login WHERE true
    ON CONFLICT (login) DO UPDATE SET
        state = iif(excluded.observed_at > observed_at, excluded.state, state),
        form = iif(excluded.observed_at > observed_at, excluded.form, form),
        first_observed_at = min(first_observed_at, excluded.first_observed_at),
        observed_at = max(observed_at, excluded.observed_at),
        new_ips = max(new_ips, excluded.new_ips),
        last_new_ip_at = max(coalesce(last_new_ip_at, excluded.last_new_ip_at),
                             coalesce(excluded.last_new_ip_at, last_new_ip_at));
DELETE FROM user_snapshot WHERE login IN (SELECT spelling FROM respelled);

INSERT INTO list_null (login, field, since, last_at, meaning)
    SELECT r.login, field, since, last_at, meaning
    FROM list_null AS n JOIN respelled AS r ON r.spelling = n.login WHERE true
    ON CONFLICT (login, field) DO UPDATE SET
        since = min(since, excluded.since), last_at = max(last_at, excluded.last_at);
DELETE FROM list_null WHERE login IN (SELECT spelling FROM respelled);

-- A listing under way that has twins is begun anew; the last complete one counts each once.
DELETE FROM listing WHERE state = 'under_way'
    AND EXISTS (SELECT 1 FROM listing_member JOIN respelled ON spelling = listing_member.login);
INSERT INTO listing_member (listing, login, failing, is_null, asked_at)
    SELECT listing, r.login, failing, is_null, asked_at
    FROM listing_member AS m JOIN respelled AS r ON r.spelling = m.login ORDER BY asked_at
    ON CONFLICT (listing, login) DO UPDATE SET
        failing = excluded.failing, is_null = excluded.is_null, asked_at = excluded.asked_at
    WHERE excluded.asked_at > asked_at;
DELETE FROM listing_member WHERE login IN (SELECT spelling FROM respelled);
UPDATE listing SET users = (SELECT count(*) FROM listing_member WHERE listing = number)
    WHERE state = 'done' AND EXISTS (SELECT 1 FROM respelled)
    AND EXISTS (SELECT 1 FROM listing_member WHERE listing = number);

UPDATE event SET login = (SELECT login FROM respelled WHERE spelling = event.login)
    WHERE login IN (SELECT spelling FROM respelled);

-- merge_users() gives the users of an address, each once.
UPDATE ip_snapshot SET users = merge_users(users) WHERE users <> merge_users(users);

ALTER TABLE user_snapshot ADD COLUMN last_new_country_at INTEGER;

-- What users and addresses had and have no longer: what comes back within the retention is
-- not new. What: address, country, user.
CREATE TABLE past (
    kind    TEXT NOT NULL CHECK (kind IN ('user', 'ip')),
    subject TEXT NOT NULL,
    what    TEXT NOT NULL,
    name    TEXT NOT NULL,
    gone_at INTEGER NOT NULL,
    PRIMARY KEY (kind, subject, what, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_by_age ON past (gone_at);
-- The log tells which went.
INSERT INTO past (kind, subject, what, name, gone_at)
    SELECT 'user', login, 'address', ip, max(happened_at) FROM event AS e
    WHERE name = 'cii.user.ip.gone' AND login IS NOT NULL AND ip IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM user_snapshot AS s, json_each(s.state, '$.ip_addresses') AS address
        WHERE s.login = e.login AND address.key = e.ip)
    GROUP BY login, ip;
INSERT INTO past (kind, subject, what, name, gone_at)
    SELECT 'ip', ip, 'user', login, max(happened_at) FROM event AS e
    WHERE name = 'cii.ip.user.gone' AND login IS NOT NULL AND ip IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM ip_snapshot AS s, json_each(s.users) AS user
        WHERE s.ip = e.ip AND identity(user.key) = e.login)
    GROUP BY ip, login;

-- Since when each user is seen at an address stands with the user: events are not kept for
-- ever.
UPDATE ip_snapshot SET users = (
    SELECT json_group_object(user.key, json_set(user.value, '$.since', coalesce(
        (SELECT max(happened_at) FROM event AS e WHERE e.login = identity(user.key)
         AND e.ip = ip_snapshot.ip AND e.name = 'cii.ip.user.new'),
        first_observed_at)))
    FROM json_each(ip_snapshot.users) AS user)
    WHERE json_valid(users) AND users <> '{}';

-- Listed: by the configuration, a command or the API. Followed: named by a delivery alone.
-- Who is followed stays so up to 24 h after the last failure ended.
CREATE TEMP TABLE last_end AS
    SELECT login, max(closed_at) AS at FROM failure_closed GROUP BY login;
CREATE UNIQUE INDEX temp.last_end_by_login ON last_end (login);
UPDATE watch SET expires_at = 86400000000 + max(added_at, coalesce(
        (SELECT at FROM last_end WHERE login = subject), 0))
    WHERE kind = 'user' AND source = 'webhook'
    AND NOT EXISTS (SELECT 1 FROM failure WHERE login = subject);
CREATE INDEX watch_expiry ON watch (expires_at) WHERE expires_at IS NOT NULL;
-- Followed users can be many, listed ones are few.
CREATE INDEX watch_listed ON watch (kind, subject) WHERE source <> 'webhook';
ALTER TABLE head ADD COLUMN followed INTEGER NOT NULL DEFAULT 0;
-- Of all users of whom snapshots are taken, ever.
ALTER TABLE head ADD COLUMN new_ips INTEGER NOT NULL DEFAULT 0;
ALTER TABLE head ADD COLUMN new_countries INTEGER NOT NULL DEFAULT 0;
UPDATE head SET
    users = (SELECT count(DISTINCT subject) FROM watch
             WHERE kind = 'user' AND source <> 'webhook'),
    followed = (SELECT count(*) FROM watch AS w WHERE kind = 'user' AND source = 'webhook'
                AND NOT EXISTS (SELECT 1 FROM watch AS other WHERE other.kind = 'user'
                                AND other.subject = w.subject AND other.source <> 'webhook')),
    new_ips = (SELECT coalesce(sum(new_ips), 0) FROM user_snapshot),
    failing_people = (SELECT count(DISTINCT login) FROM failure);

DROP TABLE temp.respelled;
DROP TABLE temp.last_end;
