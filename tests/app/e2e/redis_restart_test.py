"""A killed host over Redis requeues its jobs within a second of its restart. RUN_ALONE, because it measures time."""

import json
import time
import unittest

from harness import until
from redis_hosts import BASE, RedisHosts


class RedisRestartTest(RedisHosts):
    def test_a_killed_host_requeues_its_jobs_within_a_second_of_its_restart(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "2")
        ids = [self.bull_add(call, {"func": "sleep", "ms": 60_000}) for _ in range(2)]
        until(lambda: len(self.active(call)) == 2 and len(work.host()["runs"]) == 2, what="two runs")
        work.kill()
        self.assertEqual(sorted(self.active(call)), ids)
        for job_id in ids:  # the second run is short
            call("HSET", BASE + job_id, "data", json.dumps({"func": "sleep", "ms": 1}))
        begun = time.monotonic()
        work.start("--slots", "2", ready=False)
        until(lambda: work.log().count("was requeued: the previous process of this worker held it") == 2, what="the requeues")
        took = time.monotonic() - begun
        for job_id in ids:
            job = self.finished(call, job_id)
            self.assertIn("returnvalue", job)
            self.assertNotIn("stalledCounter", job)  # an uncounted start
        print(f"2 jobs of a killed host were requeued {1000 * took:.0f} ms after its restart")
        self.assertLess(took, 1.0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
