"""An unusable queue: the host takes no jobs from it, continues with the others, and resumes once the queue is repaired."""

import json
import subprocess
import time
import unittest

from harness import until
from redis_hosts import CONFIG, PREFIX, RedisHosts

TWO_QUEUES = CONFIG.replace("[queues.query]", "[queues.mail]\nfunction = \"data.func\"\n[queues.query]") + "queue = \"query\"\n"


def base(queue):
    return f"{PREFIX}:{queue}:"


class RefusedQueueTest(RedisHosts):
    def add(self, call, queue, job_id, **data):
        call("INCR", base(queue) + "id")
        options = {"attempts": 1, "delay": 0, "timestamp": 1}
        call("HSET", base(queue) + job_id, "name", "__default__", "data", json.dumps({"func": "sleep", "ms": 1, **data}), "opts",
             json.dumps(options), "timestamp", 1, "delay", 0, "priority", 0)
        call("LPUSH", base(queue) + "wait", job_id)

    def wait_for_end(self, call, queue, job_id, seconds=20):
        until(lambda: call("HGET", base(queue) + job_id, "finishedOn"), seconds, f"the end of job {job_id} of {queue}")

    def add_bullmq_keys(self, call, queue):
        self.add(call, queue, "b1")
        call("LREM", base(queue) + "wait", 0, "b1")
        call("SET", base(queue) + "limiter:index", "1")  # Bull's
        call("ZADD", base(queue) + "marker", 0, "0")
        call("XADD", base(queue) + "events", "*", "event", "added")

    def refused(self, work):
        return [(one["queue"], one["reason"]) for one in work.host()["refused_queues"]]

    def repair(self, reason):
        command = reason[reason.index("redis-cli "):]
        subprocess.run(["sh", "-c", command], check=True, stdout=subprocess.DEVNULL)

    def check_refused(self, work, call, running=None):
        """Checks that `query` is refused, `mail` runs jobs and a running job ends; then runs the repair command of the reason."""
        [(queue, reason)] = until(lambda: self.refused(work), 20, "a refused queue")
        self.assertEqual(queue, "query")
        self.add(call, "query", "held")
        self.add(call, "mail", "second")
        self.wait_for_end(call, "mail", "second")
        self.assertIsNone(call("HGET", base("query") + "held", "finishedOn"))
        ready = work.get("/readyz")
        self.assertEqual(ready.status, 503)
        self.assertIn("no jobs are taken from queue query", ready.text)
        self.assertRegex(work.get("/metrics").text, r"gaur_refused_queues 1\b")
        self.assertEqual(work.log().count("queue refused"), 1)
        self.assertIn("redis-cli ", work.log())
        job = work.get("/v1/queues/query/jobs/held")
        if job.status == 200:
            self.assertIn("takes no jobs from the queue query", job.json["waiting"]["reason"])
        if running:
            self.wait_for_end(call, "query", running)
        self.assertEqual(len(self.refused(work)), 1)
        self.repair(reason)
        repaired = time.monotonic()
        self.wait_for_end(call, "query", "held", 10)
        print(f"a job of the queue ended {1000 * (time.monotonic() - repaired):.0f} ms after the repair")
        until(lambda: work.get("/readyz").status == 200, 10, "readiness")
        self.assertEqual(self.refused(work), [])
        self.assertEqual(work.log().count("queue accepted again"), 1)
        return job

    def test_a_mixed_queue_is_refused_at_the_start_and_the_other_runs(self):
        redis = self.redis()
        call = self.call(redis)
        self.add_bullmq_keys(call, "query")
        work = self.worker(redis, TWO_QUEUES).start(ready=False)
        self.assertIn("queue query: refused, no jobs are taken from it", work.log())
        self.check_refused(work, call)

    def test_a_queue_that_becomes_mixed_is_refused_and_its_running_job_ends(self):
        redis = self.redis()
        call = self.call(redis)
        work = self.worker(redis, TWO_QUEUES).start()
        self.assertEqual(self.refused(work), [])
        self.add(call, "query", "long", ms=9_000)
        until(lambda: call("LRANGE", base("query") + "active", 0, -1) == ["long"], what="the run")
        self.add_bullmq_keys(call, "query")
        self.assertEqual(self.check_refused(work, call, "long").status, 200)
        self.assertEqual(json.loads(call("HGET", base("query") + "long", "returnvalue")), {"slept": 9_000})

    def test_a_queue_with_a_key_of_another_type_is_refused_and_the_other_runs(self):
        redis = self.redis()
        call = self.call(redis)
        call("SET", base("query") + "failed", "a string")
        work = self.worker(redis, TWO_QUEUES).start("--slots", "1", ready=False)
        [(_, reason)] = self.refused(work)
        self.assertIn(f"the key {base('query')}failed has another type", reason)
        reason = reason[reason.index("move it away: "):]
        self.add(call, "mail", "second")
        self.wait_for_end(call, "mail", "second")
        self.add(call, "query", "held")
        self.repair(reason)
        self.wait_for_end(call, "query", "held")

    def test_a_queue_that_the_user_is_not_allowed_to_read_is_refused_and_the_other_runs(self):
        redis = self.redis()
        call = self.call(redis)
        keys = [f"~{base('mail')}*", f"~gaur:{base('mail')}*"]
        call("ACL", "SETUSER", "default", "resetkeys", *keys)
        work = self.worker(redis, TWO_QUEUES).start(ready=False)
        [(queue, reason)] = self.refused(work)
        self.assertEqual(queue, "query")
        self.assertRegex(reason, "(?i)noperm|permission")
        self.add(call, "mail", "second")
        self.wait_for_end(call, "mail", "second")
        call("ACL", "SETUSER", "default", "allkeys")
        self.add(call, "query", "held")
        self.wait_for_end(call, "query", "held")

    def test_a_host_with_no_usable_queue_does_not_start(self):
        redis = self.redis()
        call = self.call(redis)
        self.add_bullmq_keys(call, "query")
        self.add_bullmq_keys(call, "mail")
        code, output = self.worker(redis, TWO_QUEUES).run("work", "--env", "prod.env", "--server.listen=127.0.0.1:0")
        self.assertEqual(code, 3, output)
        self.assertIn("queue query is mixed", output)
        self.assertIn("queue mail is mixed", output)

    def test_check_and_look_report_the_refused_queue_and_show_the_other(self):
        redis = self.redis()
        call = self.call(redis)
        self.add(call, "mail", "m1")
        self.add(call, "query", "q1")
        call("SET", base("query") + "failed", "a string")
        work = self.worker(redis, TWO_QUEUES)
        code, output = work.run("check", "--env", "prod.env")
        self.assertEqual(code, 1, output)
        self.assertIn(f"the key {base('query')}failed has another type", output)
        code, output = work.run("look", "--env", "prod.env", "--json")
        found = json.loads(output)
        self.assertEqual([queue["queue"] for queue in found["queues"]], ["mail"])
        [refused] = [finding for finding in found["findings"] if finding["code"] == "refused"]
        self.assertEqual(refused["queue"], "query")


if __name__ == "__main__":
    unittest.main(verbosity=2)
