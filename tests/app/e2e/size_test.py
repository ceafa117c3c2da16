"""`gaur size` measures a function that uses CPU and memory, and derives slots and needs from the measurement."""

import json
import subprocess
import unittest

from bull import Queue, Redis, RedisServer
from harness import GAUR, REPLAY, EndToEnd

CONFIG = f'''
[machine]
cores = 2
memory = "2GB"
reserve_memory = "1GB"
[queues.query]
function = "data.func"
{REPLAY}
[functions.rank]
pool = "replay"
[functions.mail]
pool = "replay"
'''


class SizeTest(EndToEnd):
    def size(self, *arguments, code=0, config=CONFIG):
        (self.folder / "gaur.toml").write_text(config)
        done = subprocess.run([str(GAUR), "size", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_memory_limits_the_slots_of_a_memory_intensive_function(self):
        data = json.dumps({"burn_ms": 20, "megabytes": 250})
        report = json.loads(self.size("--function", "rank", "--data", data, "--runs", "4", "--budget", "20s", "--json").stdout)
        alone = report["widths"][0]
        self.assertEqual(alone["width"], 1)
        self.assertGreater(alone["peak_bytes"]["p95"], 240_000_000)
        self.assertLess(alone["peak_bytes"]["p95"], 400_000_000)
        self.assertGreater(alone["run_ms"]["p50"], 19)
        each = report["needs"]["memory_bytes"]
        self.assertEqual(report["by_memory"], 1_000_000_000 // each)
        self.assertLessEqual(report["slots"] * each, 1_000_000_000, "the recommended slots exceed the capacity")
        self.assertLessEqual(report["slots"], 3)
        self.assertTrue(report["confirmed"], report["reruns"])
        self.assertEqual(report["reruns"][-1]["needs"], report["needs"])
        self.assertTrue(any("1.0 GB / " in line and "at a time" in line for line in report["why"]), report["why"])

    def test_finished_jobs_are_measured_and_every_table_is_printed(self):
        server = RedisServer()
        self.addCleanup(server.stop)
        redis = Redis(server.port)
        self.addCleanup(redis.close)
        queue = Queue(redis, "bull", "query")
        for n in range(4):
            queue.completed({"func": "rank", "burn_ms": 5, "give": n}, n)
        queue.completed({"func": "mail", "fail": "must not be run"}, 1)
        config = CONFIG + f'[store]\nurl = "redis://127.0.0.1:{server.port}"\n'
        text = self.size("--function", "rank", "--at-once", "40", "--runs", "4", "--budget", "10s", config=config).stdout
        for part in ("rank, with 4 kept jobs of query", "run p50", "waits in a steady stream", "waits when 40 jobs arrive at once", "recommended: ",
                     "slots: the smallest of", "at a time with", ": confirmed", "jobs a minute"):
            self.assertIn(part, text)
        self.assertEqual(redis("ZCARD", "bull:query:completed"), 5)
        self.assertEqual(redis("LLEN", "bull:query:active"), 0)
        gone = self.size("--function", "rank", "--last", "1", config=config, code=1)  # the newest job is of mail
        self.assertIn("use --data JSON", gone.stderr)

    def test_needs_are_raised_until_a_rerun_succeeds(self):
        """The runs use little memory but fail below 300 MB, like a program that reserves more memory than it touches."""
        data = json.dumps({"burn_ms": 5, "megabytes": 10, "fails_below_megabytes": 300})
        report = json.loads(self.size("--function", "rank", "--data", data, "--runs", "4", "--budget", "10s", "--json").stdout)
        self.assertLess(report["widths"][0]["peak_bytes"]["p95"], 200_000_000)
        self.assertFalse(report["reruns"][0]["confirmed"])
        self.assertIn("too small a grant", report["reruns"][0]["failure"])
        self.assertTrue(report["confirmed"])
        self.assertGreaterEqual(report["needs"]["memory_bytes"], 300_000_000)
        self.assertLessEqual(report["slots"] * report["needs"]["memory_bytes"], 1_000_000_000)
        self.assertLessEqual(report["slots"] * report["needs"]["cores"], 2)

    def test_no_needs_are_recommended_if_no_rerun_succeeds(self):
        """The first 12 runs succeed, later ones fail."""
        data = json.dumps({"burn_ms": 1, "count": str(self.folder / "count"), "fails_after": 12})
        done = self.size("--function", "rank", "--data", data, "--runs", "4", "--budget", "10s", code=1)
        self.assertIn("No rerun confirmed these needs", done.stdout)
        self.assertIn("runs failed (failed: worn out", done.stdout)

    def test_a_server_runs_a_query_with_the_recommended_needs(self):
        config = """
[machine]
cores = 2
memory = "3GB"
reserve_memory = "1GB"
[queues.query]
[pools.sql]
kind = "duckdb"
start_timeout = "60s"
[functions.distinct]
pool = "sql"
sql = "SELECT count(DISTINCT i * 7919 % 10000019)::INTEGER AS n, count(DISTINCT (i % 1000)::VARCHAR || 'x')::INTEGER AS m FROM range(1500000) t(i)"
"""
        report = json.loads(self.size("--function", "distinct", "--data", "{}", "--runs", "4", "--budget", "5s", "--json", config=config).stdout)
        self.assertTrue(report["confirmed"], report["reruns"])
        self.assertGreaterEqual(report["needs"]["cores"], 1)
        self.assertLessEqual(report["slots"] * report["needs"]["cores"], 2)
        needs = f'needs = {{ cores = {report["needs"]["cores"]}, memory = "{report["needs"]["memory_bytes"] // 1_000_000}MB" }}\n'
        server = self.server(config.replace("[machine]", f'[machine]\nslots = {report["slots"]}') + needs).start()
        jobs = [server.add("distinct", {}) for _ in range(3 * report["slots"])]
        for job in jobs:
            self.assertEqual(server.finished("query", job)["state"], "completed", server.job("query", job))

    def test_mistakes_are_reported(self):
        self.assertIn('did you mean "rank"', self.size("--function", "rnk", "--data", "{}", code=2).stderr)
        self.assertIn("no run of rank completed: failed: boom", self.size("--function", "rank", "--data", '{"fail": "boom"}', code=1).stderr)
        self.assertIn("the given data", self.size("--function", "rank", "--data", "{", code=1).stderr)
        self.assertIn("kept jobs are read from Redis", self.size("--function", "rank", code=1).stderr)
        self.assertIn("--budget", self.size("--function", "rank", "--data", "{}", "--budget", "soon", code=2).stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
