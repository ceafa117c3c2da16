"""Shared by the end-to-end tests: a folder with a running `gaur serve`, an HTTP client, and the process tree from /proc."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
GAUR = Path(os.environ["GAUR_PROGRAM"]) if "GAUR_PROGRAM" in os.environ else ROOT / "build/dev/bin/gaur"
PATIENCE = 60.0  # seconds to wait for events without a documented bound; large, because test machines may be busy

TESTBED = f'''
[pools.testbed]
command = ["{sys.executable}", "{HERE / "testbed.py"}"]
start_timeout = "60s"
'''

REPLAY = f'''
[pools.replay]
command = ["{sys.executable}", "{HERE / "replay_runner.py"}"]
start_timeout = "60s"
'''


def until(condition, seconds=PATIENCE, what="it"):
    """Waits until condition() returns a true value, and returns that value."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.01)


def stat_of(pid):
    """(parent, state, start time) of a process; None if it does not exist."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[1]), fields[0], int(fields[19])


def tree(root):
    """{pid: start time} of all descendants of `root`. The start time distinguishes a process from a later one with the same pid."""
    parents, starts = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (stat := stat_of(int(entry))):
            parents[int(entry)], starts[int(entry)] = stat[0], stat[2]
    below, frontier = {}, [root]
    while frontier:
        above = frontier.pop()
        for pid, parent in parents.items():
            if parent == above and pid not in below:
                below[pid] = starts[pid]
                frontier.append(pid)
    return below


def alive(processes):
    """The processes of a tree() that still run. Zombies do not count."""
    return [pid for pid, start in processes.items() if (stat := stat_of(pid)) and stat[2] == start and stat[1] != "Z"]


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body

    @property
    def json(self):
        return json.loads(self.text)


class Server:
    """One folder with a gaur.toml, and the server that runs in it."""

    def __init__(self, folder, config):
        self.folder = Path(folder)
        self.process = None
        self.port = 0
        (self.folder / "gaur.toml").write_text(config)

    def command(self, *flags):
        return [str(GAUR), "serve", "--port-file", "port", "--server.listen=127.0.0.1:0", *flags]

    def start(self, *flags, ready=True, env=None):
        (self.folder / "port").unlink(missing_ok=True)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(*flags), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})},
            )
        until(lambda: self.has_port() or self.process.poll() is not None, what="listening")
        if self.process.poll() is not None:
            raise AssertionError(f"gaur ended with {self.process.returncode}:\n{self.log()[-3000:]}")
        self.port = int((self.folder / "port").read_text())
        if ready:
            until(lambda: self.get("/readyz").status == 200, what=f"being ready ({self.get('/readyz').text})")
        return self

    def has_port(self):
        return (self.folder / "port").exists()

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def request(self, method, path, body=None, headers=None, timeout=90):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            headers = dict(headers or {})
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            if isinstance(body, str):
                body = body.encode()
            if body is not None:
                headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read().decode())
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None, headers=None):
        return self.request("POST", path, body, headers)

    def add(self, function, data, query=""):
        """Adds a job and returns its id."""
        response = self.post(f"/v1/functions/{function}{query}", data)
        assert response.status == 202, response.text
        return response.json["id"]

    def job(self, queue, job_id):
        return self.get(f"/v1/queues/{queue}/jobs/{job_id}").json

    def finished(self, queue, job_id, seconds=PATIENCE):
        """Waits until the job is completed or failed, and returns it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            job = self.get(f"/v1/queues/{queue}/jobs/{job_id}?wait=5s").json
            if job.get("state") in ("completed", "failed"):
                return job
        raise AssertionError(f"job {job_id} is not finished after {seconds} s: {job}\n{self.log()[-2000:]}")

    def counts(self, queue):
        return self.get(f"/v1/queues/{queue}").json["counts"]

    def host(self):
        return self.get("/v1/host").json

    def events(self, queue, kind, count, seconds=10):
        """The ids of the events of a kind, from the oldest stored one. After `count` events it waits another second for surplus ones."""
        ids, name = [], ""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as line_socket:
            line_socket.sendall(f"GET /v1/queues/{queue}/events?cursor= HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            try:
                for line in line_socket.makefile("rb"):
                    line = line.decode().strip()
                    if line.startswith("event:"):
                        name = line[6:].strip()
                    elif line.startswith("data:") and name == kind:
                        ids.append(json.loads(line[5:]).get("id"))
                        if len(ids) == count:
                            line_socket.settimeout(1)  # a surplus event would arrive immediately
            except TimeoutError:
                pass
        return ids

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=PATIENCE):
        return self.process.wait(timeout=seconds)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            code = self.process.wait(timeout=45)
            assert code == 0, f"gaur ended with {code} when it was stopped:\n{self.log()[-2000:]}"
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def kill(self):
        self.process.kill()
        self.process.wait()


class Sampler:
    """Polls the status of the host and records the highest number of runs, granted cores and granted memory."""

    def __init__(self, server):
        self.server = server
        self.samples, self.most_cores, self.most_memory, self.most_runs = 0, 0.0, 0, 0
        self.capacity_cores, self.capacity_memory = 0.0, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(0.02):
            try:
                host = self.server.host()
            except (OSError, http.client.HTTPException):
                continue  # the server is restarting
            self.samples += 1
            self.capacity_cores, self.capacity_memory = host["cores"], host["memory_bytes"]
            self.most_cores = max(self.most_cores, host["cores_granted"])
            self.most_memory = max(self.most_memory, host["memory_granted"])
            self.most_runs = max(self.most_runs, len(host["runs"]))


class EndToEnd(unittest.TestCase):
    """Gives each test its own folder, and stops the servers that it started."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="gaur-e2e-"))
        self.servers = []

    def tearDown(self):
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.folder)

    def server(self, config, folder=None):
        made = Server(folder or self.folder, config)
        self.servers.append(made)
        return made

    def in_parallel(self, calls):
        """Runs all calls in threads and returns their results."""
        results = [None] * len(calls)

        def run(index):
            results[index] = calls[index]()

        threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results


def milliseconds(earlier, later):
    from datetime import datetime

    def read(text):
        return datetime.fromisoformat(text.replace("Z", "+00:00"))

    return (read(later) - read(earlier)).total_seconds() * 1000
