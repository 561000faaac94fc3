-- The tables, as SQLite has them after all of its versions: the same names and columns, so that
-- one text reads and writes both. A flag is a number, 0 or 1; a moment is microseconds since 1970,
-- in UTC. Texts are compared byte by byte, as there.

CREATE TABLE meta (
    key text COLLATE "C" PRIMARY KEY,
    value text COLLATE "C" NOT NULL
);

CREATE TABLE failure_answer (
    login text COLLATE "C" PRIMARY KEY,
    as_of bigint NOT NULL,
    unknown_since bigint,
    listed_at bigint,
    suspect_since bigint,
    shared_texts text COLLATE "C",
    exchange text COLLATE "C"
);

CREATE TABLE watch (
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('user', 'ip')),
    subject text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    added_at bigint NOT NULL,
    expires_at bigint,
    note text COLLATE "C",
    PRIMARY KEY (kind, subject, source)
);

CREATE TABLE user_snapshot (
    login text COLLATE "C" PRIMARY KEY,
    state text COLLATE "C" NOT NULL,
    first_observed_at bigint NOT NULL,
    observed_at bigint NOT NULL,
    new_ips bigint NOT NULL DEFAULT 0,
    last_new_ip_at bigint,
    form bigint NOT NULL DEFAULT 1,
    last_new_country_at bigint
);

CREATE TABLE ip_snapshot (
    ip text COLLATE "C" PRIMARY KEY,
    users text COLLATE "C" NOT NULL,
    first_observed_at bigint NOT NULL,
    observed_at bigint NOT NULL,
    new_users bigint NOT NULL DEFAULT 0,
    last_new_user_at bigint,
    form bigint NOT NULL DEFAULT 1
);

CREATE TABLE cursor (
    consumer text COLLATE "C" PRIMARY KEY,
    seq bigint NOT NULL
);

CREATE TABLE poll (
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('user', 'ip')),
    subject text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    last_at bigint NOT NULL,
    answered_at bigint,
    reason text COLLATE "C",
    errors text COLLATE "C" NOT NULL DEFAULT '[]',
    status bigint,
    PRIMARY KEY (kind, subject)
);

CREATE TABLE job_state (
    job text COLLATE "C" PRIMARY KEY,
    outcome text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    last_begun_at bigint NOT NULL,
    last_success_at bigint,
    reason text COLLATE "C",
    asked bigint NOT NULL DEFAULT 0,
    ok bigint NOT NULL DEFAULT 0,
    not_found bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    hours text COLLATE "C" NOT NULL DEFAULT '[]'
);

CREATE TABLE integration (
    id text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    date bigint NOT NULL,
    error text COLLATE "C"
);

CREATE TABLE admin (
    login text COLLATE "C" PRIMARY KEY,
    display_name text COLLATE "C",
    last_sign_in_at bigint
);

CREATE TABLE service_seen (
    part text COLLATE "C" PRIMARY KEY,
    seen_at bigint NOT NULL,
    number bigint
);

CREATE TABLE webhook_target (
    id text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    url text COLLATE "C" NOT NULL,
    check_ids text COLLATE "C" NOT NULL,
    registered_at bigint NOT NULL
);

CREATE TABLE otlp_start (
    id bigint PRIMARY KEY CHECK (id = 1),
    is_on bigint NOT NULL CHECK (is_on IN (0, 1))
);

CREATE TABLE otlp_gap (
    first_seq bigint PRIMARY KEY,
    last_seq bigint NOT NULL
);

CREATE TABLE list_memory (
    field text COLLATE "C" PRIMARY KEY,
    last_list_at bigint NOT NULL,
    gave_empty bigint NOT NULL CHECK (gave_empty IN (0, 1))
);

CREATE TABLE list_null (
    login text COLLATE "C" NOT NULL,
    field text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    last_at bigint NOT NULL,
    meaning text COLLATE "C" NOT NULL DEFAULT 'untold',
    PRIMARY KEY (login, field)
);

CREATE INDEX list_null_by_field ON list_null (field, last_at);

CREATE TABLE head (
    id bigint PRIMARY KEY CHECK (id = 1),
    event bigint NOT NULL,
    public_events bigint NOT NULL,
    delivery bigint NOT NULL,
    check_number bigint NOT NULL,
    listing bigint NOT NULL,
    users bigint NOT NULL,
    ips bigint NOT NULL,
    failing_people bigint NOT NULL,
    followed bigint NOT NULL DEFAULT 0,
    new_ips bigint NOT NULL DEFAULT 0,
    new_countries bigint NOT NULL DEFAULT 0,
    commits bigint NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 25);

