"""Every command of a host works under each ACL that the pages document, on a real redis-server, and Redis denies none. A host whose
user is not allowed to subscribe reports the missing rule."""

import http.client
import re
import threading
import time
import unittest

from harness import ROOT, TESTBED, until
from redis_hosts import RedisHosts, Server, Worker

BASE = "bull:query:"
CONFIG = '''
[store]
url = "redis://{user}:secret@127.0.0.1:{port}?prefix=bull"
[queues.query]
{testbed}
[functions.sleep]
pool = "testbed"
queue = "query"
timeout = "60s"
'''


def documented(user):
    """The ACL lines of all pages for this user, as words."""
    found = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for _, block in re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), flags=re.S | re.M):
            for line in block.splitlines():
                if line.startswith(f"ACL SETUSER {user} "):
                    found.append((page.name, line.split()))
    return found


class RedisAclTest(RedisHosts):
    def host(self, redis, user="gaur"):
        made = AclHost(self.folder, CONFIG.format(port=redis.port, testbed=TESTBED, user=user))
        self.servers.append(made)
        return made

    def denied(self, admin):
        """The entries of ACL LOG: what Redis denied."""
        entries = [dict(zip(entry[::2], entry[1::2])) for entry in admin("ACL", "LOG")]
        return [(entry["reason"], entry["context"], entry["object"]) for entry in entries]

    def test_every_command_works_under_each_documented_acl(self):
        lines = documented("gaur")
        self.assertGreaterEqual(len(lines), 2, "docs/how-to/redis.md documents a wide and a narrow ACL")
        for page, words in lines:
            with self.subTest(page=page, acl=" ".join(words)):
                self.try_all(words)

    def try_all(self, words):
        redis = self.redis()
        admin = self.call(redis)
        self.assertEqual(admin(*words), "OK")
        host = self.host(redis).start()
        self.use_jobs(admin, host)
        for command, expected in ((["look"], "1 repeatable job"), (["check"], "no problems"), (["shadow", "--last", "1"], "the results agree")):
            code, output = host.run(*command)
            self.assertNotIn("NOPERM", output)
            self.assertIn(expected, output)
            self.assertEqual(code, 0, output)
        code, output = host.run("leave", "--data", "gaur-data", "--delayed=promote")
        self.assertIn("safe to start pm2", output)
        self.assertEqual(host.wait(), 0)
        self.assertEqual(self.denied(admin), [], "Redis denied commands, keys or channels")
        self.assertNotIn("NOPERM", host.log())

    def use_jobs(self, admin, host):
        """Uses everything that sends commands to Redis: adds, runs, events, progress, logs, cancel, delay, retry, pause, repeat."""
        events = threading.Thread(target=lambda: host.events("/v1/queues/query/events"), daemon=True)
        events.start()
        done = host.post("/v1/functions/sleep?wait=30s", {"ms": 5})
        self.assertEqual(done.status, 200, done.text)
        running = host.add("sleep", {"ms": 60_000})
        until(lambda: host.get(f"/v1/queues/query/jobs/{running}").json["state"] == "active", what="the start")
        self.assertEqual(host.post(f"/v1/queues/query/jobs/{running}/cancel", {"reason": "test"}).status, 202)
        until(lambda: host.get(f"/v1/queues/query/jobs/{running}").json["state"] == "failed", what="the cancel")
        self.assertLess(host.post(f"/v1/queues/query/jobs/{running}/retry").status, 300)
        until(lambda: host.get(f"/v1/queues/query/jobs/{running}").json["state"] == "active", what="the second start")
        self.assertLess(host.post(f"/v1/queues/query/jobs/{running}/cancel").status, 300)
        later = host.add("sleep", {"ms": 1}, "?delay=1h")
        self.assertLess(host.post(f"/v1/queues/query/jobs/{later}/promote").status, 300)
        removed = host.add("sleep", {"ms": 1}, "?delay=1h")
        self.assertLess(host.request("DELETE", f"/v1/queues/query/jobs/{removed}").status, 300)
        for action in ("pause", "resume"):
            self.assertLess(host.post(f"/v1/queues/query/{action}").status, 300)
        for path in ("/v1/queues", "/v1/queues/query", "/v1/queues/query/jobs", f"/v1/queues/query/jobs/{later}/logs", "/v1/host", "/metrics"):
            self.assertEqual(host.get(path).status, 200, path)
        repeat = '{"attempts":1,"repeat":{"every":3600000,"count":1,"key":"sleep:::3600000"},"prevMillis":3600000}'
        run = "repeat:ed1f8c2e:3600000"
        admin("ZADD", BASE + "repeat", 3_600_000, "sleep:::3600000")
        admin("HSET", BASE + run, "name", "sleep", "data", '{"ms":1}', "opts", repeat, "timestamp", 1, "delay", 0, "priority", 0)
        admin("LPUSH", BASE + "wait", run)
        admin("PUBLISH", BASE + "waiting@a", run)
        until(lambda: admin("ZSCORE", BASE + "repeat", "sleep:::3600000") != "3600000", what="the next run of the schedule")
        until(lambda: host.received("completed"), what="an event of a completed job")

    def test_look_works_under_the_documented_read_only_acl(self):
        lines = documented("watcher")
        self.assertTrue(lines)
        for page, words in lines:
            with self.subTest(page=page):
                redis = self.redis()
                admin = self.call(redis)
                admin(*words)
                admin("INCR", BASE + "id")
                admin("LPUSH", BASE + "wait", "1")
                admin("HSET", BASE + "1", "name", "sleep", "data", "{}", "opts", "{}", "timestamp", int(time.time() * 1000))
                code, output = self.host(redis, "watcher").run("look")
                self.assertEqual(code, 0, output)
                self.assertIn("query", output)

    def test_a_host_without_the_right_to_subscribe_is_not_ready_and_names_the_rule(self):
        redis = self.redis()
        admin = self.call(redis)
        rules = ["ACL", "SETUSER", "gaur", "on", ">secret", "~*", "+@all", "resetchannels", "&bull:*", "&gaur:bull:*"]
        admin(*rules)
        host = self.host(redis).start(ready=False)
        rule = "&bull:query:waiting@*"
        until(lambda: rule in host.get("/readyz").text, what="the rule on /readyz")
        self.assertEqual(host.get("/readyz").status, 503)
        self.assertIn("to the user's ACL literally", host.get("/readyz").text)
        self.assertIn(rule, host.log())
        output = re.search(r"; add (.*?) to the user's ACL", until(lambda: host.get("/readyz").text if "active@" in host.get("/readyz").text else None)).group(1)
        admin(*rules, *output.split())
        until(lambda: host.get("/readyz").status == 200, seconds=30, what="being ready again after the rule was added")
        # Redis closes the connection when the rule is revoked.
        admin("ACL", "SETUSER", "gaur", "resetchannels")
        until(lambda: host.get("/readyz").status == 503, what="not being ready without channels")
        self.assertIn("no messages from Redis", host.get("/readyz").text)
        admin("ACL", "SETUSER", "gaur", "allchannels")
        until(lambda: host.get("/readyz").status == 200, seconds=30, what="being ready again")
        done = host.post("/v1/functions/sleep?wait=30s", {"ms": 1})
        self.assertEqual(done.status, 200, done.text)

    def test_a_denied_key_or_command_is_reported_with_the_rule(self):
        redis = self.redis()
        admin = self.call(redis)
        admin("ACL", "SETUSER", "gaur", "on", ">secret", "~bull:*", "allchannels", "+@all")
        host = self.host(redis).start(ready=False)
        response = host.post("/v1/functions/sleep", {"ms": 1})
        self.assertGreaterEqual(response.status, 400)
        self.assertIn("~gaur:PREFIX:*", response.text)
        self.assertEqual(admin("LLEN", BASE + "wait"), 0)


class AclHost(Server):
    """`gaur work` with the HTTP API and the Redis user of the configuration."""

    def command(self, *flags):
        command = super().command(*flags)
        return [command[0], "work", *command[2:]]

    run = Worker.run

    def events(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        response = connection.getresponse()
        self.lines = []
        try:
            while line := response.readline():
                self.lines.append(line.decode())
        except (OSError, ValueError):
            pass  # the host has exited

    def received(self, kind):
        return any(line.strip() == f"event: {kind}" for line in getattr(self, "lines", []))


if __name__ == "__main__":
    unittest.main()
