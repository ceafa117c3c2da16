"""The reason why a job failed is in the job, in the response of a waiting request, and in its one log line."""

import re
import sys
import unittest

from harness import HERE, EndToEnd, until

RUNNER = f'["{sys.executable}", "{HERE / "testbed.py"}"]'
CONFIG = f'''
[store]
url = "embedded:./jobs"
[queues.q]
[pools.testbed]
command = {RUNNER}
start_timeout = "60s"
[functions.sleep]
pool = "testbed"
timeout = "300ms"
[functions.wait]
pool = "testbed"
[functions.eat]
pool = "testbed"
needs = {{ cores = 0.5, memory = "120MB" }}
[functions.say_and_die]
pool = "testbed"
rerun_on_crash = false
[functions.die]
pool = "testbed"
rerun_on_crash = false
'''


class DeathsTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.gaur = self.server(CONFIG).start()

    def failed(self, function, data):
        """Runs a job that must fail; returns its id and failure."""
        response = self.gaur.post(f"/v1/functions/{function}?wait=30s", data)
        self.assertGreaterEqual(response.status, 400, response.text)
        self.assertIn("usage", response.json, response.text)
        self.assertGreater(response.json["usage"]["wall_us"], 0)
        job_id = response.json["instance"].rpartition("/")[2]
        job = self.gaur.job("q", job_id)
        self.assertEqual(job["failure"], response.json["failure"])
        self.assertEqual(job["usage"], response.json["usage"])
        self.assertEqual(self.gaur.get(f"/v1/queues/q/jobs/{job_id}/result").json["usage"], job["usage"])
        return job_id, job["failure"]

    def finish_lines(self, job_id):
        return [line for line in self.gaur.log().splitlines() if re.search(rf"job finished job={job_id} ", line)]

    def check_log_line(self, job_id, outcome):
        line = until(lambda: self.finish_lines(job_id), what="the log line")
        self.assertEqual(len(line), 1, line)
        self.assertRegex(line[0], rf"info  job finished job={job_id} queue=q function=\w+ outcome={outcome} wait_ms=\d+ run_ms=\d+ "
                                  r"cpu_ms=\d+ peak_bytes=\d+ attempts=\d+")
        return line[0]

    def test_a_crash_reports_the_signal_and_the_last_line_of_stderr(self):
        job_id, failure = self.failed("say_and_die", {"stderr": "loading\n\x1b[31mfatal: no such region \u00e9\n"})
        self.assertEqual(failure["code"], "crashed")
        self.assertEqual(failure["message"], "its runner exited with code 3: fatal: no such region \u00e9")
        self.assertEqual(failure["stack"], "loading\nfatal: no such region \u00e9")
        self.assertEqual((failure["details"]["exit_code"], failure["details"]["signal"]), (3, 0))
        self.assertIn("no such region", self.check_log_line(job_id, "failed"))
        self.assertIn("runner died during a job", self.gaur.log())
        _, killed = self.failed("die", {})
        self.assertRegex(killed["message"], r"its runner died of SIGKILL, which Gaur did not send: the kernel's OOM killer")

    def test_a_reached_limit_is_reported_with_its_configuration_key(self):
        job_id, failure = self.failed("sleep", {"ms": 60_000})
        self.assertEqual(failure["message"], "the run was stopped after its timeout of 300 ms; raise functions.sleep.timeout if it may run longer")
        self.check_log_line(job_id, "failed")
        job_id, failure = self.failed("eat", {"megabytes": 400})
        self.assertRegex(failure["message"], r"the run was stopped at its memory limit of 120 MB: it reached \d+ MB; raise functions.eat.needs.memory")
        self.check_log_line(job_id, "failed")
        self.assertNotIn("died", self.gaur.log())

    def test_a_run_that_gaur_ends_is_not_logged_as_a_crash(self):
        completed = self.gaur.add("wait", {"ms": 1})
        self.gaur.finished("q", completed)
        self.check_log_line(completed, "completed")
        running = self.gaur.add("wait", {"ms": 60_000})
        until(lambda: self.gaur.job("q", running)["state"] == "active", what="the start")
        self.gaur.post(f"/v1/queues/q/jobs/{running}/cancel", {"who": "ann"})
        self.assertEqual(self.gaur.finished("q", running)["failure"]["message"], "cancelled by ann")
        self.check_log_line(running, "cancelled")
        metrics = self.gaur.get("/metrics").text
        self.assertIn('gaur_jobs_finished_total{queue="q",function="wait",outcome="cancelled"} 1', metrics)
        self.assertNotIn('outcome="failed"', metrics)
        left = self.gaur.add("wait", {"ms": 60_000})
        until(lambda: self.gaur.job("q", left)["state"] == "active", what="the start")
        self.gaur.signal(15)
        until(lambda: "stopping" in self.gaur.log(), what="the first SIGTERM to be handled")  # the kernel merges pending signals
        self.gaur.signal(15)
        self.assertEqual(self.gaur.wait(), 0)
        self.assertRegex(self.gaur.log(), rf"run ended job={left} .*outcome=requeued")
        self.assertNotIn("died", self.gaur.log())


if __name__ == "__main__":
    unittest.main(verbosity=2)
