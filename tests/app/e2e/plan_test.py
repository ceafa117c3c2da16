"""Functions that one pool plans and gaur-duckdb runs: both steps are one run."""

import shutil
import subprocess
import unittest

from harness import GAUR, HERE, EndToEnd, milliseconds, until

GRACE_MS = 500  # from the deadline to the end (docs/explanation/runners.md)
FUNCTIONS = ["cities", "bound", "known", "notAPlan", "sql", "setupRefused", "fails", "crash", "slow"]
CONFIG = f'''
[store]
url = "embedded:./data"
[queues.q]
[pools.node]
command = ["{shutil.which("node")}", "{HERE / "planner.cjs"}"]
start_timeout = "60s"
[pools.sql]
kind = "duckdb"
start_timeout = "60s"
[pools.sql.duckdb]
data = ["./sample"]
plans = true
[functions.setup]
pool = "sql"
plan_pool = "node"
plan_setup = true
envelope = false
[functions.files]
pool = "sql"
plan_pool = "node"
inline_bytes = 0
on_large = "file"
format = "csv"
''' + "".join(f'''
[functions.{name}]
pool = "sql"
plan_pool = "node"
envelope = false
bigint = "number"
timeout = "{"3s" if name == "slow" else "60s"}"
''' for name in FUNCTIONS)


