"""A real redis-server that others change under a running host: ids without a job, eviction, replication, no memory."""

import time
import unittest

from bull import RedisError
from harness import TESTBED, until
from redis_hosts import BASE, CONFIG, PREFIX, RedisHosts, Worker

NOTICED = 10  # seconds


class RedisContentTest(RedisHosts):
    def start(self, *flags):
        self.redis_server = self.redis()
        self.call_redis = self.call(self.redis_server)
        self.work = self.worker(self.redis_server).start(*flags)
        return self.work, self.call_redis

    def metric(self, name):
        answer = self.work.get("/metrics")
        self.assertEqual(answer.status, 200, answer.text)
        rows = [line for line in answer.text.splitlines() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in rows)

    def runs_a_job(self, call):
        self.assertIn("returnvalue", self.finished(call, self.bull_add(call, {"func": "sleep", "ms": 1})))

    def test_ids_without_a_job_do_not_stop_the_queue(self):
        work, call = self.start()
        call("SET", BASE + "text", "kept")
        call("RPUSH", BASE + "numbers", 1, 2)
        for job_id in ("text", "numbers", "gone", "meta", b"odd\xff\nbytes"):
            call("RPUSH", BASE + "wait", job_id)
            call("ZADD", BASE + "delayed", 1, job_id)
        self.runs_a_job(call)
        until(lambda: call("HLEN", f"gaur:{BASE}set_aside") == 5, what="setting all aside")
        until(lambda: self.metric("gaur_set_aside_ids") == 5, seconds=NOTICED, what="the metric")
        self.assertEqual(call("GET", BASE + "text"), "kept")
        self.assertEqual(call("LLEN", BASE + "numbers"), 2)
        self.assertEqual(work.log().count("a job id was set aside"), 5, work.log())
        self.assertRegex(work.log(), r'a job id was set aside queue=query id=text from=\w+ why="its key is a string, not a hash"')
        self.assertEqual(work.get("/readyz").status, 200)
        code, said = work.run("look", "--env", "prod.env")
        self.assertEqual(code, 0, said)
        self.assertIn("5 ids were set aside", said)
        self.assertIn("its key is a list, not a hash", said)

    def test_an_evicting_policy_is_noticed(self):
        work, call = self.start()
        call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        answer = until(lambda: (a := work.get("/readyz")).status == 503 and a, seconds=NOTICED, what="being not ready")
        self.assertIn("maxmemory-policy is allkeys-lru", answer.text)
        self.assertEqual(self.metric("gaur_store_refused"), 1)
        self.assertIn("the Redis server is not acceptable any more", work.log())
        self.runs_a_job(call)  # what is there is run
        call("CONFIG", "SET", "maxmemory-policy", "noeviction")
        until(lambda: work.get("/readyz").status == 200, seconds=NOTICED, what="being ready again")
        self.assertEqual(self.metric("gaur_store_refused"), 0)
        self.assertIn("the Redis server is acceptable again", work.log())

    def test_a_server_that_became_a_replica_is_noticed(self):
        work, call = self.start()
        call("CONFIG", "SET", "replica-serve-stale-data", "yes")
        call("REPLICAOF", "127.0.0.1", "1")
        # Until the check of the server, the reason is the READONLY of a failed script.
        until(lambda: "use the address of its master" in work.get("/readyz").text, seconds=NOTICED, what="the reason")
        self.assertEqual(work.get("/readyz").status, 503)
        self.assertEqual(self.metric("gaur_store_refused"), 1)
        call("REPLICAOF", "NO", "ONE")
        until(lambda: work.get("/readyz").status == 200, seconds=NOTICED, what="being ready again")
        self.runs_a_job(call)

    def test_without_memory_adds_are_rejected_and_finishes_continue(self):
        work, call = self.start("--slots", "1")
        ids = [self.bull_add(call, {"func": "sleep", "ms": ms}) for ms in (2_000, 1, 1)]
        until(lambda: self.active(call) == ids[:1], what="the start")
        later = self.bull_add(call, {"func": "sleep", "ms": 1}, delay=1_000)
        call("CONFIG", "SET", "maxmemory", "1")
        with self.assertRaisesRegex(RedisError, "OOM"):
            call("SET", "x", "y")
        answer = work.post("/v1/queues/query/jobs", {"name": "x", "data": {"func": "sleep"}})
        self.assertEqual((answer.status, answer.json["type"]), (507, "urn:gaur:problem:store_full"), answer.text)
        self.assertIn("maxmemory: raise it, or remove jobs", answer.json["detail"])
        for job_id in [*ids, later]:
            self.assertIn("returnvalue", self.finished(call, job_id))
        self.assertEqual(self.active(call), [])
        until(lambda: self.metric("gaur_store_out_of_memory") == 1, seconds=NOTICED, what="the metric")
        self.assertIn("Redis is out of memory: adds are rejected", work.log())
        self.assertEqual(work.get("/readyz").status, 200)
        call("CONFIG", "SET", "maxmemory", "0")
        self.runs_a_job(call)
        until(lambda: self.metric("gaur_store_out_of_memory") == 0, seconds=NOTICED, what="the metric")
        self.assertNotIn("stalled", work.log())


if __name__ == "__main__":
    unittest.main(verbosity=2)
