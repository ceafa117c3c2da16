"""Hosts over a test's own Redis, which contains jobs in the layout of Bull 4."""

import json
import subprocess
import time

from bull import Redis, RedisServer
from harness import GAUR, TESTBED, EndToEnd, Server, until

PREFIX, QUEUE = "ncs_resource::", "query"
BASE = f"{PREFIX}:{QUEUE}:"
CONFIG = f'''
[queues.query]
function = "data.func"
{TESTBED}
[functions.sleep]
pool = "testbed"
timeout = "60s"
'''
FOREIGN_TOKEN = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
SWEEP_SECONDS = 25  # three checks over 5 s, with a margin for slow machines


class Worker(Server):
    """`gaur work` (or another subcommand) in a folder, with the environment file of the old deployment."""

    def __init__(self, folder, config, redis_port, password=None, subcommand="work"):
        super().__init__(folder, config)
        self.subcommand = subcommand
        lines = ["# production", "REDIS_HOST=127.0.0.1", f"REDIS_PORT={redis_port}", f"BULL_QUEUE_NAME='{PREFIX}'", "BULL_COUNT=1"]
        if password:
            lines.append(f"REDIS_PASSWORD={password}")
        (self.folder / "prod.env").write_text("\n".join(lines))

    def command(self, *flags):
        return [str(GAUR), self.subcommand, "--env", "prod.env", "--port-file", "port", "--server.listen=127.0.0.1:0", *flags]

    def run(self, *arguments, seconds=90):
        """Runs another subcommand until it exits: (exit code, output)."""
        done = subprocess.run([str(GAUR), *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds, text=True)
        return done.returncode, done.stdout


class RedisHosts(EndToEnd):
    def setUp(self):
        super().setUp()
        self.redis_servers, self.calls = [], []

    def tearDown(self):
        super().tearDown()
        for call in self.calls:
            call.close()
        for server in self.redis_servers:
            server.stop()

    def redis(self, *arguments):
        server = RedisServer(*arguments)
        self.redis_servers.append(server)
        return server

    def call(self, redis):
        """A connection that tearDown() closes."""
        self.calls.append(Redis(redis.port))
        return self.calls[-1]

    def worker(self, redis, config=CONFIG, **more):
        made = Worker(self.folder, config, redis.port, **more)
        self.servers.append(made)
        return made

    def bull_add(self, call, data, **options):
        """Adds a job as Bull 4 does."""
        job_id = str(call("INCR", BASE + "id"))
        now = int(time.time() * 1000)
        delay = options.get("delay", 0)
        call("HSET", BASE + job_id, "name", "__default__", "data", json.dumps(data), "opts",
             json.dumps({"attempts": 1, "delay": delay, "timestamp": now, **options}), "timestamp", now, "delay", delay, "priority", 0)
        if delay:
            call("ZADD", BASE + "delayed", (now + delay) * 4096 + int(job_id), job_id)
        else:
            call("LPUSH", BASE + "wait", job_id)
        return job_id

    def finished(self, call, job_id, seconds=60):
        def look():
            fields = call("HGETALL", BASE + job_id)
            fields = dict(zip(fields[::2], fields[1::2]))
            return fields if "finishedOn" in fields else None

        return until(look, seconds, f"the end of job {job_id}")

    def plant_active(self, call, age_seconds, token=None, **data):
        """An active job of a plain Bull worker: locked with `token`, or unlocked if it is None."""
        job_id = self.bull_add(call, {"func": "sleep", **data})
        call("LREM", BASE + "wait", 1, job_id)
        call("LPUSH", BASE + "active", job_id)
        call("HSET", BASE + job_id, "processedOn", int((time.time() - age_seconds) * 1000))
        if token:
            call("SET", BASE + job_id + ":lock", token, "PX", 600_000)
        return job_id

    def active(self, call):
        return call("LRANGE", BASE + "active", 0, -1)
