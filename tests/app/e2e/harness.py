"""What the end-to-end tests share: a folder, a real `gaur serve` in it, HTTP, and looks into /proc."""

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
PATIENCE = 60.0  # for what must happen but has no bound of its own; slow machines build while they test

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
    """Waits for a condition with a deadline; answers what it answered."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.01)


def stat_of(pid):
    """(parent, state, start time) or None once it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return int(fields[1]), fields[0], int(fields[19])


def tree(root):
    """Every process below `root` as {pid: start time}, so that a pid that was given anew is not mistaken."""
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
    """Those of a tree() that still run; a zombie does not."""
    return [pid for pid, start in processes.items() if (stat := stat_of(pid)) and stat[2] == start and stat[1] != "Z"]


class Answer:
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
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None, headers=None):
        return self.request("POST", path, body, headers)

    def add(self, function, data, query=""):
        """Adds a job and answers its id."""
        answer = self.post(f"/v1/functions/{function}{query}", data)
        assert answer.status == 202, answer.text
        return answer.json["id"]

    def job(self, queue, job_id):
        return self.get(f"/v1/queues/{queue}/jobs/{job_id}").json

    def finished(self, queue, job_id, seconds=PATIENCE):
        """The job once it is completed or failed."""
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
        """The ids of all events of a kind, from the oldest kept; returns once `count` of them came and a moment more."""
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
                            line_socket.settimeout(1)  # a surplus event would follow at once
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
    """Asks the host for its status again and again, and keeps the highest sums."""

    def __init__(self, server):
        self.server = server
        self.samples, self.most_cores, self.most_memory, self.most_runs = 0, 0.0, 0, 0
        self.box_cores, self.box_memory = 0.0, 0
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
                continue  # between two lives of the server
            self.samples += 1
            self.box_cores, self.box_memory = host["cores"], host["memory_bytes"]
            self.most_cores = max(self.most_cores, host["cores_granted"])
            self.most_memory = max(self.most_memory, host["memory_granted"])
            self.most_runs = max(self.most_runs, len(host["runs"]))


class EndToEnd(unittest.TestCase):
    """Gives each test a folder of its own, and ends what it started."""

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
        """Runs all calls at once and answers their results."""
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
