"""What a runner cannot reach: the host's secrets and memory, other processes, files, privileges."""

import os
import sys
import unittest
from pathlib import Path

from harness import HERE, EndToEnd, Server

TOKEN = "t0ken-that-no-runner-may-see"
PASSWORD = "p4ssword-that-no-runner-may-see"
NOBODY = 65534
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable  # one that every user may run


class Unprivileged(Server):
    """A server that runs as an ordinary user, as its runners do."""

    def command(self, *flags):
        command = super().command(*flags)
        if os.geteuid() != 0:
            return command
        os.chown(self.folder, NOBODY, NOBODY)
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]

    def request(self, method, path, body=None, headers=None, timeout=90):
        return super().request(method, path, body, {"Authorization": f"Bearer {TOKEN}", **(headers or {})}, timeout)


def pool(more=""):
    return f"""[queues.q]
[pools.attacker]
command = ["{PYTHON}", "{HERE / "attacker.py"}"]
min_runners = 1
max_runners = 1
{more}
[functions.attempt]
pool = "attacker"
"""


class IsolationTest(EndToEnd):
    def attempt(self, server, what, **data):
        answer = server.post("/v1/functions/attempt?wait=30s", {"what": what, **data})
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json["result"]

    def test_a_runner_of_the_same_user_reads_no_secret_of_the_host(self):
        server = Unprivileged(self.folder, pool())
        self.addCleanup(server.stop)
        server.start(env={"GAUR_SERVER_TOKEN": TOKEN, "REDIS_PASSWORD": PASSWORD, "HARMLESS": "shown"})
        host = server.process.pid
        for name in ("environ", "mem", "maps"):
            self.assertRegex(self.attempt(server, "read", path=f"/proc/{host}/{name}"), "^(EACCES|EPERM)$", name)
        seen = self.attempt(server, "environment")
        self.assertNotIn(TOKEN, seen)
        self.assertNotIn(PASSWORD, seen)

    @unittest.skipUnless(os.geteuid() == 0, "only root may read the environment of a hidden process")
    def test_the_host_erases_secrets_from_its_environment(self):
        server = Unprivileged(self.folder, pool())
        self.addCleanup(server.stop)
        server.start(env={"GAUR_SERVER_TOKEN": TOKEN, "REDIS_PASSWORD": PASSWORD, "HARMLESS": "shown"})
        environment = Path(f"/proc/{server.process.pid}/environ").read_bytes()
        self.assertIn(b"HARMLESS=shown", environment)
        self.assertNotIn(TOKEN.encode(), environment)
        self.assertNotIn(PASSWORD.encode(), environment)


if __name__ == "__main__":
    unittest.main()
