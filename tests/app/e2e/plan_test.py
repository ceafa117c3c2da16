"""Functions that one pool plans and gaur-duckdb runs: one run, whatever happens in which of its steps."""

import shutil
import subprocess
import unittest

from harness import GAUR, HERE, EndToEnd, milliseconds, until

GRACE_MS = 500  # from the deadline to the end, as docs/explanation/runners.md promises
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

    def test_the_rows_are_those_of_the_planned_sql(self):
        job = self.completed("cities", {"least": 3})
        self.assertEqual(job["result"], [{"city": "서울", "people": 9}, {"city": "부산", "people": 3}])
        job = self.completed("cities", {"least": 1, "names": ["대구", "부산"], "order": "city"})
        self.assertEqual([row["city"] for row in job["result"]], ["부산", "대구"])
        usage = job["usage"]
        self.assertEqual(usage["details"]["rows"], 2)
        self.assertGreater(usage["details"]["plan"]["wall_us"], 0)
        self.assertGreater(usage["wall_us"], usage["details"]["plan"]["wall_us"])

    def test_values_are_bound_as_what_they_are(self):
        row = self.completed("bound")["result"][0]
        self.assertEqual(row, {"a": "2026-11-22", "b": "9007199254740993", "c": [1, 2.5], "d": "1970-01-01T00:00:00Z", "e": None, "f": "DECIMAL(9,2)"})

    def test_a_planner_may_know_the_answer(self):
        self.assertEqual(self.completed("known")["result"], {"rows": []})

    def test_the_functions_own_shape_and_files_hold(self):
        job = self.completed("files", {"least": 1})
        self.assertEqual(job["result"]["file"]["rows"], 3)
        text = self.gaur.get(job["result"]["file"]["url"]).text
        self.assertEqual(text.splitlines()[:2], ["city,people", "서울,9"])

    def test_what_goes_wrong_is_told_by_its_step(self):
        self.assertEqual(self.failure("fails")["message"], "nothing to plan")
        self.assertIn("the planner answered [1,2,3]", self.failure("notAPlan")["message"])
        wrong = self.failure("sql", {"sql": "SELECT city FROM 'sample/citties.csv'"})
        self.assertEqual(wrong["details"]["sql"], "SELECT city FROM 'sample/citties.csv'")
        missing = self.failure("sql", {"sql": "SELECT $a", "params": {"b": 1}})
        self.assertIn("parameter a is used by the SQL and missing", missing["message"])

    def test_the_fence_holds_for_plans(self):
        for sql in ("COPY (SELECT 1) TO 'sample/x.csv'", "SELECT 1; SELECT 2", "ATTACH 'sample/x.db'", "CREATE TABLE t AS SELECT 1"):
            self.assertEqual(self.failure("sql", {"sql": sql})["code"], "permission", sql)
        for path in ("/etc/passwd", f"{self.folder}/data/gaur.lock", "gaur.toml"):
            self.assertIn(self.failure("sql", {"sql": f"SELECT * FROM read_text('{path}')"})["code"], ("permission", "binder", "catalog", "invalid_input"), path)
        self.assertEqual(self.completed("sql", {"sql": "SELECT count(*) AS n FROM 'sample/cities.csv'"})["result"], [{"n": 3}])
        refused = self.failure("setupRefused", {"sql": "SELECT 1", "setup": ["CREATE TEMP TABLE t AS SELECT 1"]})
        self.assertEqual(refused["code"], "permission")

    def test_setup_runs_first_in_an_instance_of_its_own(self):
        data = {"setup": ["CREATE TEMP TABLE t AS SELECT 5 AS n", "CREATE TABLE left_behind AS SELECT 1"], "sql": "SELECT sum(n)::INTEGER AS n FROM t"}
        self.assertEqual(self.completed("setup", data)["result"], [{"n": 5}])
        self.assertEqual(self.completed("setup", data)["result"], [{"n": 5}])
        escape = {"setup": [f"ATTACH '{self.folder}/new.db' AS x"], "sql": "SELECT 1"}
        self.assertEqual(self.failure("setup", escape)["code"], "permission")
        self.assertFalse((self.folder / "new.db").exists())

    def test_one_deadline_holds_for_both_steps(self):
        for data, step in (({"ms": 60_000}, "plan"), ({"ms": 1_000, "endless": True}, "sql")):
            job = self.run_job("slow", data)
            self.assertEqual((job["failure"]["code"], job["failure"]["message"]),
                             ("timeout", "the run was stopped after its timeout of 3 s; raise functions.slow.timeout if it may run longer"), step)
            ran = milliseconds(job["processed_on"], job["finished_on"])
            print(f"deadline of 3 s in the {step} step: over after {ran:.0f} ms")
            self.assertGreaterEqual(ran, 3000)
            self.assertLessEqual(ran, 3000 + GRACE_MS)

    def test_a_cancel_reaches_whichever_step_runs(self):
        for data in ({"ms": 60_000}, {"ms": 0, "endless": True}):
            job = self.gaur.add("slow", data)
            until(lambda: any(run["id"] == job for run in self.gaur.host()["runs"]))
            if data.get("endless"):  # the second step has begun when a process of its pool works
                until(lambda: self.busy("sql") == 1)
            answer = self.gaur.request("POST", f"/v1/queues/q/jobs/{job}/cancel", {"reason": "enough"})
            self.assertLess(answer.status, 300, answer.text)
            ended = self.gaur.finished("q", job)
            self.assertEqual(ended["failure"]["code"], "cancelled", ended)
        until(lambda: self.busy("sql") == 0 and self.busy("node") == 0)

    def busy(self, name):
        return next(pool for pool in self.gaur.host()["pools"] if pool["name"] == name)["busy"]

    def test_a_planner_that_dies_costs_one_run(self):
        job = self.run_job("crash", {"marker": str(self.folder / "marker")})
        self.assertEqual((job["state"], job["result"]), ("completed", [{"n": 7}]), job)
        self.assertEqual(job.get("stalled", 0), 1, job)


class PlanCheckTest(EndToEnd):
    def problems(self, config):
        (self.folder / "gaur.toml").write_text(config)
        done = subprocess.run([str(GAUR), "check"], cwd=self.folder, capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        return done.stdout + done.stderr

    def test_what_does_not_fit_is_told(self):
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
