-- Why a job's last run ended as it did, and how its targets fared.
ALTER TABLE job_state ADD COLUMN reason TEXT;
ALTER TABLE job_state ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job_state ADD COLUMN ok INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job_state ADD COLUMN not_found INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job_state ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job_state ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0;

-- Why the last question about a subject ended as it did.
ALTER TABLE poll ADD COLUMN reason TEXT;
ALTER TABLE poll ADD COLUMN errors TEXT NOT NULL DEFAULT '[]'; -- JSON list
ALTER TABLE poll ADD COLUMN status INTEGER;                    -- of HTTP, where known

-- What the service gave for each list of a user, whoever it gave it to: what a
-- null means follows from it.
CREATE TABLE list_memory (
    field        TEXT PRIMARY KEY,
    last_list_at INTEGER NOT NULL, -- when anybody was last given a list
    gave_empty   INTEGER NOT NULL CHECK (gave_empty IN (0, 1)) -- [] was given at any time
) STRICT, WITHOUT ROWID;

-- Lists that are null for a user now, in the latest answer that had the field.
CREATE TABLE list_null (
    login   TEXT NOT NULL,
    field   TEXT NOT NULL,
    since   INTEGER NOT NULL, -- of the first null without a list in between
    last_at INTEGER NOT NULL, -- of the latest
    meaning TEXT NOT NULL DEFAULT 'untold', -- as it was last judged
    PRIMARY KEY (login, field)
) STRICT, WITHOUT ROWID;

CREATE INDEX list_null_by_field ON list_null (field, last_at);

-- How far the listing that is under way has got.
ALTER TABLE tenant_listing ADD COLUMN pages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenant_listing ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0; -- unreadable rows
ALTER TABLE tenant_staged ADD COLUMN is_null INTEGER NOT NULL DEFAULT 0 CHECK (is_null IN (0, 1)); -- failing is null without an error

-- What the last complete listing says: of whom, and whether it told their
-- failing checks.
ALTER TABLE tenant_complete ADD COLUMN users INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenant_complete ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0;
UPDATE tenant_complete SET users = (
    SELECT coalesce(sum(count), 0) FROM tenant_figure WHERE dimension = 'status');
CREATE TABLE tenant_member (
    login   TEXT PRIMARY KEY,
    is_told INTEGER NOT NULL CHECK (is_told IN (0, 1))
) STRICT, WITHOUT ROWID;
