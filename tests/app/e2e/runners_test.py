"""Functions in Node and C++ under a real server: results, grants, cancels and errors."""

import shutil
import unittest

from harness import GAUR, ROOT, EndToEnd, until

PACKAGE = ROOT / "packages/runner"
FUNCTIONS = ["echo", "sleep", "context", "uncaught", "unhandled", "fail", "snooze", "file", "text", "surrogate", "output"]
CONFIG = f'''
[store]
url = "embedded:./data"
[queues.q]
[pools.node]
command = ["{shutil.which("node")}", "{PACKAGE / "dist/cli.js"}", "{PACKAGE / "test/fixtures/functions.cjs"}"]
start_timeout = "60s"
[pools.cpp]
command = ["{GAUR.parent / "gaur_example_runner"}"]
[functions.rank]
pool = "cpp"
''' + "".join(f'''
[functions.{name}]
pool = "node"
attempts = {2 if name == "uncaught" else 1}
''' for name in FUNCTIONS)


class RunnersTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.gaur = self.server(CONFIG).start()

    def run_job(self, function, data=None):
        return self.gaur.finished("q", self.gaur.add(function, data or {}))

    def test_a_cpp_function_ranks_a_file(self):
        (self.folder / "clicks.csv").write_text("gaur,3\n소,5\ngaur,4\nbull,1\nno number here\n")
        job = self.run_job("rank", {"file": "clicks.csv", "n": 2})
        self.assertEqual(job["result"], [{"keyword": "gaur", "clicks": 7}, {"keyword": "소", "clicks": 5}])
        self.assertEqual(self.gaur.get(f"/v1/queues/q/jobs/{job['id']}/logs").json["lines"], ["ranked 3 keywords of 5 lines"])
        self.assertEqual(self.run_job("rank", {"file": "nowhere.csv"})["failure"]["message"], "cannot read nowhere.csv")

    def test_node_returns_the_value_unchanged(self):
        data = {"text": "grüße, 안녕 \u0000", "list": [1, None, True, {}], "number": 0.1}
        self.assertEqual(self.run_job("echo", data)["result"], data)
        self.assertEqual(self.run_job("surrogate")["result"][0], "a\ud800b")
        context = self.run_job("context")["result"]
        self.assertGreaterEqual(context["threads"], 1)
        self.assertGreater(context["memoryBytes"], 100e6)
        job = self.run_job("file")
        self.assertEqual(self.gaur.get(job["result"]["file"]["url"]).text, "a,b\n1,2\n")

    def test_node_errors_keep_message_code_and_stack(self):
        failure = self.run_job("fail", {"message": "no such region", "more": {"code": "E_REGION"}})["failure"]
        self.assertEqual((failure["message"], failure["code"]), ("no such region", "E_REGION"))
        self.assertIn("functions.cjs", failure["stack"])
        self.assertEqual(self.run_job("text", {"bytes": 2 << 20})["failure"]["code"], "too_large")

    def test_an_uncaught_error_fails_the_attempt_and_is_not_a_crash(self):
        job = self.run_job("uncaught")
        self.assertEqual((job["state"], job["failure"]["code"], job["attempts_made"], job.get("stalled", 0)), ("failed", "uncaught", 2, 0), job)
        jobs = [self.gaur.add("unhandled" if i % 2 else "echo", {"i": i}) for i in range(6)]
        for i, job_id in enumerate(jobs):
            job = self.gaur.finished("q", job_id)
            self.assertEqual((job["state"], job.get("stalled", 0)), ("failed" if i % 2 else "completed", 0), job)
        pool = next(pool for pool in self.gaur.host()["pools"] if pool["name"] == "node")
        self.assertFalse(pool.get("broken"), pool)

    def test_a_cancelled_run_keeps_its_process(self):
        def started():
            return next(pool for pool in self.gaur.host()["pools"] if pool["name"] == "node")["started"]
        before = started()
        job = self.gaur.add("sleep", {"ms": 600_000})
        until(lambda: self.gaur.job("q", job).get("progress"))
        self.gaur.post(f"/v1/queues/q/jobs/{job}/cancel", {"reason": "enough"})
        self.assertEqual(self.gaur.finished("q", job)["failure"]["code"], "cancelled")
        self.assertEqual(self.run_job("echo", {"a": 1})["result"], {"a": 1})
        self.assertEqual(started(), before)

    def test_output_goes_to_the_servers_log(self):
        self.assertEqual(self.run_job("output")["result"], "done")
        until(lambda: '\\"run\\":\\"fake\\"' in self.gaur.log() or '"run":"fake"' in self.gaur.log())


if __name__ == "__main__":
    unittest.main(verbosity=2)
