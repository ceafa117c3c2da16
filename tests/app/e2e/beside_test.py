"""A host beside plain Bull workers: which of their jobs it leaves alone, and which a sweeper requeues."""

import time
import unittest

from harness import until
from redis_hosts import BASE, FOREIGN_TOKEN, SWEEP_SECONDS, RedisHosts


class BesideTest(RedisHosts):
    def test_orphans_and_unlocked_jobs_of_other_workers_are_reported_and_kept(self):
        redis = self.redis()
        call = self.call(redis)
        orphan = self.plant_active(call, 7200)
        held = self.plant_active(call, 5, token=FOREIGN_TOKEN)
        fresh = self.plant_active(call, 5)  # its lock has expired; its plain Bull worker may still run it
        work = self.worker(redis).start()
        self.assertRegex(work.log(), rf"{orphan} started 2 h ago: an orphan, not requeued")
        self.assertRegex(work.log(), rf"{fresh} started .* ago: requeued if it stays unlocked for")
        until(lambda: f"job {orphan} of queue query is active without a lock" in work.log(), SWEEP_SECONDS, "the report of the orphan")
        until(lambda: f"job {fresh} of queue query is active without a lock" in work.log(), SWEEP_SECONDS, "the report of the other job")
        self.assertEqual(sorted(self.active(call)), sorted([orphan, held, fresh]))
        self.assertNotIn(f"job {held} of", work.log())

    def test_sweep_only_requeues_stalled_jobs_and_takes_none(self):
        redis = self.redis()
        call = self.call(redis)
        waiting = self.bull_add(call, {"func": "sleep"})
        stalled = self.plant_active(call, 3)
        due = self.bull_add(call, {"func": "sleep"}, delay=1)
        later = self.bull_add(call, {"func": "sleep"}, delay=3_600_000)
        until(lambda: time.time() * 1000 > int(call("HGET", BASE + due, "timestamp")) + 100)
        work = self.worker(redis, config="")  # no functions and no queues: Gaur finds the queues under the prefix
        work.start("--sweep-only", "--grace=1s")
        until(lambda: due in call("LRANGE", BASE + "wait", 0, -1), 10, "the promotion of the due job")
        until(lambda: stalled in call("LRANGE", BASE + "wait", 0, -1), SWEEP_SECONDS, "the requeue of the stalled job")
        self.assertEqual(self.active(call), [])
        self.assertEqual(sorted(call("LRANGE", BASE + "wait", 0, -1)), sorted([waiting, stalled, due]))
        self.assertEqual(call("ZRANGE", BASE + "delayed", 0, -1), [later])
        self.assertEqual(work.host()["role"], "sweeper")
        self.assertEqual(work.host()["pools"], [])

    def test_stalled_report_changes_nothing(self):
        redis = self.redis()
        call = self.call(redis)
        stalled = self.plant_active(call, 3)
        work = self.worker(redis).start("--stalled", "report", "--grace", "0")
        until(lambda: f"job {stalled} of queue query is active without a lock" in work.log(), SWEEP_SECONDS, "the report")
        self.assertEqual(self.active(call), [stalled])


if __name__ == "__main__":
    unittest.main(verbosity=2)
