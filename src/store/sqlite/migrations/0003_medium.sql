-- `moderate` and `medium` are one severity on metrics.
INSERT INTO check_total (check_id, severity, failures, resolutions)
    SELECT check_id, 'medium', failures, resolutions FROM check_total
    WHERE severity = 'moderate'
    ON CONFLICT (check_id, severity) DO UPDATE SET
        failures = failures + excluded.failures,
        resolutions = resolutions + excluded.resolutions;
DELETE FROM check_total WHERE severity = 'moderate';
