"""A server without free descriptors: it stays alive and idle, no job fails, and everything continues once there are some again."""

import os
import socket
import time
import unittest
from pathlib import Path

from harness import TESTBED, EndToEnd, Server, alive, tree, until

LIMIT = 90
CONFIG = f'''
[store]
url = "embedded:./data"
[queues.q]
{TESTBED}
max_jobs = 1             # every job needs a new runner, and so descriptors
[functions.sleep]
pool = "testbed"
'''


class LimitedServer(Server):
    def command(self, *flags):
        return ["prlimit", f"--nofile={LIMIT}:{LIMIT}", *super().command(*flags)]


class DescriptorsTest(EndToEnd):
    def connect(self, most):
        """Connections that send nothing; fewer than `most` once the server accepts no more."""
        made = []
        for _ in range(most):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.gaur.port))
            made.append(one)
        return made

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.gaur.process.pid}/fd"))

    def cpu(self):
        fields = Path(f"/proc/{self.gaur.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_no_job_fails_and_everything_continues(self):
        self.gaur = LimitedServer(self.folder, CONFIG)
        self.servers.append(self.gaur)
        self.gaur.start()
        ids = [self.gaur.add("sleep", {"ms": 700, "n": n}) for n in range(4)]
        held = self.connect(2 * LIMIT)
        until(lambda: self.descriptors() >= LIMIT - 2, what="using up all descriptors")
        before, begun = self.cpu(), time.monotonic()
        time.sleep(2)  # the time over which the CPU use is measured
        share = (self.cpu() - before) / (time.monotonic() - begun)
        self.assertIsNone(self.gaur.process.poll(), self.gaur.log()[-2000:])
        for one in held:
            one.close()
        ids.append(self.gaur.add("sleep", {"ms": 1}))
        for each in ids:
            job = self.gaur.finished("q", each)
            self.assertEqual((job["state"], job["attempts_made"]), ("completed", 1), job)
        until(lambda: self.gaur.get("/readyz").status == 200, what="being ready again")
        print(f"{share:.2f} cores without free descriptors")
        self.assertLess(share, 0.5)
        below = tree(self.gaur.process.pid)
        self.gaur.stop()
        self.assertEqual(alive(below), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
