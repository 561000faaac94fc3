-- As version 18 with SQLite: the log is found by hours, and nobody asks any more which delivery
-- opened a failure.

CREATE TABLE event_hour (
    first bigint PRIMARY KEY,
    hour bigint NOT NULL
);

INSERT INTO event_hour (first, hour)
SELECT seq, hour FROM (
    SELECT seq, observed_at / 3600000000 AS hour,
           lag(observed_at / 3600000000) OVER (ORDER BY seq) AS before
    FROM event) AS hours
WHERE before IS DISTINCT FROM hour;

ALTER TABLE head ADD COLUMN event_hour bigint NOT NULL DEFAULT 0;

UPDATE head SET event_hour =
    coalesce((SELECT hour FROM event_hour ORDER BY first DESC LIMIT 1), 0);

DROP INDEX event_observed;

ALTER TABLE failure DROP COLUMN delivery;

ALTER TABLE failure_closed DROP COLUMN delivery;
