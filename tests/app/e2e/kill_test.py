"""SIGKILL of runners and of the server during a burst: each job completes once, and no process remains."""

import os
import random
import signal
import time
import unittest

from harness import TESTBED, EndToEnd, alive, tree, until

JOBS = 60
CONFIG = f'''
[store]
url = "embedded:./data"
[worker]
max_stalled = 8          # so that many kills in a row fail no job
[queues.q]
{TESTBED}
min_runners = 2
[functions.sleep]
pool = "testbed"
[functions.grandchild]
pool = "testbed"
[functions.die]
pool = "testbed"
'''


class KillTest(EndToEnd):
    def add_burst(self, server):
        body = [{"name": "sleep", "data": {"ms": 100, "n": n}} for n in range(JOBS)]
        return [added["id"] for added in server.post("/v1/queues/q/jobs", body).json]

    def check_burst(self, server, ids):
        """Checks that each job completed exactly once."""
        for job_id in ids:
            job = server.finished("q", job_id)
            self.assertEqual(job["state"], "completed", job)
        completed = server.events("q", "completed", JOBS)
        self.assertEqual(sorted(completed, key=int), sorted(ids, key=int))

    def busy_runners(self, server):
        return [run["pid"] for run in server.host()["runs"] if run.get("pid")]

    def test_no_job_is_lost_when_runners_are_killed(self):
        server = self.server(CONFIG).start()
        ids = self.add_burst(server)
        picks = random.Random(1)
        killed = 0
        while killed < 5:
            pids = until(lambda: self.busy_runners(server), what="a busy runner")
            try:
                os.kill(picks.choice(pids), signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass  # the process has just exited
            done = server.counts("q")["completed"]
            until(lambda: server.counts("q")["completed"] > done, seconds=2, what="another completed job after the kill")
        self.check_burst(server, ids)
        stalled = sum(server.job("q", job_id).get("stalled", 0) for job_id in ids)
        print(f"5 runners killed, {stalled} runs lost, {JOBS} of {JOBS} completed once")

    def test_jobs_complete_once_when_the_server_is_killed(self):
        server = self.server(CONFIG).start()
        ids = self.add_burst(server)
        for _ in range(3):
            done = server.counts("q")["completed"]
            until(lambda: server.counts("q")["completed"] >= done + 5 and self.busy_runners(server), what="some progress")
            below = tree(server.process.pid)
            server.kill()
            until(lambda: not alive(below), seconds=2, what="the exit of all processes of the killed server")
            server.start()
        self.check_burst(server, ids)
        started = sum(server.job("q", job_id)["attempts_started"] for job_id in ids)
        print(f"the server was killed 3 times; {JOBS} jobs completed once, in {started} starts")

    def test_all_processes_of_a_killed_server_exit(self):
        server = self.server(CONFIG).start()
        pid_file = self.folder / "grandchild"
        server.add("grandchild", {"ms": 60_000, "pid_file": str(pid_file)})
        grandchild = int(until(lambda: pid_file.exists() and pid_file.read_text(), what="the grandchild"))
        below = tree(server.process.pid)
        self.assertIn(grandchild, below, "the grandchild is not below the server")
        begun = time.monotonic()
        server.kill()
        until(lambda: not alive(below), seconds=2, what="the exit of all processes of the killed server")
        print(f"{len(below)} processes, including a double-forked one, exited {1000 * (time.monotonic() - begun):.0f} ms "
              "after the server was killed")

    def test_a_job_that_kills_its_runner_fails_with_the_signal_in_its_message(self):
        server = self.server(CONFIG.replace("max_stalled = 8", "max_stalled = 1")).start()
        job = server.finished("q", server.add("die", {}))
        self.assertEqual(job["state"], "failed")
        self.assertEqual(job["failure"]["code"], "crashed")
        self.assertIn("SIGKILL", job["failure"]["message"])
        self.assertEqual(server.finished("q", server.add("sleep", {"ms": 1}))["state"], "completed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
