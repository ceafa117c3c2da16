"""Deadlines and memory limits of queries: the run is stopped in time, the failure names the limit, other jobs continue."""

import unittest

from harness import EndToEnd, milliseconds, until

GRACE_MS = 500  # from the deadline to the end, including the kill of the runner
CONFIG = r'''
[store]
url = "embedded:./data"
[queues.q]
[pools.sql]
kind = "duckdb"
start_timeout = "60s"
[functions.quick]
pool = "sql"
sql = "SELECT 1 AS one"
[functions.endless]
pool = "sql"
timeout = "700ms"
sql = "SELECT sum(hash(a.range, b.range) % 7) AS n FROM range(10000000) a, range(10000000) b"
[functions.uninterruptible_regex]   # one call that does not check for interrupts
pool = "sql"
timeout = "700ms"
sql = """SELECT regexp_matches(text, '[0-7][0-9a-f]{300}x') AS n
FROM (SELECT string_agg(md5(i::VARCHAR), '') AS text FROM range(300000) AS t(i))"""
[functions.uninterruptible_repeat]
pool = "sql"
timeout = "700ms"
sql = "SELECT sum(length(repeat('x', (1500000000 + i)::INTEGER))) AS n FROM range(100) AS t(i)"
[functions.greedy]
pool = "sql"
timeout = "30s"
needs = { memory = "400MB" }
sql = "SELECT len(list(repeat('x', 1000) || i)) AS n FROM range(20000000) AS t(i)"
'''


class LimitsTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.gaur = self.server(CONFIG).start()

    def check_alive(self):
        """Checks that the pool runs other jobs and is ready."""
        job = self.gaur.finished("q", self.gaur.add("quick", {}))
        self.assertEqual(job["state"], "completed")
        until(lambda: self.gaur.get("/readyz").status == 200, what="being ready again")

    def check_deadline(self, function):
        job_id = self.gaur.add(function, {})
        beside = self.gaur.add("quick", {})
        job = self.gaur.finished("q", job_id)
        ran = milliseconds(job["processed_on"], job["finished_on"])
        print(f"{function}: stopped after {ran:.0f} ms, the deadline was at 700 ms; code {job['failure']['code']}")
        self.assertEqual(job["state"], "failed")
        self.assertEqual(job["failure"]["code"], "timeout")
        self.assertLessEqual(ran, 700 + GRACE_MS)
        self.assertGreaterEqual(ran, 700)
        self.assertEqual(self.gaur.finished("q", beside)["state"], "completed")
        self.check_alive()

    def test_an_endless_query_is_stopped_at_its_deadline(self):
        self.check_deadline("endless")

    def test_a_regular_expression_that_ignores_interrupts_is_stopped_at_its_deadline(self):
        self.check_deadline("uninterruptible_regex")

    def test_a_huge_text_that_ignores_interrupts_is_stopped_at_its_deadline(self):
        self.check_deadline("uninterruptible_repeat")

    def test_a_query_above_its_memory_grant_is_stopped_and_reported(self):
        job = self.gaur.finished("q", self.gaur.add("greedy", {}))
        print(f"greedy: {job['failure']['code']}: {job['failure']['message']}; peak {job['usage']['peak_rss_bytes'] / 1e6:.0f} MB")
        self.assertEqual(job["state"], "failed")
        self.assertIn(job["failure"]["code"], ("memory", "out_of_memory"))
        self.assertLessEqual(job["usage"]["peak_rss_bytes"], 1.25 * 400e6)
        self.check_alive()


if __name__ == "__main__":
    unittest.main(verbosity=2)
