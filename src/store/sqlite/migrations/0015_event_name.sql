-- Events of most kinds are few beside those of failures: they are found by their name. What
-- every delivery and every first look writes is left out, so that it costs no more.
CREATE INDEX event_by_name ON event (name, seq)
    WHERE name NOT IN ('cii.check.delivery', 'cii.check.failed', 'internal.check.baseline');
