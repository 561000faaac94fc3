-- Which tenant deliveries are from: the first one that told it.
INSERT INTO meta (key, value)
    SELECT 'tenant_id', tenant_of(source) FROM delivery
    WHERE source IS NOT NULL AND tenant_of(source) IS NOT NULL
    ORDER BY seq LIMIT 1;
