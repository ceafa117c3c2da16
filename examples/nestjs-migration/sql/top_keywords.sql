-- What was searched most in one region on one day (Seoul time).
SELECT keyword, any_value(category) AS category, count(*) AS searches, sum(clicks) AS clicks,
       count(DISTINCT "user") AS users, round(avg(dwell), 3) AS dwell
FROM 'sample/*.parquet'
WHERE region = $region AND time >= $day AND time < $day + 1
GROUP BY keyword
ORDER BY searches DESC, keyword
LIMIT $n
