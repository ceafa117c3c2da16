"""The effect of `gaur quiet`, `gaur leave` and SIGTERM on the queue, and their output."""

import json
import signal
import subprocess
import unittest

from harness import HERE, ROOT, until
from redis_hosts import BASE, FOREIGN_TOKEN, PREFIX, RedisHosts

INTEROP = ROOT / "tests/interop/node_modules"


class LeaveTest(RedisHosts):
    def test_quiet_stops_taking_and_resume_continues(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start()
        running = self.bull_add(call, {"func": "sleep", "ms": 1500})
        until(lambda: self.active(call) == [running], what="the start")
        code, output = work.run("quiet", "--data", "gaur-data")
        self.assertEqual(code, 0, output)
        self.assertIn("is quiet and takes no more jobs; 1 running", output)
        self.assertEqual(work.get("/readyz").status, 503)
        waiting = self.bull_add(call, {"func": "sleep", "ms": 1})
        self.assertIn("returnvalue", self.finished(call, running))
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [waiting])
        code, output = work.run("quiet", "--resume", "--data", "gaur-data")
        self.assertEqual(code, 0, output)
        self.assertIn("returnvalue", self.finished(call, waiting))

    def test_leave_requeues_promotes_and_reports_when_pm2_can_start(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1")
        running = self.bull_add(call, {"func": "sleep", "ms": 60_000})
        until(lambda: self.active(call) == [running], what="the start")
        later = self.bull_add(call, {"func": "sleep"}, delay=3_600_000)
        code, output = work.run("leave", "--env", "prod.env", "--patience", "200ms")
        self.assertEqual(code, 1, output)
        self.assertIn("not safe yet", output)
        self.assertRegex(output, rf"! 1 job delayed, and plain Bull workers never wake them: {later} \(due ")
        self.assertEqual(work.wait(), 0)  # the host has exited
        self.assertEqual(self.active(call), [])
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [running])
        self.assertNotIn("stalledCounter", call("HKEYS", BASE + running))
        code, output = work.run("leave", "--env", "prod.env", "--delayed=promote")  # the host has exited
        self.assertEqual(code, 0, output)
        self.assertIn("safe to start pm2", output)
        self.assertEqual(sorted(call("LRANGE", BASE + "wait", 0, -1)), sorted([running, later]))

    def test_leave_after_a_kill_requeues_with_the_store_alone(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1")
        running = self.bull_add(call, {"func": "sleep", "ms": 60_000})
        until(lambda: self.active(call) == [running], what="the start")
        work.kill()
        foreign = self.plant_active(call, 1, token=FOREIGN_TOKEN)
        code, output = work.run("leave", "--env", "prod.env")
        self.assertEqual(code, 0, output)
        self.assertIn(f"requeued 1 job held by this host: {running}", output)
        self.assertIn("1 job active, locked by other workers", output)
        self.assertEqual(self.active(call), [foreign])
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [running])

    def test_leave_finds_the_jobs_of_a_host_with_another_worker_name(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1", "--worker.name=query04")
        running = self.bull_add(call, {"func": "sleep", "ms": 60_000})
        until(lambda: self.active(call) == [running], what="the start")
        work.kill()
        record, saved = self.folder / "gaur-data/host.json", self.folder / "saved.json"
        record.rename(saved)
        record.symlink_to("/proc/self/mem")  # can be opened; reading fails
        code, output = work.run("leave", "--env", "prod.env")
        self.assertEqual(code, 1, output)
        self.assertIn("host.json: Input/output error; nothing was stopped: pass the host's name with --worker.name", output)
        self.assertEqual(self.active(call), [running])
        saved.replace(record)
        code, output = work.run("leave", "--env", "prod.env")
        self.assertEqual(code, 0, output)
        self.assertIn(f"requeued 1 job held by this host: {running}", output)
        self.assertEqual(self.active(call), [])

    def test_a_host_on_another_data_folder_is_found_through_the_store(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1", "--data", "elsewhere")
        running = self.bull_add(call, {"func": "sleep", "ms": 60_000})
        until(lambda: self.active(call) == [running], what="the start")
        code, output = work.run("leave", "--env", "prod.env", "--data", "wrong")
        self.assertEqual(code, 1, output)
        self.assertRegex(output, rf"! still runs on this machine: .* \(pid {work.process.pid} on .*\): `gaur leave --data {self.folder}/elsewhere`")
        self.assertIn("no host has used the data folder", output)
        self.assertNotIn("safe to start pm2", output.replace("not safe", ""))
        self.assertFalse((self.folder / "wrong").exists())
        self.assertEqual(self.active(call), [running])
        (self.folder / "used").mkdir()
        (self.folder / "used/host-id").write_text("00000000\n")  # of an earlier host
        code, output = work.run("leave", "--env", "prod.env", "--data", "used", "--delayed=keep")
        self.assertEqual(code, 1, output)
        self.assertIn("not safe yet", output)
        code, output = work.run("quiet", "--env", "prod.env", "--data", "wrong")
        self.assertEqual(code, 1, output)
        self.assertIn(f"`gaur quiet --data {self.folder}/elsewhere`", output)
        self.assertIn(f"(pid {work.process.pid} on ", work.run("look", "--env", "prod.env")[1])
        code, output = work.run("leave", "--env", "prod.env", "--data", "elsewhere", "--patience", "100ms")
        self.assertEqual(code, 0, output)
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [running])

    def test_leave_stops_nothing_while_the_store_does_not_respond(self):
        redis = self.redis()
        work = self.worker(redis).start("--slots", "1")
        redis.process.send_signal(signal.SIGSTOP)
        try:
            code, output = work.run("leave", "--env", "prod.env", "--data", "data", "--store.connect_timeout=500ms")
        finally:
            redis.process.send_signal(signal.SIGCONT)
        self.assertEqual(code, 3, output)
        self.assertIn("nothing was stopped", output)
        self.assertIsNone(work.process.poll())

    def test_leave_reports_that_the_user_may_not_list_clients(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1", "--data", "elsewhere")
        call("ACL", "SETUSER", "narrow", "on", ">pw", "~*", "&*", "+@all", "-client|list")
        (self.folder / "narrow.env").write_text((self.folder / "prod.env").read_text() + "\nREDIS_USERNAME=narrow\nREDIS_PASSWORD=pw\n")
        (self.folder / "used").mkdir()
        (self.folder / "used/host-id").write_text("00000000\n")
        code, output = work.run("leave", "--env", "narrow.env", "--data", "used")
        self.assertEqual(code, 1, output)
        self.assertIn("CLIENT LIST failed", output)

    @unittest.skipUnless(INTEROP.is_dir(), "bull is not installed below tests/interop")
    def test_repeatable_jobs_stay_scheduled_and_bull_continues_them(self):
        redis = self.redis()
        call = self.call(redis)

        def bull(*arguments):
            return json.loads(subprocess.run(["node", str(HERE / "repeat_bull.mjs"), str(INTEROP), str(redis.port), PREFIX, "query", *arguments],
                                             capture_output=True, text=True, check=True, timeout=60).stdout)
        bull("add")
        work = self.worker(redis).start()
        until(lambda: call("ZCARD", BASE + "completed") >= 2, what="two runs by Gaur")
        code, output = work.run("leave", "--env", "prod.env")
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"- repeatable jobs: 1 next run stays scheduled, and Bull continues them: .*repeat:\w+:\d+ \(due ")
        self.assertIn("safe to start pm2", output)
        scheduled = call("ZRANGE", BASE + "delayed", 0, -1)
        self.assertEqual(len(scheduled), 1, "only the next run")
        code, again = work.run("leave", "--env", "prod.env", "--delayed=promote")
        self.assertEqual(code, 0, again)
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [], "the next run of a repeatable job is not promoted: it would run twice")
        ids = bull("work", "3")
        self.assertEqual(len(set(ids)), 3)
        self.assertTrue(all(job_id.startswith("repeat:") for job_id in ids), ids)
        instants = [int(job_id.rpartition(":")[2]) for job_id in ids]
        self.assertTrue(all(instant % 1000 == 0 for instant in instants), "one run a second, as scheduled")

    def test_term_requeues_running_jobs(self):
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
