-- How many people fail just these checks: what is counted by the worst of each person's checks
-- needs nobody to be read.
CREATE TABLE check_set (
    checks TEXT PRIMARY KEY, -- JSON list of numbers, in order
    people INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO check_set (checks, people)
    SELECT checks, count(*) FROM (
        SELECT json_group_array(check_number ORDER BY check_number) AS checks
        FROM failure GROUP BY login)
    GROUP BY checks;
