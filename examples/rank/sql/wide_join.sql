-- Each day of each region and category, seen against who searched there, what they usually search and how the
-- region does on that day: every event meets three tables made from all of them.
WITH events AS (
  SELECT time::DATE AS day, "user", keyword, category, region, clicks, dwell
  FROM 'sample/*.parquet' WHERE time >= $since AND time < $until
), people AS (
  SELECT "user", count(*) AS searches, count(DISTINCT category) AS interests, sum(clicks) AS clicks
  FROM events GROUP BY "user"
), words AS (
  SELECT keyword, count(*) AS searches, max(dwell) AS longest, count(DISTINCT region) AS regions
  FROM events GROUP BY keyword
), places AS (
  SELECT region, day, count(*) AS searches, sum(clicks) AS clicks FROM events GROUP BY region, day
)
SELECT day, region, category, count(*) AS searches, count(DISTINCT "user") AS users,
       sum(e.clicks) AS clicks, max(e.dwell) AS longest,
       round(avg(p.searches), 3) AS searches_a_person, round(avg(p.interests), 3) AS interests_a_person,
       max(w.searches) AS best_keyword_searches, round(avg(w.regions), 3) AS regions_a_keyword,
       any_value(d.searches) AS region_searches, any_value(d.clicks) AS region_clicks,
       round(100 * count(*) / any_value(d.searches), 3) AS percent_of_region
FROM events AS e
JOIN people AS p USING ("user")
JOIN words AS w USING (keyword)
JOIN places AS d USING (region, day)
WHERE region = $region
GROUP BY ALL
ORDER BY day, region, category