class PlanTest(EndToEnd):
    def setUp(self):
        super().setUp()
        (self.folder / "sample").mkdir()
        (self.folder / "sample/cities.csv").write_text("city,people\n서울,9\n부산,3\n대구,2\n")
        self.gaur = self.server(CONFIG).start()

    def run_job(self, function, data=None):
        return self.gaur.finished("q", self.gaur.add(function, data or {}))

    def completed(self, function, data=None):
        job = self.run_job(function, data)
        self.assertEqual(job["state"], "completed", job)
        return job

    def failure(self, function, data=None):
        job = self.run_job(function, data)
        self.assertEqual(job["state"], "failed", job)
        return job["failure"]

    def test_the_result_has_the_rows_of_the_planned_sql(self):
        job = self.completed("cities", {"least": 3})
        self.assertEqual(job["result"], [{"city": "서울", "people": 9}, {"city": "부산", "people": 3}])
        job = self.completed("cities", {"least": 1, "names": ["대구", "부산"], "order": "city"})
        self.assertEqual([row["city"] for row in job["result"]], ["부산", "대구"])
        usage = job["usage"]
        self.assertEqual(usage["details"]["rows"], 2)
        self.assertGreater(usage["details"]["plan"]["wall_us"], 0)
        self.assertGreater(usage["wall_us"], usage["details"]["plan"]["wall_us"])

    def test_values_are_bound_with_their_types(self):
        row = self.completed("bound")["result"][0]
        self.assertEqual(row, {"a": "2026-11-22", "b": "9007199254740993", "c": [1, 2.5], "d": "1970-01-01T00:00:00Z", "e": None, "f": "DECIMAL(9,2)"})

    def test_a_planner_can_return_the_result_itself(self):
        self.assertEqual(self.completed("known")["result"], {"rows": []})

    def test_result_settings_of_the_function_apply(self):
        job = self.completed("files", {"least": 1})
        self.assertEqual(job["result"]["file"]["rows"], 3)
        text = self.gaur.get(job["result"]["file"]["url"]).text
        self.assertEqual(text.splitlines()[:2], ["city,people", "서울,9"])

    def test_a_failure_names_its_step(self):
        self.assertEqual(self.failure("fails")["message"], "nothing to plan")
        self.assertIn("the planner answered [1,2,3]", self.failure("notAPlan")["message"])
        wrong = self.failure("sql", {"sql": "SELECT city FROM 'sample/citties.csv'"})
        self.assertEqual(wrong["details"]["sql"], "SELECT city FROM 'sample/citties.csv'")
        missing = self.failure("sql", {"sql": "SELECT $a", "params": {"b": 1}})
        self.assertIn("parameter a is used by the SQL and missing", missing["message"])

    def test_planned_sql_is_restricted_like_other_sql(self):
        for sql in ("COPY (SELECT 1) TO 'sample/x.csv'", "SELECT 1; SELECT 2", "ATTACH 'sample/x.db'", "CREATE TABLE t AS SELECT 1"):
            self.assertEqual(self.failure("sql", {"sql": sql})["code"], "permission", sql)
        for path in ("/etc/passwd", f"{self.folder}/data/gaur.lock", "gaur.toml"):
            self.assertIn(self.failure("sql", {"sql": f"SELECT * FROM read_text('{path}')"})["code"], ("permission", "binder", "catalog", "invalid_input"), path)
        self.assertEqual(self.completed("sql", {"sql": "SELECT count(*) AS n FROM 'sample/cities.csv'"})["result"], [{"n": 3}])
        refused = self.failure("setupRefused", {"sql": "SELECT 1", "setup": ["CREATE TEMP TABLE t AS SELECT 1"]})
        self.assertEqual(refused["code"], "permission")

    def test_setup_runs_first_in_its_own_instance(self):
        data = {"setup": ["CREATE TEMP TABLE t AS SELECT 5 AS n", "CREATE TABLE left_behind AS SELECT 1"], "sql": "SELECT sum(n)::INTEGER AS n FROM t"}
        self.assertEqual(self.completed("setup", data)["result"], [{"n": 5}])
        self.assertEqual(self.completed("setup", data)["result"], [{"n": 5}])
        escape = {"setup": [f"ATTACH '{self.folder}/new.db' AS x"], "sql": "SELECT 1"}
        self.assertEqual(self.failure("setup", escape)["code"], "permission")
        self.assertFalse((self.folder / "new.db").exists())

    def test_one_deadline_applies_to_both_steps(self):
        for data, step in (({"ms": 60_000}, "plan"), ({"ms": 1_000, "endless": True}, "sql")):
            job = self.run_job("slow", data)
            self.assertEqual((job["failure"]["code"], job["failure"]["message"]),
                             ("timeout", "the run was stopped after its timeout of 3 s; raise functions.slow.timeout if it may run longer"), step)
            ran = milliseconds(job["processed_on"], job["finished_on"])
            print(f"deadline of 3 s in the {step} step: ended after {ran:.0f} ms")
            self.assertGreaterEqual(ran, 3000)
            self.assertLessEqual(ran, 3000 + GRACE_MS)

    def test_a_cancel_stops_the_running_step(self):
        for data in ({"ms": 60_000}, {"ms": 0, "endless": True}):
            job = self.gaur.add("slow", data)
            until(lambda: any(run["id"] == job for run in self.gaur.host()["runs"]))
            if data.get("endless"):  # a busy process of the pool sql: the second step has begun
                until(lambda: self.busy("sql") == 1)
            response = self.gaur.request("POST", f"/v1/queues/q/jobs/{job}/cancel", {"reason": "enough"})
            self.assertLess(response.status, 300, response.text)
            ended = self.gaur.finished("q", job)
            self.assertEqual(ended["failure"]["code"], "cancelled", ended)
        until(lambda: self.busy("sql") == 0 and self.busy("node") == 0)

    def busy(self, name):
        return next(pool for pool in self.gaur.host()["pools"] if pool["name"] == name)["busy"]

    def test_a_crashed_planner_counts_as_one_stalled_run(self):
        job = self.run_job("crash", {"marker": str(self.folder / "marker")})
        self.assertEqual((job["state"], job["result"]), ("completed", [{"n": 7}]), job)
        self.assertEqual(job.get("stalled", 0), 1, job)


class PlanCheckTest(EndToEnd):
    def problems(self, config):
        (self.folder / "gaur.toml").write_text(config)
        done = subprocess.run([str(GAUR), "check"], cwd=self.folder, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        return done.stdout + done.stderr

    def test_contradictory_settings_are_reported(self):
        (self.folder / "sample").mkdir()
        text = self.problems(CONFIG.replace("plans = true", "plans = false"))
        self.assertIn("needs pools.sql.duckdb.plans = true", text)
        text = self.problems(CONFIG.replace('plan_pool = "node"', 'plan_pool = "nod"'))
        self.assertIn('there is no pool "nod"', text)
        text = self.problems(CONFIG.replace('plan_pool = "node"', 'plan_pool = "sql"'))
        self.assertIn('cannot plan', text)
        text = self.problems(CONFIG.replace('[functions.known]\npool = "sql"', '[functions.known]\npool = "node"\nsql = "SELECT 1"'))
        self.assertIn('must be of kind "duckdb"', text)
        self.assertIn("plan_pool supplies SQL", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
