"""A redis-server for one test, and jobs in the layout of Bull 4."""

import json
import shutil
import socket
import subprocess
import tempfile
import time

from harness import until


class RedisError(Exception):
    """An error reply of Redis."""


class Redis:
    """A RESP2 connection. Strings are str, integers are int, nil is None."""

    def __init__(self, port, user=None, password=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.reader = self.socket.makefile("rb")
        if password:
            self("AUTH", *([user] if user else []), password)

    def __call__(self, *words):
        self.send(*words)
        return self.read()

    def send(self, *words):
        encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in encoded))

    def read(self):
        line = self.reader.readline()
        if not line:
            raise EOFError("redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.reader.read(int(rest) + 2)[:-2].decode(errors="surrogateescape")
        return None if rest == b"-1" else [self.read() for _ in range(int(rest))]

    def close(self):
        self.reader.close()
        self.socket.close()


class HeldPort:
    """A loopback port that stays bound until close(), without listening. The kernel does not assign it to another program, and a
    server that sets SO_REUSEADDR, as redis-server does, can listen on it."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.number = self.socket.getsockname()[1]

    def close(self):
        self.socket.close()


class RedisServer:
    """redis-server in its own folder, on a loopback port that stays reserved while the server is down."""

    def __init__(self, *arguments):
        self.folder = tempfile.mkdtemp(prefix="gaur-redis-")
        self.held = HeldPort()
        self.port = self.held.number
        self.log = open(f"{self.folder}/log", "wb")
        self.command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--save", "", *arguments]
        self.restart()

    def restart(self):
        """Starts the server, also after kill(), on the same port and folder."""
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        until(self.responds, what="redis-server")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def responds(self):
        if self.process.poll() is not None:
            raise AssertionError(f"redis-server ended with {self.process.returncode}")
        try:
            connection = Redis(self.port)
        except OSError:
            return False
        try:
            connection("PING")
        except RedisError as error:
            return not str(error).startswith("LOADING")  # a server that requires a password also replies
        except EOFError:
            return False
        finally:
            connection.close()
        return True

    def stop(self):
        self.kill()
        self.held.close()
        self.log.close()
        shutil.rmtree(self.folder)


def now_ms():
    return int(time.time() * 1000)


class Queue:
    """Writes jobs as Bull's scripts do: keys begin with PREFIX:NAME:, and lists have the newest job at the head."""

    def __init__(self, redis, prefix, name):
        self.redis, self.base = redis, f"{prefix}:{name}:"

    def job(self, data, name="__default__", **fields):
        job_id = str(self.redis("INCR", self.base + "id"))
        at = fields.pop("timestamp", now_ms())
        delay = fields.pop("delay", 0)
        options = {"attempts": 1, "delay": delay, "timestamp": at}
        values = {"name": name, "data": data if isinstance(data, str) else json.dumps(data), "opts": json.dumps(options),
                  "timestamp": at, "delay": delay, "priority": 0, **fields}
        self.redis("HSET", self.base + job_id, *[part for pair in values.items() for part in pair])
        return job_id

    def waiting(self, data, **fields):
        job_id = self.job(data, **fields)
        self.redis("LPUSH", self.base + "wait", job_id)
        return job_id

    def active(self, data, started, locked=False, **fields):
        job_id = self.job(data, processedOn=started, timestamp=started - 100, **fields)
        self.redis("LPUSH", self.base + "active", job_id)
        if locked:
            self.redis("SET", self.base + job_id + ":lock", "f3b1c7e0-0000-4000-8000-000000000000", "PX", 30000)
        return job_id

    def delayed(self, data, due):
        job_id = self.job(data, timestamp=due - 1000, delay=1000)
        self.redis("ZADD", self.base + "delayed", due * 4096 + (int(job_id) & 0xFFF), job_id)
        return job_id

    def completed(self, data, result, wait=50, run=200, ended=None, **fields):
        ended = ended or now_ms() - 10_000
        job_id = self.job(data, timestamp=ended - run - wait, processedOn=ended - run, finishedOn=ended,
                          returnvalue=json.dumps(result), **fields)
        self.redis("ZADD", self.base + "completed", ended, job_id)
        return job_id

    def failed(self, data, reason, run=100):
        ended = now_ms() - 10_000
        job_id = self.job(data, timestamp=ended - run - 50, processedOn=ended - run, finishedOn=ended, failedReason=reason,
                          attemptsMade=1, stacktrace="[]")
        self.redis("ZADD", self.base + "failed", ended, job_id)
        return job_id


def dump(redis):
    """Every key with its value, to compare the database before and after. Times to live are not included."""
    return {key: redis_dump(redis, key) for key in sorted(redis("KEYS", "*"))}


def redis_dump(redis, key):
    kind = redis("TYPE", key)
    if kind == "string":
        return redis("GET", key)
    if kind == "list":
        return redis("LRANGE", key, 0, -1)
    if kind == "hash":
        return redis("HGETALL", key)
    if kind == "set":
        return sorted(redis("SMEMBERS", key))
    if kind == "stream":
        return redis("XRANGE", key, "-", "+")
    return redis("ZRANGE", key, 0, -1, "WITHSCORES")
