-- What decides over what opens, ends and is told as new.

-- Only answers told of it, by a text that nothing has explained yet.
ALTER TABLE checks ADD COLUMN is_provisional INTEGER NOT NULL DEFAULT 0;
UPDATE checks SET is_provisional = 1
WHERE coalesce(title_as_of, severity_as_of, description_as_of, recommended_actions_as_of) IS NULL
  AND NOT EXISTS (SELECT 1 FROM delivery AS d WHERE d.check_id = checks.id);
-- Kept out by the operator's filter.
ALTER TABLE checks ADD COLUMN is_hidden INTEGER NOT NULL DEFAULT 0;

-- When the newest delivery that names the user was published. Of older failures only
-- the last word of any source is known.
ALTER TABLE failure ADD COLUMN named_at INTEGER;
UPDATE failure SET named_at = reported_at WHERE delivery IS NOT NULL;
-- The last answer that listed it did so by the check's title.
ALTER TABLE failure ADD COLUMN by_title INTEGER NOT NULL DEFAULT 0;

-- When the newest answer that lists failing checks had been asked for.
ALTER TABLE failure_answer ADD COLUMN listed_at INTEGER;
UPDATE failure_answer SET listed_at = as_of WHERE unknown_since IS NULL;
ALTER TABLE failure_answer ADD COLUMN suspect_since INTEGER;
ALTER TABLE failure_answer ADD COLUMN shared_texts TEXT; -- JSON list; NULL: none
-- What it has in the place of checks that are absent: JSON; NULL: nothing.
ALTER TABLE failure_answer ADD COLUMN exchange TEXT;
CREATE INDEX failure_answer_exchange ON failure_answer (login) WHERE exchange IS NOT NULL;

-- It lacked so many users that absence from it says nothing.
ALTER TABLE listing ADD COLUMN is_suspect INTEGER NOT NULL DEFAULT 0;
