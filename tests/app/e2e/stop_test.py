"""The first SIGTERM waits for running jobs, a second one stops the server at once. Neither loses a job."""

import signal
import time
import unittest

from harness import TESTBED, EndToEnd, alive, tree, until

# Seconds beyond stop_timeout: 2 s for a runner that ignores its cancel, 2 s of stop_grace for idle runners, and the last finishes.
STOP_AT_ONCE = 5
CONFIG = f'''
[server]
stop_timeout = "20s"
[store]
url = "embedded:./data"
[queues.q]
{TESTBED}
[functions.sleep]
pool = "testbed"
[functions.ignore_signals]
pool = "testbed"
'''


class StopTest(EndToEnd):
    def begin(self, config, function, data, waiting=5):
        """A server with one running job and some waiting ones."""
        server = self.server(config).start("--machine.slots=1", "--functions.sleep.max_running=1")
        running = server.add(function, data)
        until(lambda: server.job("q", running)["state"] == "active", what="the start")
        rest = [server.add("sleep", {"ms": 1}) for _ in range(waiting)]
        return server, running, rest

    def test_sigterm_waits_for_the_running_job_and_takes_no_other(self):
        server, running, rest = self.begin(CONFIG, "sleep", {"ms": 1500})
        below = tree(server.process.pid)
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        self.assertEqual(alive(below), [])
        server.start()
        job = server.job("q", running)
        self.assertEqual((job["state"], job["attempts_started"]), ("completed", 1))
        for job_id in rest:
            self.assertEqual(server.finished("q", job_id)["state"], "completed")

    def test_a_second_sigterm_requeues_the_running_job_without_counting_the_start(self):
        server, running, rest = self.begin(CONFIG, "sleep", {"ms": 15_000})
        server.signal(signal.SIGTERM)
        until(lambda: "stopping" in server.log(), what="the first SIGTERM to be handled")
        begun = time.monotonic()
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        took = time.monotonic() - begun
        print(f"ended {1000 * took:.0f} ms after the second SIGTERM")
        self.assertLess(took, STOP_AT_ONCE, "a second SIGTERM stops the server at once")
        server.start("--functions.sleep.max_running=1")
        until(lambda: server.job("q", running)["state"] == "active", what="the second start")
        job = server.job("q", running)
        self.assertEqual((job["attempts_made"], job["attempts_started"], job.get("stalled", 0)), (0, 2, 0))
        self.assertEqual(server.post(f"/v1/queues/q/jobs/{running}/cancel").status, 202)
        for job_id in rest:
            self.assertEqual(server.finished("q", job_id)["state"], "completed")

    def test_a_job_that_exceeds_stop_timeout_is_requeued(self):
        server, running, _ = self.begin(CONFIG.replace("20s", "300ms"), "ignore_signals", {"seconds": 60})
        begun = time.monotonic()
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        self.assertLess(time.monotonic() - begun, 0.3 + STOP_AT_ONCE)
        server.start("--machine.slots=1")
        job = server.job("q", running)
        self.assertIn(job["state"], ("waiting", "active"))
        self.assertEqual((job["attempts_made"], job.get("stalled", 0)), (0, 0))
        server.post(f"/v1/queues/q/jobs/{running}/cancel")

    def test_a_stop_just_after_adds_exits_cleanly(self):
        server = self.server(CONFIG)
        for _ in range(10):
            server.start("--slots", "0")
            added = server.post("/v1/queues/q/jobs", [{"name": "sleep"}] * 500)
            self.assertEqual(added.status, 202, added.text)
            server.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
