-- How the ranks of keywords moved from one period to the next of the same length. Ranked by the number of
-- different people, so that one busy user moves nothing.
WITH counted AS (
  SELECT keyword, time >= $since + $days AS later, count(DISTINCT "user") AS users, median(dwell) AS dwell
  FROM 'sample/*.parquet'
  WHERE time >= $since AND time < $since + 2 * $days
  GROUP BY ALL
), ranked AS (
  SELECT *, rank() OVER (PARTITION BY later ORDER BY users DESC) AS place FROM counted
)
SELECT keyword, now.place AS place, was.place AS place_before, was.place - now.place AS moved,
       now.users AS users, coalesce(was.users, 0) AS users_before,
       now.dwell AS dwell, was.dwell AS dwell_before
FROM (FROM ranked WHERE later) AS now
LEFT JOIN (FROM ranked WHERE NOT later) AS was USING (keyword)
ORDER BY now.place, keyword
LIMIT $n
