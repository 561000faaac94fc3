-- Each part of a check's words has the time of the delivery that gave it; what is
-- counted of a check is counted whatever its severity was.

ALTER TABLE checks ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checks ADD COLUMN resolutions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checks ADD COLUMN title_as_of INTEGER;    -- NULL: no delivery gave it
ALTER TABLE checks ADD COLUMN severity_as_of INTEGER;
ALTER TABLE checks ADD COLUMN description_as_of INTEGER;
ALTER TABLE checks ADD COLUMN recommended_actions_as_of INTEGER;
ALTER TABLE checks ADD COLUMN last_failure_at INTEGER; -- announced, by the time of its commit

UPDATE checks SET
    failures = coalesce((
        SELECT sum(failures) FROM check_total WHERE check_number = number), 0),
    resolutions = coalesce((
        SELECT sum(resolutions) FROM check_total WHERE check_number = number), 0),
    title_as_of = iif(title <> id AND as_of > 0, as_of, NULL),
    severity_as_of = iif(severity IS NOT NULL AND as_of > 0, as_of, NULL),
    description_as_of = (
        SELECT as_of FROM check_words AS w WHERE w.check_number = number
        AND w.version = checks.version AND description <> '[]' AND as_of > 0),
    recommended_actions_as_of = (
        SELECT as_of FROM check_words AS w WHERE w.check_number = number
        AND w.version = checks.version AND recommended_actions <> '[]' AND as_of > 0);
UPDATE checks SET last_failure_at = last.at FROM (
    SELECT check_id, max(observed_at) AS at FROM event
    WHERE name = 'cii.check.failed' GROUP BY check_id) AS last
WHERE last.check_id = checks.id;
ALTER TABLE checks DROP COLUMN as_of;
DROP TABLE check_total;

-- What the operator says of checks, by id or title.
CREATE TABLE configured_check (
    name     TEXT PRIMARY KEY,
    title    TEXT,
    severity TEXT
) STRICT, WITHOUT ROWID;

-- How long failures of a check lasted: [counts by bucket, microseconds in all].
ALTER TABLE checks ADD COLUMN durations TEXT NOT NULL
    DEFAULT '[[0,0,0,0,0,0,0,0,0,0,0,0,0,0],0]';

-- Whether a delivery told when it began; else it was first seen then.
ALTER TABLE failure ADD COLUMN is_dated INTEGER NOT NULL DEFAULT 0 CHECK (is_dated IN (0, 1));
UPDATE failure SET is_dated = 1 WHERE delivery IS NOT NULL;
CREATE INDEX failure_by_report ON failure (check_number, reported_at);
