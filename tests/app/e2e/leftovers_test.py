"""A command that fails leaves no files, whichever step fails."""

import os
import resource
import signal
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from bull import HeldPort
from harness import GAUR, TESTBED, alive, tree, until
from redis_hosts import BASE, CONFIG, PREFIX, RedisHosts

EMBEDDED = CONFIG + '[store]\nurl = "embedded:./new/data"\n'


class LeftoversTest(RedisHosts):
    def setUp(self):
        super().setUp()
        temporary = tempfile.TemporaryDirectory(prefix="gaur-tmp-")
        self.addCleanup(temporary.cleanup)
        self.temporary = Path(temporary.name)
        self.env = {**os.environ, "TMPDIR": temporary.name}  # other tests write to the machine's temporary folder

    def files(self):
        return sorted(str(p.relative_to(self.folder)) + "/" * p.is_dir() for p in self.folder.rglob("*"))

    def scratch(self):
        return sorted(p.name for p in self.temporary.iterdir())

    def fails(self, *arguments, expected, code=None, toml=None):
        """Runs a command that must fail with the expected text and leave all files unchanged."""
        if toml is not None:
            (self.folder / "gaur.toml").write_text(toml)
        files, scratch = self.files(), self.scratch()
        done = subprocess.run([GAUR, *arguments], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60)
        with self.subTest(" ".join(map(str, arguments))):
            self.assertNotEqual(done.returncode, 0, done.stdout)
            if code is not None:
                self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(expected, done.stderr + done.stdout)
            self.assertEqual(self.files(), files)
            self.assertEqual(self.scratch(), scratch)

    def test_serve_on_a_new_folder_leaves_nothing(self):
        self.fails("serve", toml=EMBEDDED + "nonsense = 1\n", expected="nonsense", code=1)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            listen = f"--server.listen=127.0.0.1:{taken.getsockname()[1]}"
            self.fails("serve", listen, toml=EMBEDDED, expected="in use")
            (self.folder / "new/data").mkdir(parents=True)
            self.fails("serve", listen, expected="in use")  # an empty folder stays empty
            (self.folder / "new/data/mine.csv").write_text("1,2\n")
            self.fails("serve", listen, expected="in use")  # the user's files stay
        (self.folder / "new/data/store").write_text("a file where the store's folder has to be")
        self.fails("serve", "--server.listen=127.0.0.1:0", expected="cannot start")
        (self.folder / "new/data/store").unlink()
        (self.folder / "new/data/spec").write_text("a file where the pool's specification has to be")
        sql = EMBEDDED + '[pools.sql]\nkind = "duckdb"\n[functions.one]\npool = "sql"\nsql = "SELECT 1"\n'
        self.fails("serve", "--server.listen=127.0.0.1:0", toml=sql, expected="spec")

    def test_a_failed_start_keeps_the_files_of_another_host(self):
        first = self.server(EMBEDDED).start()
        job = first.add("sleep", {"ms": 1})
        first.finished("query", job)
        done = subprocess.run([GAUR, "serve", "--server.listen=127.0.0.1:0"], cwd=self.folder, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertEqual(first.job("query", job)["state"], "completed")
        first.stop()
        before = self.files()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            listen = f"--server.listen=127.0.0.1:{taken.getsockname()[1]}"
            subprocess.run([GAUR, "serve", listen], cwd=self.folder, capture_output=True, timeout=60)
        self.assertEqual(self.files(), before, "an existing store is unchanged")
        first.start()
        self.assertEqual(first.job("query", job)["state"], "completed")

    def test_commands_without_their_redis_leave_nothing(self):
        unused = HeldPort()
        self.addCleanup(unused.close)
        unreachable = f"--store.url=redis://127.0.0.1:{unused.number}"
        quick = "--store.connect_timeout=200ms"
        for command in (["work"], ["serve"], ["work", "--sweep-only"], ["leave"], ["shadow"], ["size", "--function", "sleep"], ["look"]):
            self.fails(*command, unreachable, quick, toml=CONFIG, expected="127.0.0.1", **({} if command == ["leave"] else {"code": 3}))

    def test_work_that_fails_in_a_later_step_leaves_nothing(self):
        redis = self.redis()
        call = self.call(redis)
        url = f"--store.url=redis://127.0.0.1:{redis.port}"
        self.fails("work", "--sweep-only", url, "--store.prefix=unused", toml="", expected="no queue")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.fails("work", url, f"--server.listen=127.0.0.1:{taken.getsockname()[1]}", toml=CONFIG, expected="in use")
        call("HSET", BASE + "meta", "opts.maxLenEvents", "10000", "version", "bullmq:5.0.0")
        call("XADD", BASE + "events", "*", "event", "added")
        self.fails("work", url, f"--store.prefix={PREFIX}", expected="BullMQ", code=3)
        self.fails("shadow", url, "--queue", "query", expected="")

    def test_replays_with_a_broken_runner_leave_nothing(self):
        broken = CONFIG.replace("[pools.testbed]", "[pools.unused]").replace(TESTBED.split("\n")[1], "") + '[pools.testbed]\ncommand = ["false"]\n'
        self.fails("size", "--function", "sleep", "--data", "{}", toml=broken, expected="no run of sleep completed", code=1)
        self.fails("runner-check", "--", "false", expected="FAILED", code=1)
        self.fails("runner-check", "--", "/no/such/program", expected="FAILED", code=1)

    def test_an_interrupted_measurement_leaves_nothing(self):
        (self.folder / "gaur.toml").write_text(CONFIG)
        files, scratch = self.files(), self.scratch()
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([GAUR, "size", "--function", "sleep", "--data", '{"ms": 60000}'], cwd=self.folder, text=True,
                                       env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            until(lambda: self.scratch() != scratch and len(tree(process.pid)) >= 2, what="the first run")
            below = tree(process.pid)
            process.send_signal(number)
            _, output = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 130, output)
            self.assertIn("interrupted", output)
            self.assertEqual(alive(below), [])
            self.assertEqual((self.files(), self.scratch()), (files, scratch))

    def test_a_failed_init_leaves_nothing(self):
        (self.folder / "old.env").write_text("REDIS_HOST=127.0.0.1\nREDIS_PORT=1\n")
        self.fails("init", "--env", "missing.env", expected="missing.env", code=1)
        self.fails("init", "--env", "old.env", "--from", "missing.json", expected="missing.json", code=1)
        (self.folder / "run.json").write_text("{")
        self.fails("init", "--env", "old.env", "--from", "run.json", expected="run.json", code=1)
        self.fails("init", "--env", "old.env", "--look", expected="127.0.0.1", code=3)
        (self.folder / "gaur.toml").write_text("")
        self.fails("init", "--env", "old.env", expected="already", code=1)
        (self.folder / "taken").mkdir()
        (self.folder / "taken/inside").write_text("")
        self.fails("init", "--env", "old.env", "--force", "--out", "taken", expected="cannot write taken", code=1)
        self.fails("init", "--env", "old.env", "--out", "old.env/a/b.toml", expected="cannot make old.env/a", code=1)

        def full():  # limits the size of files, like a full disk
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

        files = self.files()
        done = subprocess.run([GAUR, "init", "--env", "old.env", "--out", "full.toml"], cwd=self.folder, capture_output=True, text=True,
                              preexec_fn=full)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("cannot write full.toml.part: write: File too large", done.stderr)
        self.assertEqual(self.files(), files)


if __name__ == "__main__":
    unittest.main(verbosity=2)