CREATE TABLE checks (
    number bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    title text COLLATE "C" NOT NULL,
    severity text COLLATE "C",
    last_event_at bigint NOT NULL,
    version bigint NOT NULL,
    open bigint NOT NULL,
    failures bigint NOT NULL DEFAULT 0,
    resolutions bigint NOT NULL DEFAULT 0,
    title_as_of bigint,
    severity_as_of bigint,
    description_as_of bigint,
    recommended_actions_as_of bigint,
    last_failure_at bigint,
    durations text COLLATE "C" NOT NULL DEFAULT '[[0,0,0,0,0,0,0,0,0,0,0,0,0,0],0]',
    is_provisional bigint NOT NULL DEFAULT 0,
    is_hidden bigint NOT NULL DEFAULT 0,
    trend text COLLATE "C" NOT NULL DEFAULT '[[],[]]'
);

CREATE TABLE check_words (
    check_number bigint NOT NULL,
    version bigint NOT NULL,
    description text COLLATE "C" NOT NULL,
    recommended_actions text COLLATE "C" NOT NULL,
    PRIMARY KEY (check_number, version)
);

CREATE TABLE check_title (
    folded text COLLATE "C" NOT NULL,
    check_number bigint NOT NULL,
    since bigint NOT NULL,
    until bigint,
    PRIMARY KEY (folded, check_number, since)
);

CREATE INDEX check_title_now ON check_title (check_number) WHERE until IS NULL;

CREATE TABLE failure (
    check_number bigint NOT NULL,
    login text COLLATE "C" NOT NULL,
    opened_at bigint NOT NULL,
    reported_at bigint NOT NULL,
    delivery bigint,
    is_announced bigint NOT NULL CHECK (is_announced IN (0, 1)),
    is_dated bigint NOT NULL DEFAULT 0 CHECK (is_dated IN (0, 1)),
    named_at bigint,
    by_title bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (login, check_number)
);

CREATE TABLE failure_closed (
    number bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    check_number bigint NOT NULL,
    login text COLLATE "C" NOT NULL,
    opened_at bigint NOT NULL,
    closed_at bigint NOT NULL,
    delivery bigint,
    is_announced bigint NOT NULL CHECK (is_announced IN (0, 1)),
    reason text COLLATE "C",
    is_dated bigint NOT NULL DEFAULT 0 CHECK (is_dated IN (0, 1))
);

CREATE INDEX failure_closed_at ON failure_closed (closed_at);

CREATE INDEX failure_by_age ON failure (check_number, opened_at);

CREATE INDEX failure_by_delivery ON failure (delivery) WHERE delivery IS NOT NULL;

CREATE TABLE event_context (
    number bigint PRIMARY KEY,
    attributes text COLLATE "C" NOT NULL
);

CREATE TABLE event (
    seq bigint PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    public bigint NOT NULL CHECK (public IN (0, 1)),
    ordinal bigint NOT NULL,
    check_id text COLLATE "C",
    login text COLLATE "C",
    ip text COLLATE "C",
    application text COLLATE "C",
    happened_at bigint NOT NULL,
    observed_at bigint NOT NULL,
    severity text COLLATE "C",
    body text COLLATE "C" NOT NULL,
    attributes text COLLATE "C" NOT NULL,
    context bigint,
    check_version bigint,
    uid bytea
);

CREATE TABLE parked_event (
    seq bigint PRIMARY KEY REFERENCES event (seq),
    reason text COLLATE "C" NOT NULL,
    parked_at bigint NOT NULL
);

CREATE TABLE otlp_resend (
    seq bigint PRIMARY KEY REFERENCES event (seq)
);

CREATE INDEX event_by_login ON event (login) WHERE login IS NOT NULL;

CREATE INDEX event_observed ON event (observed_at);

CREATE TABLE delivery (
    seq bigint PRIMARY KEY,
    id text COLLATE "C",
    detail_id text COLLATE "C",
    received_at bigint NOT NULL,
    sent_at bigint,
    published_at bigint,
    detail_type text COLLATE "C",
    source text COLLATE "C",
    account text COLLATE "C",
    region text COLLATE "C",
    check_id text COLLATE "C",
    title text COLLATE "C",
    severity text COLLATE "C",
    outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('accepted', 'filtered', 'test', 'malformed', 'too_large', 'unavailable')),
    status bigint NOT NULL,
    reason text COLLATE "C",
    users bigint NOT NULL DEFAULT 0,
    new_users bigint NOT NULL DEFAULT 0,
    known_users text COLLATE "C",
    cleared_users text COLLATE "C",
    skipped_logins bigint NOT NULL DEFAULT 0,
    notes text COLLATE "C",
    repeats bigint NOT NULL DEFAULT 0,
    last_repeat_at bigint,
    replayed_as bigint,
    size bigint,
    is_packed bigint NOT NULL DEFAULT 0 CHECK (is_packed IN (0, 1)),
    body_form bigint NOT NULL DEFAULT 0,
    body bytea
);

