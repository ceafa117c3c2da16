"""Every kind of queue name that Bull accepts works in look, init, the configuration, HTTP, takes and leave."""

import json
import subprocess
import unittest
import urllib.parse

from bull import Queue
from harness import GAUR, HERE, ROOT, TESTBED, until
from redis_hosts import RedisHosts, Worker

INTEROP = ROOT / "tests/interop/node_modules"
NAMES = ["mail", "mail:high", "mail:wait", "mail:de", "test/tx", "two words", "질의", "\U0001f4e7", "{hash}tags", "a.b", "..", "50%25", "@x*?[y]", 'q"uote\\', "x" * 300,
         "a@b~c", "tab\tand\x7f"]


def segment(name):
    return urllib.parse.quote(name, safe="").replace(".", "%2E")


class NamesTest(RedisHosts):
    def gaur(self, *arguments, code=0):
        done = subprocess.run([str(GAUR), *arguments], cwd=self.folder, capture_output=True, text=True, check=False, timeout=90)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def env(self, redis):
        (self.folder / "prod.env").write_text(f"REDIS_HOST=127.0.0.1\nREDIS_PORT={redis.port}\n")

    def add(self, call, name, data):
        base = f"bull:{name}:"
        job_id = str(call("INCR", base + "id"))
        call("HSET", base + job_id, "name", "__default__", "data", json.dumps(data), "opts", json.dumps({"attempts": 1, "delay": 0, "timestamp": 1}), "timestamp", 1, "delay", 0,
             "priority", 0)
        call("LPUSH", base + "wait", job_id)
        return job_id

    def test_every_name_works_in_every_command(self):
        redis = self.redis()
        call = self.call(redis)
        self.env(redis)
        waiting = {name: self.add(call, name, {"func": "echo", "name": name}) for name in NAMES}
        seen = json.loads(self.gaur("look", "--env", "prod.env", "--json"))
        self.assertEqual(sorted(q["queue"] for q in seen["queues"]), sorted(NAMES))
        self.assertEqual({q["waiting"] for q in seen["queues"]}, {1})
        self.assertNotIn("\x7f", self.gaur("look", "--env", "prod.env"))

        self.gaur("init", "--env", "prod.env", "--look", "--out", "gaur.toml")
        drafted = (self.folder / "gaur.toml").read_text().split("[pools.node]")[0]
        functions = f'{TESTBED}\n[functions.echo]\npool = "testbed"\nqueue = "mail"\ntimeout = "60s"\n'
        work = Worker(self.folder, drafted + functions, redis.port)
        self.servers.append(work)
        self.env(redis)  # replaces the file that Worker wrote
        work.start()
        for name, job_id in waiting.items():
            until(lambda base=f"bull:{name}:{job_id}": call("HGET", base, "finishedOn"), what=f"the end of {name!r}")
            self.assertEqual(call("HGET", f"bull:{name}:{job_id}", "failedReason"), None, name)
        for name in NAMES:
            response = work.post(f"/v1/queues/{segment(name)}/jobs?wait=20s", {"name": "x", "data": {"func": "echo", "name": name}})
            self.assertIn(response.status, (200, 201), (name, response.text))
            job = json.loads(response.text)
            job = job.get("job", job)
            again = work.get(f"/v1/queues/{segment(name)}/jobs/{job['id']}").json
            self.assertEqual((again["queue"], again["state"]), (name, "completed"))
            self.assertEqual(work.get(f"/v1/queues/{segment(name)}").json["name"], name)
        self.assertIn('queue="mail:high"', work.get("/metrics").text)
        self.assertEqual(call("KEYS", "bull:mail:wait"), [], "bull:mail:wait is the empty list of the queue mail")
        output = self.gaur("leave", "--env", "prod.env", "--data", "gaur-data")
        self.assertIn("safe to start pm2", output)

    def test_keys_that_resemble_a_queue_are_ignored(self):
        redis = self.redis()
        call = self.call(redis)
        self.env(redis)
        queue = Queue(call, "bull", "mail")
        queue.waiting({"func": "x"})
        call("HSET", "bull:mail:order:id", "data", "{}", "opts", "{}")  # a job whose id is "order:id"
        call("HSET", "bull:mail:order:meta", "data", "{}")
        call("SET", "bull:mail:de:id", "7")  # a debounce key whose id is "id"
        call("SET", "bull:mail:limiter:id", "3")  # the limiter of the group "id"
        call("SET", "unrelated:id", "not a queue")
        seen = json.loads(self.gaur("look", "--env", "prod.env", "--json"))
        self.assertEqual([q["queue"] for q in seen["queues"]], ["mail"])

    def test_an_empty_prefix_lists_the_prefixes_with_queues(self):
        redis = self.redis()
        call = self.call(redis)
        (self.folder / "prod.env").write_text(f"REDIS_HOST=127.0.0.1\nREDIS_PORT={redis.port}\nBULL_QUEUE_NAME=ncs_resource\n")
        Queue(call, "ncs_resource::", "query").waiting({"func": "x"})
        Queue(call, "bull", "mail").waiting({"func": "x"})
        Queue(call, "bull", "mail:high").waiting({"func": "x"})
        output = self.gaur("look", "--env", "prod.env")
        self.assertIn('no queue under the prefix "ncs_resource"', output)
        self.assertIn('there are queues under "bull" ("mail", "mail:high"), "ncs_resource::" ("query")', output)
        prefixes = json.loads(self.gaur("look", "--env", "prod.env", "--json"))["prefixes"]
        self.assertEqual([p["prefix"] for p in prefixes], ["bull", "ncs_resource::"])
        self.assertIn('there are queues under "bull"', self.gaur("look", "--env", "prod.env", "--queue", "mail", code=1))
        self.assertIn('no queue "male" under the prefix "bull"; there are "mail", "mail:high"',
                      self.gaur("look", "--env", "prod.env", "--prefix", "bull", "--queue", "male", code=1))

    @unittest.skipUnless(INTEROP.is_dir(), "bull is not installed below tests/interop")
    def test_counts_of_such_queues_equal_those_of_bull(self):
        redis = self.redis()
        self.env(redis)
        planted = {}
        for name in ("mail", "mail:high", "mail:wait", "test/tx", "질의"):
            planted[name] = json.loads(subprocess.run(["node", str(HERE / "plant_bull.mjs"), str(INTEROP), str(redis.port), "bull", name],
                                                      capture_output=True, text=True, check=True, timeout=60).stdout)
        seen = {q["queue"]: q for q in json.loads(self.gaur("look", "--env", "prod.env", "--json"))["queues"]}
        self.assertEqual(sorted(seen), sorted(planted))
        for name, counts in planted.items():
            self.assertEqual((seen[name]["completed"], seen[name]["failed"], seen[name]["active"]), (counts["completed"], counts["failed"], counts["active"]), name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
