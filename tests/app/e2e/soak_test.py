"""Many jobs through one `gaur serve` whose runners and keepers are killed all the time; then the server is killed as well.
Nothing may grow, and each job has exactly one outcome. GAUR_SOAK_JOBS sets the number of jobs; the time series is printed as lines of JSON."""

import http.client
import json
import os
import random
import re
import signal
import statistics
import threading
import time
import unittest
from pathlib import Path

from harness import GAUR, EndToEnd, alive, stat_of, tree, until

JOBS = int(os.environ.get("GAUR_SOAK_JOBS", "12000"))
BATCH, BACKLOG, KILL_EVERY, SERVER_KILLS = 500, 1500, 0.4, 3
MEGABYTE = 1_000_000
CONFIG = f'''
[store]
url = "embedded:./data"
[machine]
slots = 16
[worker]
max_stalled = 6          # so that only `crash` fails
[queues.q]
keep_completed = 1000
keep_failed = 50
[pools.testbed]
command = ["{GAUR.parent / "gaur_runner_testbed"}"]
max_runners = 4
start_timeout = "60s"
[functions.echo]
pool = "testbed"
[functions.crash]
pool = "testbed"
'''
END = re.compile(rb'event: (completed|failed)\ndata: \{"id":"(\d+)"')
CURSOR = re.compile(rb"(?:^|\n)id: (\d+)\n")


