"""A run that fills the disk fails with a message, and others continue."""

import unittest

from harness import TESTBED, EndToEnd, until

CONFIG = f"""
[queues.q]
{TESTBED}
[functions.fill]
pool = "testbed"
"""
DUCKDB = """
[queues.q]
[pools.sql]
kind = "duckdb"
max_scratch = "20MB"
[functions.write]
pool = "sql"
on_large = "file"
format = "csv"
timeout = "60s"
sql = "SELECT i, md5(i::VARCHAR) AS m FROM range(1000000000) t(i)"
"""
FOREVER = 600_000


class ScratchTest(EndToEnd):
    def files(self, server):
        return [path for path in (server.folder / "gaur-data/run").rglob("*") if path.is_file()]

    def test_a_run_over_the_limit_of_its_pool_fails(self):
        server = self.server(CONFIG.replace("start_timeout", 'max_scratch = "5MB"\nstart_timeout')).start()
        for folder in ("GAUR_TMP", "GAUR_OUT"):
            job = server.finished("q", server.add("fill", {"megabytes": 8, "ms": FOREVER, "folder": folder}))
            self.assertEqual((job["state"], job["failure"]["code"]), ("failed", "scratch_full"), job)
            self.assertRegex(job["failure"]["message"], r"its scratch folder has [5-8]\d{6} bytes, over its limit of 5000000 \(pools.testbed.max_scratch\)")
        until(lambda: not self.files(server), what="the files removed")
        job = server.finished("q", server.add("fill", {"megabytes": 3, "ms": 600}))
        self.assertEqual(job["state"], "completed", job)
        answer = server.post("/v1/functions/fill?wait=60s", {"megabytes": 8, "ms": FOREVER})
        self.assertEqual(answer.status, 507, answer.text)

    def test_the_run_with_the_most_fails_at_the_limit_of_the_host(self):
        server = self.server(CONFIG.replace("start_timeout", 'max_scratch = "0"\nstart_timeout')
                             + '[machine]\nscratch = "12MB"\nslots = 2\n').start()
        small = server.add("fill", {"megabytes": 4, "ms": 20_000})
        until(lambda: server.job("q", small)["state"] == "active", what="the small run")
        large = server.finished("q", server.add("fill", {"megabytes": 9, "ms": FOREVER}))
        self.assertEqual(large["failure"]["code"], "scratch_full", large)
        self.assertIn("(machine.scratch), and that of this run has the most, 9", large["failure"]["message"])
        self.assertEqual(server.job("q", small)["state"], "active", "the small run continues")
        self.assertEqual(server.get("/readyz").status, 200)

    def test_a_query_that_writes_a_large_file_fails(self):
        server = self.server(DUCKDB).start()
        job = server.finished("q", server.add("write", {}))
        self.assertEqual((job["state"], job["failure"]["code"]), ("failed", "scratch_full"), job)
        self.assertIn("pools.sql.max_scratch", job["failure"]["message"])

    def test_a_result_file_over_its_limit_is_rejected(self):
        server = self.server(CONFIG.replace("start_timeout", 'max_file = "1KB"\nstart_timeout')
                             + '[functions.file]\npool = "testbed"\n').start()
        job = server.finished("q", server.add("file", {"rows": 1000}))
        self.assertEqual(job["failure"]["code"], "too_large", job)
        self.assertIn("the result file has 4000 bytes, at most 1000 are allowed (pools.testbed.max_file)", job["failure"]["message"])
        self.assertEqual(server.finished("q", server.add("file", {"rows": 10}))["state"], "completed")


if __name__ == "__main__":
    unittest.main()
