"""A host over Redis beside Bull: the jobs that it runs, and the queues and servers that it rejects."""

import json
import os
import subprocess
import time
import unittest

from harness import until
from redis_hosts import BASE, CONFIG, RedisHosts, Worker


class RedisHostTest(RedisHosts):
    def test_a_bull_job_is_run_and_its_result_has_the_form_that_bull_stores(self):
        redis = self.redis()
        call = self.call(redis)
        job_id = self.bull_add(call, {"func": "sleep", "ms": 20, "userId": 7})
        work = self.worker(redis).start()
        job = self.finished(call, job_id)
        self.assertEqual(json.loads(job["returnvalue"]), {"slept": 20})
        self.assertIn(job_id, call("ZRANGE", BASE + "completed", 0, -1))
        self.assertEqual(self.active(call), [])
        self.assertIn("queue query (dialect ", work.log())
        host = work.host()
        self.assertEqual((host["role"], host["phase"]), ("worker", "running"))
        self.assertIn("prefix ncs_resource::", host["store"])

    def test_a_job_of_an_unknown_function_waits_or_fails_as_configured(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis).start()
        odd = [self.bull_add(call, data) for data in ({"func": "no-such"}, {"userId": 7}, "not an object")]
        known = self.bull_add(call, {"func": "sleep", "ms": 1})
        self.finished(call, known)
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), odd[::-1])
        work.stop()
        work.start("--queues.query.unknown=fail")
        for job_id in odd:
            self.assertIn("failedReason", self.finished(call, job_id))

    def test_a_producer_adds_over_http_and_waits_for_a_job_that_another_host_runs(self):
        redis = self.redis()
        call = self.call(redis)
        (self.folder / "api").mkdir()
        api = Worker(self.folder / "api", CONFIG, redis.port, subcommand="serve")
        self.servers.append(api)
        api.start("--slots", "0")
        self.assertEqual(api.host()["role"], "producer")
        self.assertNotIn("pid", json.dumps(api.host()["runs"]))
        added = api.post("/v1/queues/query/jobs", {"name": "__default__", "data": {"func": "sleep", "ms": 30, "userId": 1}})
        self.assertEqual(added.status, 202, added.text)
        job_id = added.json["id"]
        self.assertEqual(call("LRANGE", BASE + "wait", 0, -1), [job_id])  # the producer does not take it
        self.worker(redis).start()
        response = api.get(f"/v1/queues/query/jobs/{job_id}/result?wait=30s")
        self.assertEqual((response.status, response.json), (200, {"slept": 30}))
        waited = api.post("/v1/queues/query/jobs?wait=30s", {"name": "__default__", "data": {"func": "sleep", "ms": 5}})
        self.assertEqual((waited.status, waited.json["result"]), (200, {"slept": 5}), waited.text)

    def test_a_running_job_finishes_after_a_restart_of_redis(self):
        redis = self.redis("--appendonly", "yes", "--appendfsync", "always")
        call = self.call(redis)
        work = self.worker(redis).start("--slots", "1")
        running = self.bull_add(call, {"func": "sleep", "ms": 2500})
        until(lambda: self.active(call) == [running], what="the start")
        redis.kill()
        response = until(lambda: (a := work.get("/readyz")).status == 503 and a, what="being not ready")
        # The connection for messages can fail before the one for commands; each has its own reason.
        response = until(lambda: "Redis is unreachable" in (a := work.get("/readyz")).text and a, what="the reason that Redis is unreachable")
        self.assertEqual(response.status, 503)
        begun = time.monotonic()
        self.assertEqual(work.post("/v1/queues/query/jobs", {"name": "x", "data": {"func": "sleep"}}).status, 503)
        self.assertLess(time.monotonic() - begun, 2.0)  # producers fail fast
        self.assertEqual(len(work.host()["runs"]), 1)  # the job continues
        redis.restart()
        call = self.call(redis)
        self.assertEqual(json.loads(self.finished(call, running)["returnvalue"]), {"slept": 2500})
        until(lambda: work.get("/readyz").status == 200, what="being ready again")
        after = self.bull_add(call, {"func": "sleep", "ms": 1})
        self.assertIn("returnvalue", self.finished(call, after))

    def rejected(self, redis, *flags, code=3, **more):
        work = self.worker(redis, **more)
        ended, output = work.run("work", "--env", "prod.env", "--server.listen=127.0.0.1:0", *flags)
        self.assertEqual(ended, code, output)
        return output

    def test_a_wrong_password_is_reported_without_the_password(self):
        redis = self.redis_with_password()
        output = self.rejected(redis, password="not-the-one")
        self.assertIn("cannot start", output)
        self.assertRegex(output.lower(), "password")
        self.assertNotIn("not-the-one", output)

    def test_a_missing_database_is_reported_at_once(self):
        redis = self.redis()
        start = time.monotonic()
        output = self.rejected(redis, "--store.connect_timeout=60s", "--store.url=redis://127.0.0.1:%d/99" % redis.port, code=1)
        self.assertLess(time.monotonic() - start, 30)  # long before the timeout
        self.assertRegex(output, "database 99 cannot be selected")

    def redis_with_password(self):
        server = self.redis()
        self.call(server)("CONFIG", "SET", "requirepass", "the-right-one")
        return server

    def test_a_server_that_evicts_is_rejected_unless_allow_eviction_is_set(self):
        redis = self.redis("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
        self.assertRegex(self.rejected(redis), "noeviction")
        self.worker(redis).start("--store.allow_eviction=true")

    def test_a_bullmq_queue_is_rejected(self):
        redis = self.redis()
        call = self.call(redis)
        call("HSET", BASE + "meta", "version", "bullmq:6.7.0", "opts.maxLenEvents", "10000")
        call("XADD", BASE + "events", "*", "event", "added")
        self.assertRegex(self.rejected(redis), "BullMQ")

    def test_a_host_starts_beside_the_keys_of_a_reading_bullmq_client(self):
        redis = self.redis()
        call = self.call(redis)
        call("HSET", BASE + "meta", "version", "bullmq:6.7.0", "opts.maxLenEvents", "10000")  # BullMQ's getJobCounts writes it
        job_id = self.bull_add(call, {"func": "sleep", "ms": 1})
        self.worker(redis).start()
        self.finished(call, job_id)

    def test_a_running_host_reports_a_mixed_queue_with_the_command_that_repairs_it(self):
        redis = self.redis("--requirepass", "S3CRET")
        call = self.call(redis)
        call("AUTH", "S3CRET")
        self.bull_add(call, {"func": "sleep", "ms": 1})
        work = self.worker(redis, password="S3CRET").start()

        def warnings():
            return [warning for warning in work.host()["warnings"] if "BullMQ" in warning]

        self.assertEqual(warnings(), [])
        call("ZADD", BASE + "marker", 0, "0")
        call("XADD", BASE + "events", "*", "event", "added")
        until(warnings, what="a warning", seconds=25)
        warning = warnings()[0]
        self.assertIn("the stream events", warning)
        self.assertRegex(work.get("/metrics").text, r"gaur_mixed_queues 1\b")
        self.assertEqual(work.log().count("queue refused"), 1)
        command = warning[warning.index("redis-cli "):]
        self.assertIn(f"-p {redis.port} -n 0 --askpass UNLINK {BASE}events {BASE}marker", command)
        self.assertNotIn("S3CRET", warning)
        subprocess.run(["sh", "-c", command.replace(" --askpass", "")], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "REDISCLI_AUTH": "S3CRET"})
        until(lambda: not warnings(), what="the end of the warning", seconds=25)
        self.assertRegex(work.get("/metrics").text, r"gaur_mixed_queues 0\b")

    def test_an_unreachable_redis_is_reported_after_connect_timeout(self):
        redis = self.redis()
        redis.kill()
        self.assertIn(f"127.0.0.1:{redis.port}", self.rejected(redis, "--store.connect_timeout=500ms"))

    def test_a_second_host_on_the_same_folder_is_rejected(self):
        redis = self.redis()
        self.worker(redis).start()
        self.assertIn("is in use by process", self.rejected(redis))

    def test_work_rejects_bull_count_0(self):
        redis = self.redis()
        work = self.worker(redis)
        env = self.folder / "prod.env"
        env.write_text(env.read_text().replace("BULL_COUNT=1", "BULL_COUNT=0"))
        code, output = work.run("work", "--env", "prod.env")
        self.assertEqual(code, 1)
        self.assertIn("BULL_COUNT is 0 (prod.env:5)", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
