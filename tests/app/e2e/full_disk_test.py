"""A full disk: adds are rejected, running jobs finish and are stored, and adds succeed once space is free again."""

import os
import subprocess
import time
import unittest

from harness import TESTBED, EndToEnd, until

CONFIG = f'''
[store]
url = "embedded:./disk/data"
reserve = "4MiB"
[queues.q]
max_waiting = 0
{TESTBED}
[functions.sleep]
pool = "testbed"
'''
FILL = "x" * 900_000


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


class SmallDisk(EndToEnd):
    SIZE = "48m"

    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "tmpfs", self.disk], check=True)

    def tearDown(self):
        for server in self.servers:
            server.stop()
        self.servers = []
        subprocess.run(["umount", self.disk], check=True)
        super().tearDown()


@unittest.skipUnless(can_mount(), "mounting a tmpfs needs root")
class FullDiskTest(SmallDisk):
    def test_adds_are_rejected_and_running_jobs_finish(self):
        server = self.server(CONFIG).start()
        running = server.add("sleep", {"ms": 4000})
        until(lambda: server.job("q", running)["state"] == "active", what="the start")
        accepted = []
        while True:
            response = server.post("/v1/queues/q/jobs", {"name": "sleep", "data": {"ms": 1, "fill": FILL}, "options": {"delay": "1h"}})
            if response.status != 202:
                break
            accepted.append(response.json["id"])
            self.assertLess(len(accepted), 200, "the disk never became full")
        print(f"{len(accepted)} adds of 0.9 MB accepted, then: {response.status} {response.json['detail']}")
        self.assertEqual(response.status, 507)
        self.assertEqual(server.finished("q", running)["state"], "completed", "a finish fits into store.reserve")
        for job_id in accepted:
            self.assertEqual(server.job("q", job_id)["state"], "delayed", "no accepted job is lost")
        for job_id in accepted:
            self.assertEqual(server.request("DELETE", f"/v1/queues/q/jobs/{job_id}").status, 204)
        added = until(lambda: self.try_add(server), what="an add after the removal of jobs")
        self.assertEqual(server.finished("q", added)["state"], "completed")

    def try_add(self, server):
        response = server.post("/v1/functions/sleep", {"ms": 1})
        return response.json["id"] if response.status == 202 else None


@unittest.skipUnless(can_mount(), "mounting a tmpfs needs root")
class ResultsFillTheDiskTest(SmallDisk):
    """The results of the jobs need more than the disk has. None fails, none starts twice, and the host goes on by itself."""

    SIZE = "90m"
    JOBS = 400

    def fill(self):
        """Takes what is left of the disk, as another program would."""
        with open(self.disk / "filler", "ab", buffering=0) as file:
            with self.assertRaises(OSError):
                while True:
                    file.write(b"f" * 65536)

    def readiness(self):
        answer = self.servers[0].get("/readyz")
        return answer.status, " ".join(answer.json["reasons"])

    def until_nothing_starts(self):
        """The reserve still lets single jobs start, one a second. Waits until it is used up."""
        seen = [None, 0]

        def is_still():
            counts = self.servers[0].counts("q")
            if counts["active"] > 0 or counts["completed"] != seen[0]:
                seen[:] = counts["completed"], time.monotonic()
            return time.monotonic() - seen[1] > 2.5

        until(is_still, what="the last start")

    def completed(self):
        return self.servers[0].counts("q")["completed"]

    def test_jobs_wait_until_there_is_space(self):
        server = self.server(CONFIG).start()
        server.post("/v1/queues/q/pause")
        ids = [server.add("sleep", {"ms": 1, "bytes": 250_000}) for _ in range(self.JOBS)]
        server.post("/v1/queues/q/resume")
        until(lambda: "no jobs are added or started" in self.readiness()[1], what="the full disk")
        self.until_nothing_starts()
        status, reason = self.readiness()
        self.assertEqual(status, 503)
        print(f"{self.completed()} of {self.JOBS} completed, then: {reason}")
        self.assertLess(self.completed(), self.JOBS)
        self.assertEqual(server.get("/healthz").status, 200)
        self.assertIn("gaur_store_full 1", server.get("/metrics").text)
        self.assertEqual(server.log().count("the disk is full"), 1, server.log())
        waiting = next(i for i in reversed(ids) if server.job("q", i)["state"] == "waiting")
        self.assertIn("the disk of the store is full", server.job("q", waiting)["waiting"]["reason"])
        self.assertIsNone(server.process.poll(), server.log())

        self.fill()
        for _ in range(3):  # restarts on the full disk
            server.kill()
            server.start(ready=False)
            until(lambda: "full" in self.readiness()[1], what="the start on a full disk")
            self.until_nothing_starts()
            self.assertLess(self.completed(), self.JOBS)
        (self.disk / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,size=240m", self.disk], check=True)
        until(lambda: self.completed() == self.JOBS, what="the rest of the jobs")
        until(lambda: self.readiness()[0] == 200, what="being ready again")
        self.assertIn("gaur_store_full 0", server.get("/metrics").text)
        jobs = [server.job("q", i) for i in ids]
        self.assertEqual({job["state"] for job in jobs}, {"completed"})
        self.assertEqual({job["attempts_started"] for job in jobs}, {1}, "a job started twice")
        self.assertIn("the disk has space again", server.log())

    def test_a_new_store_is_rejected(self):
        self.fill()
        server = self.server(CONFIG)
        with self.assertRaisesRegex(AssertionError, "(?s)ended with 3.*No space left on device"):
            server.start()
        (self.disk / "filler").unlink()
        server.start()
        self.assertEqual(server.finished("q", server.add("sleep", {"ms": 1}))["state"], "completed")

    def test_result_files_wait_until_there_is_space(self):
        server = self.server(CONFIG + '[functions.file]\npool = "testbed"\n').start()
        first = server.add("file", {"rows": 3, "ms": 1})
        self.assertEqual(server.finished("q", first)["state"], "completed")
        second = server.add("file", {"rows": 10, "after": str(self.folder / "go")})
        until(lambda: server.job("q", second)["state"] == "active", what="the start")
        until(lambda: (self.folder / "go.written").exists(), what="the runner's file")
        self.fill()
        (self.folder / "go").touch()
        until(lambda: "a result file was not saved" in server.log(), what="the save that failed")
        self.assertEqual(server.job("q", second)["state"], "active")
        (self.disk / "filler").unlink()
        job = server.finished("q", second)
        self.assertEqual((job["state"], job["attempts_started"]), ("completed", 1), job)


if __name__ == "__main__":
    unittest.main(verbosity=2)
