"""Restarts and pauses of the host do not fail jobs and do not count as attempts."""

import signal
import time
import unittest

from harness import TESTBED, EndToEnd, alive, tree, until
from redis_hosts import BASE, RedisHosts

CONFIG = f'''
[store]
url = "embedded:./data"
[worker]
lock = "2s"
[queues.q]
{TESTBED}
[functions.sleep]
pool = "testbed"
[functions.fail]
pool = "testbed"
[functions.snooze]
pool = "testbed"
'''
RESTARTS = 12


class RestartsTest(EndToEnd):
    def is_running(self, server, job_id):
        return any(run["id"] == job_id for run in server.host()["runs"])

    def restart_under(self, server, job_id, number):
        until(lambda: self.is_running(server, job_id), what="the run")
        below = tree(server.process.pid)
        server.signal(number)
        server.process.wait()
        until(lambda: not alive(below), seconds=10, what="the exit of all processes of the killed server")
        server.start()

    def test_a_job_survives_any_number_of_killed_hosts(self):
        server = self.server(CONFIG).start()
        job_id = server.add("sleep", {"ms": 3_000})
        for _ in range(RESTARTS):
            self.restart_under(server, job_id, signal.SIGKILL)
        job = server.finished("q", job_id)
        self.assertEqual(job["state"], "completed", job)
        self.assertEqual(job["attempts_made"], 1)
        self.assertEqual(job.get("stalled", 0), 0)
        self.assertEqual(job["attempts_started"], RESTARTS + 1)
        self.assertNotIn("count as stalled", server.log())

    def test_a_host_killed_by_another_process_does_not_count_as_stalled(self):
        server = self.server(CONFIG).start()
        job_id = server.add("sleep", {"ms": 1_500})
        for _ in range(3):
            self.restart_under(server, job_id, signal.SIGABRT)
        job = server.finished("q", job_id)
        self.assertEqual((job["state"], job.get("stalled", 0)), ("completed", 0), job)

    def test_a_job_that_crashes_its_host_fails_after_max_stalled(self):
        server = self.server(CONFIG).start()
        job_id = server.add("sleep", {"ms": 60_000})
        for stalled in (1, 2):
            until(lambda: self.is_running(server, job_id), what="the run")
            server.kill()
            with open(self.folder / "data/running", "r+b") as file:
                file.seek(64)
                file.write(b"signal 11\n")  # the signal handler of a crashing host writes this
            server.start()
            until(lambda: server.job("q", job_id).get("stalled") == stalled, what="the count")
        job = server.finished("q", job_id)
        self.assertEqual((job["state"], job["failure"]["code"], job["attempts_made"]), ("failed", "stalled", 0), job)
        self.assertIn('reason="it crashed (SIGSEGV)"', server.log())
        self.assertEqual(server.finished("q", server.add("sleep", {"ms": 1}))["state"], "completed")

    def test_all_fifteen_attempts_run_and_the_last_error_is_kept(self):
        server = self.server(CONFIG).start()
        added = server.post("/v1/queues/q/jobs", {"name": "fail", "data": {}, "options": {"attempts": 15}})
        self.assertEqual(added.status, 202, added.text)
        job = server.finished("q", added.json["id"])
        self.assertEqual(job["state"], "failed")
        self.assertEqual((job["attempts_made"], job["attempts_started"]), (15, 15))
        self.assertEqual(job["failure"]["message"], "attempt 15 failed")

    def test_snoozes_are_not_counted(self):
        server = self.server(CONFIG).start()
        note = self.folder / "starts"
        job_id = server.add("snooze", {"times": 20, "note": str(note)})
        job = server.finished("q", job_id)
        self.assertEqual(job["state"], "completed", job)
        self.assertEqual((job["attempts_made"], job.get("stalled", 0)), (1, 0))
        self.assertEqual(len(note.read_text().splitlines()), 21)

    def test_a_stopped_and_continued_host_loses_no_run(self):
        server = self.server(CONFIG).start()
        note = self.folder / "starts"
        job_id = server.add("sleep", {"ms": 8_000, "note": str(note)})
        until(lambda: self.is_running(server, job_id), what="the run")
        server.signal(signal.SIGSTOP)
        time.sleep(5)  # longer than the lock
        server.signal(signal.SIGCONT)
        job = server.finished("q", job_id)
        self.assertEqual(job["state"], "completed", job)
        self.assertEqual((job["attempts_started"], job.get("stalled", 0)), (1, 0))
        self.assertEqual(len(note.read_text().splitlines()), 1)
        self.assertIn("locks were extended", server.log())

    def test_a_run_that_ends_while_its_host_is_stopped_counts(self):
        server = self.server(CONFIG).start()
        note = self.folder / "starts"
        job_id = server.add("sleep", {"ms": 1_500, "note": str(note)})
        until(lambda: self.is_running(server, job_id), what="the run")
        server.signal(signal.SIGSTOP)
        time.sleep(5)
        server.signal(signal.SIGCONT)
        job = server.finished("q", job_id)
        self.assertEqual((job["state"], job["attempts_started"]), ("completed", 1), job)


class RedisRestartsTest(RedisHosts):
    def test_a_job_survives_any_number_of_killed_hosts(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start()
        job_id = self.bull_add(call, {"func": "sleep", "ms": 3_000})
        for _ in range(RESTARTS):
            until(lambda: self.active(call) == [job_id], what="the start")
            work.kill()
            work.start()
        job = self.finished(call, job_id)
        self.assertIn("returnvalue", job)
        self.assertNotIn("stalledCounter", job)
        self.assertNotIn("attemptsMade", job)

    def test_a_job_that_crashes_its_host_fails_after_max_stalled(self):
        redis = self.redis()
        call = self.call(redis)
        flags = ("--worker.lock=2s", "--grace=0")
        work = self.worker(redis).start(*flags)
        job_id = self.bull_add(call, {"func": "sleep", "ms": 60_000})
        until(lambda: self.active(call) == [job_id], what="the start")
        until(lambda: work.host()["runs"], what="the run")
        for _ in range(2):
            work.kill()
            with open(self.folder / "gaur-data/running", "r+b") as file:
                file.seek(64)
                file.write(b"signal 11\n")
            work.start(*flags)
            until(lambda: call("HGET", BASE + job_id, "failedReason") or work.host()["runs"], what="the next run, or the end")
        job = self.finished(call, job_id)
        self.assertEqual(job["failedReason"], "job stalled more than allowable limit")
        self.assertEqual(job["stalledCounter"], "2")
        self.assertNotIn("attemptsMade", job)


if __name__ == "__main__":
    unittest.main(verbosity=2)
