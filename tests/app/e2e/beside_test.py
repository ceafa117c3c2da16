"""What a host leaves alone beside bare workers, and what a sweeper heals of theirs."""

import time
import unittest

from harness import until
from redis_hosts import BASE, FOREIGN_TOKEN, SWEEP_SECONDS, RedisHosts


class BesideTest(RedisHosts):
    def test_orphans_and_jobs_of_others_are_told_and_left(self):
        redis = self.redis()
        call = self.call(redis)
        orphan = self.plant_active(call, 7200)
        held = self.plant_active(call, 5, token=FOREIGN_TOKEN)
        fresh = self.plant_active(call, 5)  # its lock has expired, its bare worker may still be at it
        work = self.worker(redis).start()
        self.assertRegex(work.log(), rf"{orphan} started 2 h ago: an orphan, not requeued")
        self.assertRegex(work.log(), rf"{fresh} started .* ago: requeued if it stays unlocked for")
        until(lambda: f"job {orphan} of queue query is active without a lock" in work.log(), SWEEP_SECONDS, "the orphan being told")
        until(lambda: f"job {fresh} of queue query is active without a lock" in work.log(), SWEEP_SECONDS, "the other being told")
        self.assertEqual(sorted(self.active(call)), sorted([orphan, held, fresh]))
        self.assertNotIn(f"job {held} of", work.log())

    def test_sweep_only_heals_what_bare_workers_leave_and_takes_nothing(self):
        redis = self.redis()
        call = self.call(redis)
        waiting = self.bull_add(call, {"func": "sleep"})
        lost = self.plant_active(call, 3)
        slept = self.bull_add(call, {"func": "sleep"}, delay=1)
        later = self.bull_add(call, {"func": "sleep"}, delay=3_600_000)
        until(lambda: time.time() * 1000 > int(call("HGET", BASE + slept, "timestamp")) + 100)
        work = self.worker(redis, config="")  # no functions, no queues: they are found under the prefix
        work.start("--sweep-only", "--grace=1s")
        until(lambda: slept in call("LRANGE", BASE + "wait", 0, -1), 10, "the delayed job waking")
        until(lambda: lost in call("LRANGE", BASE + "wait", 0, -1), SWEEP_SECONDS, "the lost job coming back")
        self.assertEqual(self.active(call), [])
        self.assertEqual(sorted(call("LRANGE", BASE + "wait", 0, -1)), sorted([waiting, lost, slept]))
        self.assertEqual(call("ZRANGE", BASE + "delayed", 0, -1), [later])
        self.assertEqual(work.host()["role"], "sweeper")
        self.assertEqual(work.host()["pools"], [])

    def test_reporting_tells_and_changes_nothing(self):
        redis = self.redis()
        call = self.call(redis)
        lost = self.plant_active(call, 3)
        work = self.worker(redis).start("--stalled", "report", "--grace", "0")
        until(lambda: f"job {lost} of queue query is active without a lock" in work.log(), SWEEP_SECONDS, "the report")
        self.assertEqual(self.active(call), [lost])


if __name__ == "__main__":
    unittest.main(verbosity=2)
