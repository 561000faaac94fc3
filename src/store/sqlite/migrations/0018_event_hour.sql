-- The log is found by hours: a row where the events of another hour begin. An index over the
-- moments of events costs an entry for each of them, and was most of all asked for what is old.

CREATE TABLE event_hour (
    first INTEGER PRIMARY KEY, -- the number of the first event of the hour, up to the next row
    hour  INTEGER NOT NULL     -- counted since 1970
) STRICT;

INSERT INTO event_hour (first, hour)
SELECT seq, hour FROM (
    SELECT seq, observed_at / 3600000000 AS hour,
           lag(observed_at / 3600000000) OVER (ORDER BY seq) AS before
    FROM event) AS hours
WHERE before IS NOT hour;

-- That of the newest event; the log can have lost events at its end.
ALTER TABLE head ADD COLUMN event_hour INTEGER NOT NULL DEFAULT 0;
UPDATE head SET event_hour =
    coalesce((SELECT hour FROM event_hour ORDER BY first DESC LIMIT 1), 0);

DROP INDEX event_observed;

-- Nobody asks any more which delivery opened a failure.
ALTER TABLE failure DROP COLUMN delivery;
ALTER TABLE failure_closed DROP COLUMN delivery;
