-- How many failed each check lately, by hour and by UTC day; and how long failures lasted that
-- ended lately.

ALTER TABLE checks ADD COLUMN trend TEXT NOT NULL DEFAULT '[[],[]]';

-- The log tells what happened, and what is open now tells how many failed after it. One that
-- was found by the first look at a user, and was told as new later, was open before that.
CREATE TEMP TABLE merged AS
    SELECT check_id, max(seq) AS seq FROM event
    WHERE name = 'cii.check.identified' AND check_id IS NOT NULL GROUP BY check_id;
CREATE TEMP TABLE step AS
    SELECT c.number AS check_number, e.observed_at / 1000000 AS second,
        (e.name = 'cii.check.failed') AS new,
        (e.name = 'cii.check.resolved') AS resolved,
        CASE
            WHEN e.name = 'internal.check.baseline' THEN 1
            WHEN e.name = 'cii.check.resolved' THEN -1
            WHEN (SELECT p.name FROM event AS p
                  WHERE p.login = e.login AND p.check_id = e.check_id AND p.seq < e.seq
                  AND p.name IN ('cii.check.failed', 'internal.check.baseline',
                                 'cii.check.resolved')
                  ORDER BY p.seq DESC LIMIT 1) IS 'internal.check.baseline' THEN 0
            ELSE 1
        END AS by
    FROM event AS e JOIN checks AS c ON c.id = e.check_id
    WHERE e.name IN ('cii.check.failed', 'internal.check.baseline', 'cii.check.resolved')
    AND e.login IS NOT NULL AND NOT c.is_hidden
    AND e.observed_at > (SELECT max(observed_at) FROM event) - 34 * 86400 * 1000000
    -- Who failed which check before two became one is not told.
    AND e.seq > coalesce((SELECT m.seq FROM merged AS m WHERE m.check_id = c.id), 0);
CREATE TEMP TABLE bucket AS
    SELECT check_number, length, at,
        sum(new) AS new, sum(resolved) AS resolved,
        -- How many it is after the bucket: what came later is taken off from what is open now.
        (SELECT open FROM checks WHERE number = check_number) - coalesce(sum(sum(by)) OVER (
            PARTITION BY check_number, length ORDER BY at
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0) AS failing
    FROM (SELECT check_number, 3600 AS length, second / 3600 AS at, new, resolved, by FROM step
          UNION ALL
          SELECT check_number, 86400, second / 86400, new, resolved, by FROM step)
    GROUP BY check_number, length, at;
UPDATE checks SET trend = json_array(
    json((SELECT json_group_array(json_array(at, iif(failing < 0, NULL, failing), new, resolved)
                                  ORDER BY at)
          FROM bucket WHERE check_number = number AND length = 3600
          AND at > (SELECT max(second) FROM step) / 3600 - 50)),
    json((SELECT json_group_array(json_array(at, iif(failing < 0, NULL, failing), new, resolved)
                                  ORDER BY at)
          FROM bucket WHERE check_number = number AND length = 86400)))
    WHERE EXISTS (SELECT 1 FROM bucket WHERE check_number = number);
DROP TABLE temp.merged;
DROP TABLE temp.step;
DROP TABLE temp.bucket;

-- Whether the beginning was told; else it may have begun at any time before.
ALTER TABLE failure_closed ADD COLUMN is_dated INTEGER NOT NULL DEFAULT 0
    CHECK (is_dated IN (0, 1));
UPDATE failure_closed SET is_dated = 1 WHERE delivery IS NOT NULL;
CREATE INDEX failure_closed_of_check ON failure_closed (check_number, closed_at);
