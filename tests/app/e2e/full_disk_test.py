"""A full disk: adds are rejected, running jobs finish and are stored, and adds succeed once space is free again."""

import os
import subprocess
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


@unittest.skipUnless(can_mount(), "mounting a tmpfs needs root")
class FullDiskTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", self.disk], check=True)

    def tearDown(self):
        for server in self.servers:
            server.stop()
        self.servers = []
        subprocess.run(["umount", self.disk], check=True)
        super().tearDown()

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


if __name__ == "__main__":
    unittest.main(verbosity=2)
