-- How the runs of a job ended in the last 24 hours, by hour. Of the time before the upgrade
-- nothing is known.

ALTER TABLE job_state ADD COLUMN hours TEXT NOT NULL DEFAULT '[]';
