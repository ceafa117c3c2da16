-- How long people stay, by category: exact percentiles, no sketches.
SELECT category, count(*) AS searches,
       quantile_cont(dwell, [0.5, 0.9, 0.95, 0.99]) AS percentiles,
       max(dwell) AS longest, round(avg(clicks), 4) AS clicks
FROM 'sample/*.parquet'
WHERE time >= $since AND time < $until AND clicks >= $clicks
GROUP BY category
ORDER BY category
