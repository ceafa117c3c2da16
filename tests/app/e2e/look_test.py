"""`gaur look` at a Redis with the problems of a Bull deployment: it reports them and changes nothing."""

import json
import subprocess
import unittest

from bull import Queue, Redis, RedisServer, dump, now_ms
from harness import GAUR, HERE, ROOT, EndToEnd

INTEROP = ROOT / "tests/interop/node_modules"

HOUR = 3_600_000
ONLY_READ = {"ping", "auth", "select", "hello", "info", "config", "client", "scan", "type", "exists", "get", "mget", "hget", "hmget",
             "hgetall", "hexists", "hkeys", "hlen", "llen", "lrange", "lindex", "zcard", "zcount", "zrange", "zrevrange", "zrangebyscore",
             "zrevrangebyscore", "zscore", "scard", "smembers", "sismember", "pttl", "ttl", "strlen", "hscan", "hstrlen", "time", "command",
             "lpos", "dbsize"}


class LookTest(EndToEnd):
    def redis_server(self, *arguments):
        server = RedisServer(*arguments)
        self.addCleanup(server.stop)
        return server

    def connect(self, server, **login):
        connection = Redis(server.port, **login)
        self.addCleanup(connection.close)
        return connection

    def env(self, server, more=""):
        (self.folder / ".env").write_text(
            f"REDIS_HOST=127.0.0.1\nREDIS_PORT={server.port}\nBULL_QUEUE_NAME=ncs_resource::\nBULL_COUNT=1\n{more}")

    def look(self, *arguments, code=0):
        done = subprocess.run([str(GAUR), "look", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def hazards(self, redis):
        query = Queue(redis, "ncs_resource::", "query")
        for n in range(3):
            query.waiting({"func": "rank", "n": n}, timestamp=now_ms() - 10 * 60_000)
        query.active({"func": "rank"}, started=now_ms() - 80 * HOUR)
        query.active({"func": "rank"}, started=now_ms() - 5_000)
        query.active({"func": "rank"}, started=now_ms() - 5_000, locked=True)
        query.delayed({"func": "rank"}, due=now_ms() - 2 * HOUR)
        query.delayed({"func": "rank"}, due=now_ms() + HOUR)
        for run in range(1, 101):
            query.completed({"func": "rank", "이름": "서울"}, [{"n": run}], wait=run, run=run * 100)
        query.failed({"func": "mail"}, "no such\x1b[31m address")
        Queue(redis, "ncs_resource::", "mail").waiting({"func": "mail"})
        Queue(redis, "other", "query").waiting({"func": "mail"})
        return query

    def test_it_reports_queues_functions_and_every_finding(self):
        server = self.redis_server("--maxmemory-policy", "allkeys-lru")
        self.hazards(self.connect(server))
        self.env(server)
        seen = json.loads(self.look("--env", ".env", "--json").stdout)
        self.assertEqual([q["queue"] for q in seen["queues"]], ["mail", "query"])
        query = seen["queues"][1]
        self.assertEqual((query["dialect"], query["waiting"], query["active"], query["delayed"], query["completed"], query["failed"]),
                         ("bull", 3, 3, 2, 100, 1))
        self.assertEqual(len(query["unlocked"]), 2)
        self.assertEqual(query["overdue_total"], 1)
        rank = next(f for f in query["functions"] if f["function"] == "rank")
        self.assertEqual((rank["completed"], rank["wait_ms"]["p50"], rank["wait_ms"]["p95"], rank["run_ms"]["p50"], rank["run_ms"]["p95"]),
                         (100, 50, 95, 5000, 9500))
        self.assertEqual((rank["waiting"], seen["queues"][0]["functions"][0]["function"], seen["queues"][0]["functions"][0]["waiting"]),
                         (5, "mail", 1), "rank: three jobs wait and two are delayed; mail: one job waits")
        codes = {f["code"] for f in seen["findings"]}
        self.assertLessEqual({"orphans", "overdue", "waiting", "plain-workers", "eviction", "persistence", "failures"}, codes)

        text = self.look("--env", ".env").stdout
        for part in ("2 active jobs without a lock: 1 under a minute, 0 under an hour, 0 under a day, 1 older; the oldest 3 d",
                     "1 job is due up to 2 h ago", "allkeys-lru", "gaur work --sweep-only"):
            self.assertIn(part, text)
        self.assertNotIn("\x1b", text, "escape sequences in job data are removed")

    def test_it_sends_only_reading_commands_and_changes_no_key(self):
        server = self.redis_server()
        redis = self.connect(server)
        self.hazards(redis)
        self.env(server)
        before = dump(redis)
        monitor = self.connect(server)
        monitor("MONITOR")
        self.look("--env", ".env")
        redis("ECHO", "the end")
        commands = set()
        while True:
            line = monitor.read()  # 1795350977.642012 [0 127.0.0.1:5] "scan" "0"
            word = line.split('"')[1].lower()
            if "the end" in line:
                break
            commands.add(word)
        self.assertIn("info", commands, "MONITOR recorded no commands")
        self.assertLessEqual(commands, ONLY_READ)
        self.assertEqual(dump(redis), before)

    def test_a_read_only_user_suffices(self):
        server = self.redis_server()
        redis = self.connect(server)
        self.hazards(redis)
        redis("ACL", "SETUSER", "watcher", "on", ">watcher-secret", "~*", "-@all", "+@read", "+ping", "+select", "+info")
        self.env(server, "REDIS_PASSWORD=watcher-secret\n")
        seen = self.look("--env", ".env", "--json", "--url", f"redis://watcher@127.0.0.1:{server.port}")
        self.assertNotIn("watcher-secret", seen.stdout)
        query = json.loads(seen.stdout)["queues"][1]
        self.assertEqual((query["queue"], query["waiting"], len(query["unlocked"])), ("query", 3, 2))

    def test_a_queue_of_bullmq_is_reported_as_bullmq(self):
        server = self.redis_server()
        redis = self.connect(server)
        redis("XADD", "bull:new:events", "*", "event", "added")
        redis("HSET", "bull:new:meta", "version", "bullmq:6.7.0", "opts.maxLenEvents", "10000")
        redis("SET", "bull:new:id", "1")
        seen = json.loads(self.look("--url", f"redis://127.0.0.1:{server.port}", "--json").stdout)
        self.assertEqual([(q["queue"], q["dialect"]) for q in seen["queues"]], [("new", "bullmq")])
        self.assertIn("dialect", [f["code"] for f in seen["findings"]])

    @unittest.skipUnless(INTEROP.is_dir(), "bull is not installed below tests/interop")
    def test_its_counts_equal_those_of_bull(self):
        server = self.redis_server()
        planted = json.loads(subprocess.run(
            ["node", str(HERE / "plant_bull.mjs"), str(INTEROP), str(server.port), "ncs_resource::", "query"],
            capture_output=True, text=True, check=True, timeout=60).stdout)
        self.env(server)
        query = json.loads(self.look("--env", ".env", "--json").stdout)["queues"][0]
        self.assertEqual({"waiting": query["waiting"] + query["prioritized"], **{k: query[k] for k in ("active", "delayed", "completed", "failed")},
                          "paused": 0}, planted)
        self.assertEqual((query["dialect"], query["prioritized"], len(query["unlocked"])), ("bull", 1, 1))
        self.assertEqual([(f["function"], f["completed"], f["failed"]) for f in query["functions"]], [("rank", 4, 0), ("mail", 0, 1)])

    def test_missing_and_broken_jobs_are_skipped(self):
        server = self.redis_server()
        redis = self.connect(server)
        queue = Queue(redis, "bull", "q")
        queue.completed("this is not JSON", 1)
        queue.completed({"func": 7}, None)
        redis("LPUSH", "bull:q:wait", "4711")
        redis("ZADD", "bull:q:completed", now_ms(), "4712")
        redis("HSET", "bull:q:4713", "processedOn", "not a number")
        redis("ZADD", "bull:q:completed", now_ms(), "4713")
        seen = json.loads(self.look("--url", f"redis://127.0.0.1:{server.port}", "--json").stdout)
        self.assertEqual(seen["queues"][0]["waiting"], 1)

    def test_a_sample_is_reported_and_contains_jobs_of_both_ends_of_the_queue(self):
        server = self.redis_server()
        queue = Queue(self.connect(server), "bull", "q")
        for _ in range(38):
            queue.waiting({"func": "rank"})
        queue.waiting({"func": "late"})
        for _ in range(12):
            queue.completed({"func": "rank"}, 1)
        url = f"redis://127.0.0.1:{server.port}"
        seen = json.loads(self.look("--url", url, "--samples", "10", "--json").stdout)["queues"][0]
        self.assertEqual({f["function"]: f["waiting"] for f in seen["functions"]}, {"rank": 9, "late": 1})
        self.assertEqual((seen["waiting_sampled"], seen["waiting_total"], seen["kept_sampled"], seen["kept_total"]), (10, 39, 10, 12))
        self.assertIn("q: 10 kept jobs, a sample of 12: the newest of each state; 10 waiting or delayed, a sample of 39: half the next to start, half the last added",
                      self.look("--url", url, "--samples", "10").stdout)
        self.assertIn("q: 12 kept jobs; 39 waiting or delayed\n", self.look("--url", url).stdout)

    def test_connection_errors_do_not_contain_the_password(self):
        server = self.redis_server("--requirepass", "right-secret")
        self.env(server, "REDIS_PASSWORD=wrong-secret\n")
        wrong = self.look("--env", ".env", code=3)
        self.assertNotIn("wrong-secret", wrong.stdout + wrong.stderr)
        self.assertIn("127.0.0.1", wrong.stderr)
        self.look("--env", "nothing.env", code=1)
        self.look(code=3)  # reads .env, whose password is wrong
        (self.folder / ".env").unlink()
        self.assertIn("no Redis is configured", self.look(code=2).stderr)
        server.stop = lambda: None  # killed below, so that the port is unreachable
        server.process.kill()
        server.process.wait()
        self.env(server)
        self.assertIn("refused", self.look(code=3).stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
