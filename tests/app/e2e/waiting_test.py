"""Jobs that cannot start: each has a reason, they do not block jobs that can start, and unserved functions are reported and rejected."""

import os
import re
import unittest

from harness import TESTBED, EndToEnd, until
from redis_hosts import RedisHosts

QUEUES = "[queues.q]\n"
FUNCTIONS = TESTBED + '''
[pools.broken]
command = ["/bin/false"]
[functions.sleep]
pool = "testbed"
needs = { cores = 0.1, memory = "1MB" }
[functions.single]
pool = "testbed"
max_running = 1
needs = { cores = 0.1, memory = "1MB" }
[functions.broken]
pool = "broken"
needs = { cores = 0.1, memory = "1MB" }
[functions.whole]
pool = "testbed"
'''
MACHINE = '[machine]\ncores = 2\nmemory = "2GB"\nreserve_memory = "1MB"\nslots = 1\n'
GONE = '''
[functions.gone]
pool = "testbed"
'''
EMBEDDED = '[store]\nurl = "embedded:./data"\n' + MACHINE
FILLER = int(os.environ.get("GAUR_WAITING_JOBS", "3000"))  # jobs that cannot start, ahead of one that can


class Reasons:
    """Tests for each store. `self.gaur` serves the queue q and FUNCTIONS, but not `gone`."""

    def reason(self, job_id):
        return self.gaur.job("q", job_id).get("waiting", {}).get("reason", "")

    def expect_reason(self, job_id, pattern):
        until(lambda: re.fullmatch(pattern, self.reason(job_id)), 30, f"the reason {pattern} (it is {self.reason(job_id)!r})")

    def add(self, name, data=None, **options):
        response = self.gaur.post("/v1/queues/q/jobs", {"name": name, "data": data or {}, "options": options})
        self.assertEqual(response.status, 202, response.text)
        return response.json["id"]

    def test_every_waiting_job_has_a_reason(self):
        self.expect_reason(self.add("sleep", delay="1h"), r"delayed until 20\d\d-\d\d-\d\dT[\d:.]{12}Z \(in \d+ min\)")
        broken = self.add("broken")
        self.expect_reason(broken, r"the runners of pool broken cannot start \(\d+ times in a row\): .*; next try (now|in .*)")
        self.add("single", {"ms": 60_000})
        until(lambda: self.gaur.counts("q")["active"] == 1, what="the first run")
        self.expect_reason(self.add("single"), "1 of at most 1 of single are running")
        whole = self.add("whole")
        self.expect_reason(whole, r"needs 2 cores and .*; 1.9 cores and .* are free")
        self.gaur.post("/v1/queues/q/pause")
        self.expect_reason(whole, "the queue q is paused; resume it with POST /v1/queues/q/resume")
        self.gaur.post("/v1/queues/q/resume")
        self.gaur.post("/v1/host/quiet")
        self.expect_reason(whole, "this host is quiet and takes no jobs")
        for job in self.gaur.get("/v1/queues/q/jobs?state=waiting").json["jobs"]:
            self.assertTrue(self.reason(job["id"]), job)

    def check_unserved(self, gone):
        """Checks that the unserved jobs are in /v1/host, /metrics and once in the log, and do not affect readiness."""
        self.expect_reason(gone, "no runner of this host serves the function gone")
        unserved = until(lambda: self.gaur.host()["unserved"], what="the report")
        self.assertEqual([(jobs["queue"], jobs["function"]) for jobs in unserved], [("q", "gone")])
        self.assertGreaterEqual(unserved[0]["jobs"], min(FILLER, 1000))
        self.assertRegex(self.gaur.get("/metrics").text, r'(?m)^gaur_unserved_jobs\{queue="q",function="gone"\} \d+$')
        until(lambda: self.gaur.get("/metrics").text.count("gaur_unserved_jobs{") == 1, what="one sample per function")
        lines = [line for line in self.gaur.log().splitlines() if "jobs wait for a function that this host does not serve" in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertNotIn("gone", self.gaur.get("/readyz").text)
        self.gaur.post("/v1/host/quiet")
        self.assertIn("quiet", self.gaur.get("/readyz").text)


class EmbeddedWaitingTest(Reasons, EndToEnd):
    def setUp(self):
        super().setUp()
        self.gaur = self.server(EMBEDDED + QUEUES + FUNCTIONS).start(ready=False)

    def test_a_job_starts_behind_thousands_of_an_unserved_function(self):
        self.gaur.stop()
        config = self.folder / "gaur.toml"
        with_queues = re.sub(r"(\[functions\..*\]\n)", r'\1queue = "q"\n', FUNCTIONS + GONE)
        config.write_text(EMBEDDED + "[queues.q]\nmax_waiting = 0\n[queues.left]\n" + with_queues)
        self.gaur.start("--slots", "0", ready=False)  # takes nothing
        left = FILLER
        while left > 0:
            now = min(left, 5_000)
            added = self.gaur.post("/v1/queues/q/jobs", [{"name": "gone"}] * now)
            self.assertEqual(added.status, 202, added.text)
            left -= now
        gone = added.json[-1]["id"]
        self.expect_reason(gone, "waits behind .* jobs; this process takes no jobs, ask a host that does")
        self.assertEqual(self.gaur.post("/v1/queues/left/jobs", {"name": "sleep"}).status, 202)
        self.gaur.stop()
        config.write_text(EMBEDDED + "[queues.q]\nmax_waiting = 0\n" + FUNCTIONS)
        self.gaur.start(ready=False)
        self.assertEqual(self.gaur.finished("q", self.add("sleep"))["state"], "completed")
        until(lambda: len(self.gaur.host()["unserved"]) == 2, what="the report")
        self.assertIn({"queue": "left", "jobs": 1, "exact": True}, self.gaur.host()["unserved"])
        self.assertEqual(self.gaur.request("DELETE", "/v1/queues/left/jobs/1").status, 204)
        until(lambda: len(self.gaur.host()["unserved"]) == 1, what="the removal of that report")
        self.check_unserved(gone)

    def test_adds_of_unknown_functions_and_queues_are_rejected(self):
        function = self.gaur.post("/v1/queues/q/jobs", [{"name": "sleep"}, {"name": "slep"}])
        self.assertEqual((function.status, function.json["detail"]),
                         (404, 'jobs[1]: unknown function "slep"; did you mean "sleep"? known are: broken, single, sleep, whole'))
        queue = self.gaur.post("/v1/queues/p/jobs", {"name": "sleep"})
        self.assertEqual((queue.status, queue.json["type"], queue.json["detail"]),
                         (404, "urn:gaur:problem:not_found", 'unknown queue "p"; known are: q'))
        self.assertEqual(self.gaur.counts("q")["waiting"], 0)

    def test_every_route_of_an_unknown_queue_is_rejected(self):
        for method, route in [("POST", "/pause"), ("POST", "/resume"), ("GET", ""), ("GET", "/jobs"), ("GET", "/events"),
                              ("GET", "/events?cursor=1-0")]:
            with self.subTest(f"{method} {route}"):
                response = self.gaur.request(method, "/v1/queues/qq" + route)
                self.assertEqual((response.status, response.json["detail"]), (404, 'unknown queue "qq"; did you mean "q"? known are: q'))
        for method, route in [("GET", ""), ("DELETE", ""), ("GET", "/result"), ("GET", "/logs"), ("POST", "/cancel"),
                              ("POST", "/retry"), ("POST", "/promote")]:
            with self.subTest(f"{method} jobs/1{route}"):
                self.assertEqual(self.gaur.request(method, "/v1/queues/qq/jobs/1" + route).status, 404)
        self.assertNotIn("qq", [q["name"] for q in self.gaur.get("/v1/queues").json["queues"]])
        self.assertEqual(self.gaur.post("/v1/queues/q/pause", {}).status, 204)
        self.assertEqual(self.gaur.post("/v1/queues/q/resume", {}).status, 204)


class RedisWaitingTest(Reasons, RedisHosts):
    def setUp(self):
        super().setUp()
        self.server_process = self.redis()
        self.gaur = self.server('[store]\nurl = "redis://127.0.0.1:%d"\n' % self.server_process.port + MACHINE
                                + QUEUES + FUNCTIONS).start(ready=False)

    def test_a_job_starts_behind_thousands_of_an_unserved_function(self):
        left = FILLER
        while left > 0:
            added = self.gaur.post("/v1/queues/q/jobs", [{"name": "gone"}] * min(left, 1_000))
            self.assertEqual(added.status, 202, added.text)
            left -= 1_000
        self.assertEqual(self.gaur.finished("q", self.add("sleep"))["state"], "completed")
        self.check_unserved(added.json[0]["id"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
