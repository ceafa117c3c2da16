"""Quiet, leave and TERM: what each does to the queue, and what it tells."""

import signal
import unittest

from harness import until
from redis_hosts import BASE, FOREIGN_TOKEN, RedisHosts


class LeaveTest(RedisHosts):
    def test_quiet_takes_no_more_and_resume_takes_again(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start()
        running = self.bull_add(call, {"func": "sleep", "ms": 1500})
        until(lambda: self.active(call) == [running], what="the start")
        code, said = work.run("quiet", "--data", "gaur-data")
        self.assertEqual(code, 0, said)
        self.assertIn("is quiet and takes no more jobs; 1 running", said)
        self.assertEqual(work.get("/readyz").status, 503)
        waiting = self.bull_add(call, {"func": "sleep", "ms": 1})
        self.assertIn("returnvalue", self.finished(call, running))
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [waiting])
        code, said = work.run("quiet", "--resume", "--data", "gaur-data")
        self.assertEqual(code, 0, said)
        self.assertIn("returnvalue", self.finished(call, waiting))

    def test_leave_gives_back_wakes_and_says_when_pm2_may_start(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1")
        running = self.bull_add(call, {"func": "sleep", "ms": 60_000})
        until(lambda: self.active(call) == [running], what="the start")
        later = self.bull_add(call, {"func": "sleep"}, delay=3_600_000)
        code, said = work.run("leave", "--env", "prod.env", "--patience", "200ms")
        self.assertEqual(code, 1, said)
        self.assertIn("not safe yet", said)
        self.assertRegex(said, rf"! 1 job delayed, and bare workers never wake them: {later} \(due ")
        self.assertEqual(work.wait(), 0)  # the host has ended
        self.assertEqual(self.active(call), [])
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [running])
        self.assertNotIn("stalledCounter", call("HKEYS", BASE + running))
        code, said = work.run("leave", "--env", "prod.env", "--delayed=promote")  # no host runs any more
        self.assertEqual(code, 0, said)
        self.assertIn("safe to start pm2", said)
        self.assertEqual(sorted(call("LRANGE", BASE + "wait", 0, -1)), sorted([running, later]))

    def test_leave_after_a_kill_heals_from_the_store_alone(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1")
        running = self.bull_add(call, {"func": "sleep", "ms": 60_000})
        until(lambda: self.active(call) == [running], what="the start")
        work.kill()
        theirs = self.plant_active(call, 1, token=FOREIGN_TOKEN)
        code, said = work.run("leave", "--env", "prod.env")
        self.assertEqual(code, 0, said)
        self.assertIn(f"gave back 1 job held by this host: {running}", said)
        self.assertIn("1 job active under other workers' locks", said)
        self.assertEqual(self.active(call), [theirs])
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [running])

    def test_term_gives_running_jobs_back(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1", "--server.stop_timeout=200ms")
        running = self.bull_add(call, {"func": "sleep", "ms": 60_000})
        until(lambda: self.active(call) == [running], what="the start")
        work.signal(signal.SIGTERM)
        self.assertEqual(work.wait(), 0)
        self.assertEqual((self.active(call), call("LRANGE", BASE + "wait", 0, -1)), ([], [running]))
        self.assertFalse((self.folder / "gaur-data/host.json").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
