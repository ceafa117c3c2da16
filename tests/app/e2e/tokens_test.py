"""Tokens of a running host are replaced without a restart, and a mistake leaves the old ones valid."""

import os
import signal
import subprocess
import unittest

from harness import GAUR, EndToEnd, until

OLD, NEW, VIEW = "old-0123456789abcdef", "new-0123456789abcdef", "view-0123456789abcdef"
CONFIG = """
[server]
token_file = "token"
[queues.q]
"""
TABLE = """
[tokens.dashboard]
token_file = "view"
rights = ["view"]
"""


class TokensTest(EndToEnd):
    def setUp(self):
        super().setUp()
        self.gaur = self.server(CONFIG)
        self.write("token", OLD + "\n")
        self.write("view", VIEW + "\n")
        self.gaur.start(ready=False)
        self.assertEqual(self.status(OLD), 200)

    def write(self, name, text):
        (self.gaur.folder / (name + ".part")).write_text(text)
        os.replace(self.gaur.folder / (name + ".part"), self.gaur.folder / name)

    def status(self, token, method="GET", path="/v1/queues"):
        return self.gaur.request(method, path, headers={"Authorization": f"Bearer {token}"}).status

    def test_a_token_is_rotated_by_its_file_alone(self):
        self.write("token", NEW + "\n" + OLD + "\n")
        until(lambda: self.status(NEW) == 200, what="the new token")
        self.assertEqual(self.status(OLD), 200)
        self.write("token", NEW + "\n")
        until(lambda: self.status(OLD) in (401, 429), what="the end of the old token")  # 429: too many wrong tokens
        self.assertEqual(self.status(NEW), 200)
        self.assertNotIn(NEW, self.gaur.log())

    def test_a_mistake_leaves_the_old_tokens(self):
        for text in ("", "\n", "short\n"):
            count = self.gaur.log().count("configuration not reloaded")
            self.write("token", text)
            until(lambda: self.gaur.log().count("configuration not reloaded") > count, what=f"the error for {text!r}")
            self.assertEqual(self.status(OLD), 200)
        self.write("token", NEW + "\n")
        until(lambda: self.status(NEW) == 200, what="the new token")

    def test_hup_reads_the_table_and_names_what_needs_a_restart(self):
        self.assertEqual(self.status(VIEW), 401)
        (self.gaur.folder / "gaur.toml").write_text(CONFIG + "max_waiting = 7\n" + TABLE)
        self.gaur.process.send_signal(signal.SIGHUP)
        until(lambda: self.status(VIEW) == 200, what="the new token")
        self.assertEqual(self.status(VIEW, "POST", "/v1/queues/q/pause"), 403)
        self.assertEqual(self.status(OLD, "POST", "/v1/queues/q/pause"), 204)
        self.assertIn("changed keys need a restart keys=queues.q.max_waiting", self.gaur.log())
        self.assertIn("operator request token=server.token", self.gaur.log())
        self.assertIn("request rejected token=dashboard", self.gaur.log())

    def test_a_reload_adds_the_first_token_and_does_not_remove_the_last(self):
        self.gaur.process.terminate()
        self.gaur.process.wait(timeout=30)
        config = self.gaur.folder / "gaur.toml"
        config.write_text("[queues.q]\n")
        self.gaur.start(ready=False)
        self.assertEqual(self.gaur.get("/v1/queues").status, 200)
        config.write_text(CONFIG)
        self.gaur.process.send_signal(signal.SIGHUP)
        until(lambda: self.gaur.get("/v1/queues").status == 401, what="the first token")
        self.assertEqual(self.status(OLD), 200)
        config.write_text("[queues.q]\n")
        self.gaur.process.send_signal(signal.SIGHUP)
        until(lambda: "tokens not reloaded" in self.gaur.log(), what="the error")
        self.assertEqual(self.gaur.get("/v1/queues").status, 401)

    def test_a_token_that_others_can_read_is_reported(self):
        admin = {"Authorization": f"Bearer {OLD}"}
        warnings = lambda: self.gaur.request("GET", "/v1/host", headers=admin).json["warnings"]
        (self.gaur.folder / "token").chmod(0o640)
        self.assertEqual([w for w in warnings() if "secret" in w], [])
        (self.gaur.folder / "token").chmod(0o644)
        self.assertIn("(mode 0644); chmod 600", "\n".join(warnings()))
        checked = subprocess.run([str(GAUR), "check"], cwd=self.gaur.folder, capture_output=True, text=True)
        self.assertIn("other users can read the secret in", checked.stdout)
        self.assertEqual(self.status(OLD), 200)

    def test_a_token_of_the_environment_survives_a_reload(self):
        self.gaur.process.terminate()
        self.gaur.process.wait(timeout=30)
        (self.gaur.folder / "gaur.toml").write_text("[queues.q]\n")
        self.gaur.start(ready=False, env={"GAUR_SERVER_TOKEN": OLD})
        self.gaur.process.send_signal(signal.SIGHUP)
        until(lambda: "tokens reloaded" in self.gaur.log(), what="the reload")
        self.assertEqual(self.status(OLD), 200)
        quiet = subprocess.run([str(GAUR), "quiet"], cwd=self.gaur.folder, capture_output=True, text=True, env={**os.environ, "GAUR_SERVER_TOKEN": OLD})
        self.assertEqual(quiet.returncode, 0, quiet.stderr)


if __name__ == "__main__":
    unittest.main()