CREATE UNIQUE INDEX delivery_id ON delivery (id) WHERE status = 200;

CREATE INDEX delivery_received ON delivery (received_at);

CREATE INDEX delivery_refused ON delivery (seq) WHERE status <> 200;

CREATE INDEX delivery_of_check ON delivery (check_id, seq) WHERE check_id IS NOT NULL;

CREATE INDEX delivery_repeated ON delivery (last_repeat_at) WHERE last_repeat_at IS NOT NULL;

CREATE TABLE listing (
    state text COLLATE "C" PRIMARY KEY CHECK (state IN ('under_way', 'done')),
    number bigint NOT NULL,
    begun_at bigint NOT NULL,
    page_token text COLLATE "C",
    pages bigint NOT NULL,
    users bigint NOT NULL,
    told bigint NOT NULL,
    skipped bigint NOT NULL,
    figures text COLLATE "C" NOT NULL,
    ended_at bigint,
    position text COLLATE "C",
    is_verdict bigint NOT NULL CHECK (is_verdict IN (0, 1)),
    is_suspect bigint NOT NULL DEFAULT 0
);

CREATE TABLE listing_member (
    listing bigint NOT NULL,
    login text COLLATE "C" NOT NULL,
    failing text COLLATE "C",
    is_null bigint NOT NULL CHECK (is_null IN (0, 1)),
    asked_at bigint NOT NULL,
    PRIMARY KEY (listing, login)
);

CREATE TABLE login_spelling (
    login text COLLATE "C" PRIMARY KEY,
    spelling text COLLATE "C" NOT NULL
);

CREATE TABLE past (
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('user', 'ip')),
    subject text COLLATE "C" NOT NULL,
    what text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    gone_at bigint NOT NULL,
    PRIMARY KEY (kind, subject, what, name)
);

CREATE INDEX past_by_age ON past (gone_at);

CREATE INDEX watch_expiry ON watch (expires_at) WHERE expires_at IS NOT NULL;

CREATE INDEX watch_listed ON watch (kind, subject) WHERE source <> 'webhook';

CREATE TABLE configured_check (
    name text COLLATE "C" PRIMARY KEY,
    title text COLLATE "C",
    severity text COLLATE "C"
);

CREATE INDEX failure_by_report ON failure (check_number, reported_at);

CREATE INDEX failure_answer_exchange ON failure_answer (login) WHERE exchange IS NOT NULL;

CREATE INDEX failure_closed_of_check ON failure_closed (check_number, closed_at);

CREATE TABLE check_set (
    checks text COLLATE "C" PRIMARY KEY,
    people bigint NOT NULL
);

CREATE INDEX event_by_name ON event (name, seq) WHERE name NOT IN ('cii.check.delivery', 'cii.check.failed', 'internal.check.baseline');

-- What every commit leaves behind: for those who could not see how it ended, its id; for the other
-- replicas, what it touched. Old rows are swept.
CREATE TABLE commit_log (
    number bigint PRIMARY KEY,
    id text COLLATE "C" NOT NULL,
    replica text COLLATE "C" NOT NULL,
    touched text COLLATE "C" NOT NULL,
    is_erasure bigint NOT NULL DEFAULT 0,
    looked_up bigint NOT NULL DEFAULT 0,
    committed_at timestamptz NOT NULL DEFAULT transaction_timestamp()
);

CREATE INDEX commit_log_id ON commit_log (id);

-- Who polls, sends and prunes, until when. The database's clock alone counts. The fence rises with
-- every holder; what a former one still tries to commit is refused by it.
CREATE TABLE lease (
    id bigint PRIMARY KEY CHECK (id = 1),
    holder text COLLATE "C",
    name text COLLATE "C",
    fence bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

INSERT INTO lease (id, holder, fence, expires_at) VALUES (1, NULL, 0, '-infinity');
INSERT INTO meta (key, value) VALUES
    ('store_id', replace(gen_random_uuid()::text, '-', '')),
    ('schema_version', '1');
INSERT INTO cursor (consumer, seq) VALUES ('otlp', 0);
INSERT INTO head (id, event, public_events, delivery, check_number, listing, users, ips,
    failing_people) VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0);
