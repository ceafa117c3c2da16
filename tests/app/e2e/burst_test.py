"""100 DuckDB queries at once while runners and the server are killed: each job completes once, with the right result."""

import os
import signal
import unittest

from harness import EndToEnd, Sampler, alive, tree, until

JOBS = 100
ROWS = 4_000_000
CONFIG = f'''
[store]
url = "embedded:./data"
[worker]
max_stalled = 8
[queues.q]
[pools.sql]
kind = "duckdb"
start_timeout = "60s"
[functions.total]
pool = "sql"
result = "arrays"
sql = "SELECT count(*) AS n, sum(i) AS total, '순위 ' || $n AS label FROM range({ROWS}) AS t(i) WHERE hash(i) % 7 <> 7 AND i % 101 <> $n"
[functions.total.params]
n = {{ type = "integer", required = true, min = 0, max = 100 }}
'''


def expected(n):
    left_out = range(n, ROWS, 101)
    total = ROWS * (ROWS - 1) // 2 - sum(left_out)
    return [[str(ROWS - len(left_out)), str(total), f"순위 {n}"]]


class BurstTest(EndToEnd):
    def kill_a_runner(self, server):
        def try_it():
            pids = [run["pid"] for run in server.host()["runs"] if run.get("pid")]
            try:
                os.kill(pids[0], signal.SIGKILL)
                return True
            except (IndexError, ProcessLookupError):
                return False

        until(try_it, what="a busy runner to kill")

    def after(self, server, count):
        until(lambda: server.counts("q")["completed"] >= count, what=f"{count} completed jobs")

    def test_every_job_of_a_burst_completes_once_after_kills_of_runners_and_server(self):
        server = self.server(CONFIG).start()
        slots = server.host()["slots"]
        body = [{"name": "total", "data": {"n": n}} for n in range(JOBS)]
        ids = [added["id"] for added in server.post("/v1/queues/q/jobs", body).json]
        with Sampler(server) as sampler:
            for count in (10, 20):
                self.after(server, count)
                self.kill_a_runner(server)
            for count in (35, 60):
                self.after(server, count)
                below = tree(server.process.pid)
                server.kill()
                until(lambda: not alive(below), seconds=2, what="the exit of all processes of the killed server")
                server.start()
            for n, job_id in enumerate(ids):
                job = server.finished("q", job_id)
                self.assertEqual(job["state"], "completed", job)
                self.assertEqual(job["result"]["rows"], expected(n))
        self.assertEqual(sorted(server.events("q", "completed", JOBS), key=int), sorted(ids, key=int), "each completed once")
        self.assertLessEqual(sampler.most_runs, slots)
        self.assertLessEqual(sampler.most_cores, sampler.capacity_cores)
        self.assertLessEqual(sampler.most_memory, sampler.capacity_memory)
        started = sum(server.job("q", job_id)["attempts_started"] for job_id in ids)
        print(f"{JOBS} of {JOBS} completed once with the right result after 2 killed runners and 2 killed servers, in {started} starts; "
              f"at most {sampler.most_runs} of {slots} slots in {sampler.samples} samples")


if __name__ == "__main__":
    unittest.main(verbosity=2)
