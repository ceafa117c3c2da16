"""Quiet, leave and TERM: what each does to the queue, and what it tells."""

import json
import signal
import subprocess
import unittest

from harness import HERE, ROOT, until
from redis_hosts import BASE, FOREIGN_TOKEN, PREFIX, RedisHosts

INTEROP = ROOT / "tests/interop/node_modules"


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
        self.assertRegex(said, rf"! 1 job delayed, and plain Bull workers never wake them: {later} \(due ")
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
        self.assertIn(f"requeued 1 job held by this host: {running}", said)
        self.assertIn("1 job active, locked by other workers", said)
        self.assertEqual(self.active(call), [theirs])
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [running])

    def test_leave_knows_the_name_that_only_the_host_was_given(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1", "--worker.name=query04")
        running = self.bull_add(call, {"func": "sleep", "ms": 60_000})
        until(lambda: self.active(call) == [running], what="the start")
        work.kill()
        record, saved = self.folder / "gaur-data/host.json", self.folder / "saved.json"
        record.rename(saved)
        record.symlink_to("/proc/self/mem")  # can be opened; reading fails
        code, said = work.run("leave", "--env", "prod.env")
        self.assertEqual(code, 1, said)
        self.assertIn("host.json: Input/output error; nothing was stopped: pass the host's name with --worker.name", said)
        self.assertEqual(self.active(call), [running])
        saved.replace(record)
        code, said = work.run("leave", "--env", "prod.env")
        self.assertEqual(code, 0, said)
        self.assertIn(f"requeued 1 job held by this host: {running}", said)
        self.assertEqual(self.active(call), [])

    def test_a_host_on_another_data_folder_is_found_through_the_store(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1", "--data", "elsewhere")
        running = self.bull_add(call, {"func": "sleep", "ms": 60_000})
        until(lambda: self.active(call) == [running], what="the start")
        code, said = work.run("leave", "--env", "prod.env", "--data", "wrong")
        self.assertEqual(code, 1, said)
        self.assertRegex(said, rf"! still runs on this machine: .* \(pid {work.process.pid} on .*\): `gaur leave --data {self.folder}/elsewhere`")
        self.assertIn("no host has used the data folder", said)
        self.assertNotIn("safe to start pm2", said.replace("not safe", ""))
        self.assertFalse((self.folder / "wrong").exists())
        self.assertEqual(self.active(call), [running])
        (self.folder / "used").mkdir()
        (self.folder / "used/host-id").write_text("00000000\n")  # another host's, of earlier
        code, said = work.run("leave", "--env", "prod.env", "--data", "used", "--delayed=keep")
        self.assertEqual(code, 1, said)
        self.assertIn("not safe yet", said)
        code, said = work.run("quiet", "--env", "prod.env", "--data", "wrong")
        self.assertEqual(code, 1, said)
        self.assertIn(f"`gaur quiet --data {self.folder}/elsewhere`", said)
        self.assertIn(f"(pid {work.process.pid} on ", work.run("look", "--env", "prod.env")[1])
        code, said = work.run("leave", "--env", "prod.env", "--data", "elsewhere", "--patience", "100ms")
        self.assertEqual(code, 0, said)
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [running])

    def test_nothing_is_stopped_while_the_store_does_not_answer(self):
        redis = self.redis()
        work = self.worker(redis).start("--slots", "1")
        redis.process.send_signal(signal.SIGSTOP)
        try:
            code, said = work.run("leave", "--env", "prod.env", "--data", "data", "--store.connect_timeout=500ms")
        finally:
            redis.process.send_signal(signal.SIGCONT)
        self.assertEqual(code, 3, said)
        self.assertIn("nothing was stopped", said)
        self.assertIsNone(work.process.poll())

    def test_a_user_that_may_not_see_clients_is_told_so(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1", "--data", "elsewhere")
        call("ACL", "SETUSER", "narrow", "on", ">pw", "~*", "&*", "+@all", "-client|list")
        (self.folder / "narrow.env").write_text((self.folder / "prod.env").read_text() + "\nREDIS_USERNAME=narrow\nREDIS_PASSWORD=pw\n")
        (self.folder / "used").mkdir()
        (self.folder / "used/host-id").write_text("00000000\n")
        code, said = work.run("leave", "--env", "narrow.env", "--data", "used")
        self.assertEqual(code, 1, said)
        self.assertIn("CLIENT LIST failed", said)

    @unittest.skipUnless(INTEROP.is_dir(), "bull is not installed below tests/interop")
    def test_repeatable_jobs_stay_scheduled_and_bull_continues_them(self):
        redis = self.redis()
        call = self.call(redis)

        def bull(*arguments):
            return json.loads(subprocess.run(["node", str(HERE / "repeat_bull.mjs"), str(INTEROP), str(redis.port), PREFIX, "query", *arguments],
                                             capture_output=True, text=True, check=True, timeout=60).stdout)
        bull("add")
        work = self.worker(redis).start()
        until(lambda: call("ZCARD", BASE + "completed") >= 2, what="two runs of it here")
        code, said = work.run("leave", "--env", "prod.env")
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"- repeatable jobs: 1 next run stays scheduled, and Bull continues them: .*repeat:\w+:\d+ \(due ")
        self.assertIn("safe to start pm2", said)
        scheduled = call("ZRANGE", BASE + "delayed", 0, -1)
        self.assertEqual(len(scheduled), 1, "the next run, and no other")
        code, again = work.run("leave", "--env", "prod.env", "--delayed=promote")
        self.assertEqual(code, 0, again)
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [], "a next run is not promoted: it would run twice in its slot")
        ids = bull("work", "3")
        self.assertEqual(len(set(ids)), 3)
        self.assertTrue(all(job_id.startswith("repeat:") for job_id in ids), ids)
        instants = [int(job_id.rpartition(":")[2]) for job_id in ids]
        self.assertTrue(all(instant % 1000 == 0 for instant in instants), "every second, as it was asked")

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