class Ends(threading.Thread):
    """Follows the queue's events, over restarts of the server, and counts the outcomes of each job."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.cursor, self.gaps, self.stopped = server, "", 0, False
        self.completed, self.failed = bytearray(2 * JOBS + 1), bytearray(2 * JOBS + 1)
        self.count = 0

    def run(self):
        while not self.stopped:
            try:
                self.follow()
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)  # the server is restarting

    def follow(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            connection.request("GET", f"/v1/queues/q/events?cursor={self.cursor}")
            response, pending = connection.getresponse(), b""
            while not self.stopped:
                block = response.read1(1 << 16)
                if not block:
                    return
                whole, _, rest = (pending + block).rpartition(b"\n\n")
                self.read(whole + b"\n\n" if whole else b"")
                pending = rest
        finally:
            connection.close()

    def read(self, text):
        self.gaps += text.count(b"event: gap")
        for kind, job in END.findall(text):
            into = self.completed if kind == b"completed" else self.failed
            into[int(job)] += 1
            self.count += 1
        if cursors := CURSOR.findall(text):
            self.cursor = cursors[-1].decode()


def sample(server, ends, since):
    pid = server.process.pid
    status = Path(f"/proc/{pid}/status").read_text()
    below = tree(pid)
    return {
        "seconds": round(time.monotonic() - since, 1), "jobs": ends.count,
        **{name: int(re.search(rf"{key}:\s+(\d+)", status)[1]) for name, key in (("rss_kib", "VmRSS"), ("anonymous_kib", "RssAnon"), ("threads", "Threads"))},
        "store_bytes": (server.folder / "data/store/data.mdb").stat().st_size,
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "processes": len(below), "zombies": sum(1 for each in below if (stat := stat_of(each)) and stat[1] == "Z"),
        "entries": sum(len(files) + len(folders) for _, folders, files in os.walk(server.folder / "data")),
    }


def growth(samples, value):
    """Bytes a million jobs, by least squares."""
    jobs = sum(s["jobs"] for s in samples) / len(samples)
    mean = sum(value(s) for s in samples) / len(samples)
    squares = sum((s["jobs"] - jobs) ** 2 for s in samples)
    return sum((s["jobs"] - jobs) * (value(s) - mean) for s in samples) / squares * 1e6 if squares else 0.0


def steady_growth(samples, value):
    """The median of the growth between two samples: one step does not count. A reader that the system does not run for a second keeps
    the pages of its snapshot, and the file grows once."""
    apart = len(samples) // 4
    slopes = [(value(b) - value(a)) / (b["jobs"] - a["jobs"]) for a, b in zip(samples, samples[apart:]) if b["jobs"] > a["jobs"]]
    return statistics.median(slopes) * 1e6 if slopes else 0.0


class SoakTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.random = random.Random(7)
        self.added, self.killed, self.next_kill, self.server_dies = 0, 0, 0.0, False

    def batch(self):
        jobs = []
        for _ in range(BATCH):
            self.added += 1
            jobs.append({"name": "crash" if self.added % 1000 == 999 else "echo", "data": {"n": self.added, "region": "서울"}})
        return json.dumps(jobs)

    def add(self):
        """The key, where the server may die, prevents a second execution of a repeated add. Its reply is kept for 24 hours."""
        body, headers = self.batch(), {"Idempotency-Key": f"batch-{self.added}"} if self.server_dies else {}
        while True:
            try:
                response = self.live.post("/v1/queues/q/jobs", body, headers)
                self.assertEqual(response.status, 202, response.text)
                return
            except (OSError, http.client.HTTPException):
                self.assertTrue(self.server_dies, self.live.log()[-2000:])
                time.sleep(0.02)  # the server is restarting

    def kill_one(self):
        """A runner, every fifth time its keeper."""
        below = tree(self.live.process.pid)
        runners = [pid for pid in below if self.name_of(pid) == "gaur_runner_tes"]
        if not runners:
            return
        victim = self.random.choice(runners)
        if self.killed % 5 == 4 and (stat := stat_of(victim)) and stat[0] in below:
            victim = stat[0]
        try:
            os.kill(victim, signal.SIGKILL)
            self.killed += 1
        except ProcessLookupError:
            pass  # it has just exited

    @staticmethod
    def name_of(pid):
        try:
            return Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            return ""

    def push(self, upto, ends, samples):
        """Adds jobs and kills runners until so many jobs have an outcome."""
        step, begun = max(upto // 100, 1), time.monotonic()
        progress = (ends.count, time.monotonic())
        while ends.count < upto:
            if self.added < upto and self.added - ends.count < BACKLOG:
                self.add()
            if time.monotonic() > self.next_kill:
                self.kill_one()
                self.next_kill = time.monotonic() + KILL_EVERY
            if samples is not None and ends.count >= len(samples) * step:
                samples.append(sample(self.live, ends, begun))
                print(json.dumps(samples[-1]), flush=True)
            if ends.count > progress[0]:
                progress = (ends.count, time.monotonic())
            self.assertLess(time.monotonic() - progress[1], 60, f"nothing ends: {self.live.counts('q')}\n{self.live.log()[-2000:]}")
            time.sleep(0.005)

    def check_series(self, samples):
        kept = [s for s in samples if s["jobs"] * 5 >= samples[-1]["jobs"]]
        millions = (kept[-1]["jobs"] - kept[0]["jobs"]) / 1e6
        for name, slope in (("memory", growth(kept, lambda s: s["anonymous_kib"] * 1024)), ("store", steady_growth(kept, lambda s: s["store_bytes"]))):
            print(f"{name}: {slope / MEGABYTE:.3f} MB a million jobs")
            if millions < 0.5:  # too short for a slope
                self.assertLess(slope * millions, 6 * MEGABYTE, name)
            else:
                self.assertLess(slope, MEGABYTE, name)
        first, second = kept[: len(kept) // 2], kept[len(kept) // 2 :]
        for name, slack in (("descriptors", 32), ("processes", 8), ("zombies", 4), ("entries", 16)):
            self.assertLessEqual(max(s[name] for s in second), max(s[name] for s in first) + slack, name)

    def test_nothing_grows_and_every_job_ends_once(self):
        self.live = self.server(CONFIG).start()
        ends = Ends(self.live)
        ends.start()
        samples, begun = [], time.monotonic()
        steady = JOBS * 9 // 10 // BATCH * BATCH
        self.push(steady, ends, samples)
        seconds = time.monotonic() - begun
        self.check_series(samples)
        self.server_dies = True
        for turn in range(SERVER_KILLS):
            target = steady + (JOBS - steady) * (turn + 1) // SERVER_KILLS // BATCH * BATCH
            below = tree(self.live.process.pid)
            self.live.kill()
            until(lambda below=below: not alive(below), seconds=5, what="the exit of all processes of the killed server")
            self.live.start()
            self.push(target, ends, None)
        counts = self.live.counts("q")
        self.assertEqual([counts[state] for state in ("waiting", "prioritized", "delayed", "active")], [0] * 4)
        ends.stopped = True
        below = tree(self.live.process.pid)
        self.live.stop()
        self.assertEqual(alive(below), [], "processes are left")
        self.assertEqual(ends.gaps, 0, "events were lost: the test cannot count")
        wrong = [job for job in range(1, self.added + 1)
                 if (ends.completed[job], ends.failed[job]) != ((0, 1) if job % 1000 == 999 else (1, 0))]
        self.assertEqual(wrong, [], "jobs without exactly one outcome")
        print(f"{self.added} jobs ({steady / seconds:.0f} a second), {self.killed} runners and keepers killed, "
              f"{SERVER_KILLS} kills of the server: each job ended once")


if __name__ == "__main__":
    unittest.main(verbosity=2)
