"""`gaur shadow` reruns finished jobs, reports the differences of their results by kind, and changes nothing in Redis."""

import json
import subprocess
import unittest

from bull import Queue, Redis, RedisServer, dump
from harness import GAUR, HERE, REPLAY, ROOT, EndToEnd

INTEROP = ROOT / "tests/interop/node_modules"

CONFIG = f'''
[store]
url = "redis://127.0.0.1:@PORT@"
prefix = "ncs_resource::"
[queues.query]
function = "data.func"
{REPLAY}
[functions.rank]
pool = "replay"
[functions.trend]
pool = "replay"
needs = {{ cores = 1, memory = "300MB" }}
'''


class ShadowTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.redis_server = RedisServer()
        self.addCleanup(self.redis_server.stop)
        self.redis = Redis(self.redis_server.port)
        self.addCleanup(self.redis.close)
        self.queue = Queue(self.redis, "ncs_resource::", "query")
        (self.folder / "gaur.toml").write_text(CONFIG.replace("@PORT@", str(self.redis_server.port)))

    def kept(self, stored, returned, function="rank", **more):
        return self.queue.completed({"func": function, "give": returned, "userId": 7, **more}, stored)

    def shadow(self, *arguments, code=0):
        done = subprocess.run([str(GAUR), "shadow", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_equal_results_agree(self):
        for n in range(5):
            self.kept([{"n": n, "x": 0.1}], [{"x": 0.1, "n": n}])
        done = self.shadow("--last", "100")
        self.assertIn("the results agree", done.stdout)
        self.assertRegex(done.stderr, r"\Arunning 5 jobs, 1 at once\n1 of 5 done after [\d.]+ s \(job \d+: [\d.]+ s\)\n")
        self.assertRegex(done.stderr, r"\n5 of 5 done after [\d.]+ s")
        self.assertNotIn(" done after ", done.stdout)
        report = json.loads(self.shadow("--last", "3", "--json").stdout)
        self.assertEqual((report["functions"][0]["runs"], report["functions"][0]["equal"]), (3, 3))

    def test_differences_are_reported_by_kind_with_path_and_both_values(self):
        rows = [{"day": "2026-01-01T00:00:00.000Z", "n": "1", "x": 0.3}, {"day": "2026-01-02T00:00:00.000Z", "n": "2", "x": 0.5}]
        moved = [dict(rows[1]), dict(rows[0])]
        self.kept(rows, moved)
        shifted = [{**row, "day": row["day"].replace("T00", "T09")} for row in rows]
        self.kept(rows, shifted)
        self.kept(rows, [{**row, "n": int(row["n"])} for row in rows], function="trend")
        self.kept(rows, [{**row, "x": row["x"] + 1e-16} for row in rows])  # changes 0.3 to the next double; 0.5 stays
        text = self.shadow(code=1).stdout
        for part in ("order  the result, from element 0", "time-zone  [0].day, shifted by +9 h", 'was "2026-01-01T00:00:00.000Z"',
                     'is  "2026-01-01T09:00:00.000Z"', "type  [0].n", "the results differ"):
            self.assertIn(part, text)
        report = json.loads(self.shadow("--json", code=1).stdout)
        by_name = {f["function"]: f for f in report["functions"]}
        self.assertEqual(by_name["rank"]["kinds"], {"order": 1, "time-zone": 1, "float": 1} if 0.3 + 1e-16 != 0.3 else
                         {"order": 1, "time-zone": 1})
        self.assertEqual(by_name["trend"]["kinds"], {"type": 1})
        self.shadow("--allow", "order,time-zone", "--allow", "type,float")
        self.shadow("--allow", "order,type", code=1)
        self.assertIn("not a kind of difference", self.shadow("--allow", "orders", code=2).stderr)

    def test_a_difference_caused_by_duckdb_is_reported_with_the_setting_that_removes_it(self):
        config = CONFIG.replace("@PORT@", str(self.redis_server.port)) + """
[pools.sql]
kind = "duckdb"
start_timeout = "60s"
[functions.total]
pool = "sql"
sql = "SELECT sum(i) AS total, DATE '2026-01-01' AS day FROM range($n::INTEGER) t(i)"
@SHAPE@
[functions.total.params]
n = { type = "integer", required = true }
"""
        self.queue.completed({"func": "total", "n": 5, "userId": 7}, [{"total": 10, "day": "2026-01-01"}])
        (self.folder / "gaur.toml").write_text(config.replace("@SHAPE@", ""))
        self.assertIn("envelope = false", self.shadow(code=1).stdout)
        (self.folder / "gaur.toml").write_text(config.replace("@SHAPE@", "envelope = false"))
        self.assertIn("type  [0].total", self.shadow(code=1).stdout)
        (self.folder / "gaur.toml").write_text(config.replace("@SHAPE@", 'envelope = false\nbigint = "number"'))
        self.shadow()

    @unittest.skipUnless(INTEROP.is_dir(), "bull is not installed below tests/interop")
    def test_jobs_that_bull_finished_are_compared(self):
        subprocess.run(["node", str(HERE / "plant_bull.mjs"), str(INTEROP), str(self.redis_server.port), "ncs_resource::", "query"],
                       capture_output=True, text=True, check=True, timeout=60)
        report = json.loads(self.shadow("--json", code=1).stdout)
        self.assertEqual([(f["runs"], f["equal"], f["kinds"]) for f in report["functions"]], [(4, 3, {"type": 1})])
        self.shadow("--allow", "type")

    def test_usage_of_a_run_is_reported_with_its_original_duration(self):
        self.queue.completed({"func": "rank", "give": 1, "burn_ms": 150, "megabytes": 64}, 1, run=400)
        report = json.loads(self.shadow("--json").stdout)
        run = report["runs"][0]
        self.assertEqual(run["then_ms"], 400)
        self.assertGreaterEqual(run["cpu_ms"], 140)
        self.assertGreaterEqual(run["now_ms"], 140)
        self.assertGreater(run["peak_bytes"], 60_000_000)

    def test_failed_reruns_and_unconfigured_functions_are_reported(self):
        self.kept([1], None, fail="no such table")
        self.queue.completed({"func": "elsewhere"}, 1)
        done = self.shadow(code=1)
        self.assertIn("failed: no such table (error)", done.stdout)
        self.assertIn("elsewhere: 1 kept job skipped, the function is not configured", done.stdout)
        self.shadow("--function", "elsewhere", code=1)

    def test_it_takes_publishes_and_writes_nothing(self):
        self.kept([1], [1])
        self.queue.waiting({"func": "rank", "give": 1})
        before = dump(self.redis)
        listener = Redis(self.redis_server.port)
        self.addCleanup(listener.close)
        listener("PSUBSCRIBE", "*")
        self.shadow()
        self.assertEqual(dump(self.redis), before)
        self.redis("PUBLISH", "the end", "")
        self.assertEqual(listener.read()[2], "the end", "it published a message")

    def test_functions_see_gaur_shadow_in_their_environment(self):
        self.queue.completed({"func": "rank", "env": "GAUR_SHADOW"}, "1")
        self.shadow()


if __name__ == "__main__":
    unittest.main(verbosity=2)
