"""A command that fails leaves no files: each is made to fail at each of its steps, and the folder is as before."""

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
        self.env = {**os.environ, "TMPDIR": temporary.name}  # other tests have files in the machine's

    def files(self):
        return sorted(str(p.relative_to(self.folder)) + "/" * p.is_dir() for p in self.folder.rglob("*"))

    def scratch(self):
        return sorted(p.name for p in self.temporary.iterdir())

    def fails(self, *arguments, said, code=None, toml=None):
        """Runs a command that has to fail with these words, and to leave everything as it was."""
        if toml is not None:
            (self.folder / "gaur.toml").write_text(toml)
        files, scratch = self.files(), self.scratch()
        done = subprocess.run([GAUR, *arguments], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60)
        with self.subTest(" ".join(map(str, arguments))):
            self.assertNotEqual(done.returncode, 0, done.stdout)
            if code is not None:
                self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(said, done.stderr + done.stdout)
            self.assertEqual(self.files(), files)
            self.assertEqual(self.scratch(), scratch)

    def test_serve_on_a_new_folder(self):
        self.fails("serve", toml=EMBEDDED + "nonsense = 1\n", said="nonsense", code=1)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            listen = f"--server.listen=127.0.0.1:{taken.getsockname()[1]}"
            self.fails("serve", listen, toml=EMBEDDED, said="in use")
            (self.folder / "new/data").mkdir(parents=True)
            self.fails("serve", listen, said="in use")  # an empty folder stays one
            (self.folder / "new/data/mine.csv").write_text("1,2\n")
            self.fails("serve", listen, said="in use")  # what is the user's stays
        (self.folder / "new/data/store").write_text("a file where the store's folder has to be")
        self.fails("serve", "--server.listen=127.0.0.1:0", said="cannot start")
        (self.folder / "new/data/store").unlink()
        (self.folder / "new/data/spec").write_text("a file where the pool's specification has to be")
        sql = EMBEDDED + '[pools.sql]\nkind = "duckdb"\n[functions.one]\npool = "sql"\nsql = "SELECT 1"\n'
        self.fails("serve", "--server.listen=127.0.0.1:0", toml=sql, said="spec")

    def test_a_start_that_fails_leaves_what_another_host_has(self):
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
        self.assertEqual(self.files(), before, "a store that was there stays whole")
        first.start()
        self.assertEqual(first.job("query", job)["state"], "completed")

    def test_work_shadow_size_leave_and_look_without_their_redis(self):
        nobody = HeldPort()
        self.addCleanup(nobody.close)
        away = f"--store.url=redis://127.0.0.1:{nobody.number}"
        quick = "--store.connect_timeout=200ms"
        for command in (["work"], ["serve"], ["work", "--sweep-only"], ["leave"], ["shadow"], ["size", "--function", "sleep"], ["look"]):
            self.fails(*command, away, quick, toml=CONFIG, said="127.0.0.1", **({} if command == ["leave"] else {"code": 3}))

    def test_work_where_a_later_step_fails(self):
        redis = self.redis()
        call = self.call(redis)
        url = f"--store.url=redis://127.0.0.1:{redis.port}"
        self.fails("work", "--sweep-only", url, "--store.prefix=nobody", toml="", said="no queue")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.fails("work", url, f"--server.listen=127.0.0.1:{taken.getsockname()[1]}", toml=CONFIG, said="in use")
        call("HSET", BASE + "meta", "opts.maxLenEvents", "10000", "version", "bullmq:5.0.0")
        call("XADD", BASE + "events", "*", "event", "added")
        self.fails("work", url, f"--store.prefix={PREFIX}", said="BullMQ", code=3)
        self.fails("shadow", url, "--queue", "query", said="")

    def test_replays_whose_runner_cannot_start(self):
        broken = CONFIG.replace("[pools.testbed]", "[pools.unused]").replace(TESTBED.split("\n")[1], "") + '[pools.testbed]\ncommand = ["false"]\n'
        self.fails("size", "--function", "sleep", "--data", "{}", toml=broken, said="no run of sleep completed", code=1)
        self.fails("runner-check", "--", "false", said="FAILED", code=1)
        self.fails("runner-check", "--", "/no/such/program", said="FAILED", code=1)

    def test_an_interrupted_measurement(self):
        (self.folder / "gaur.toml").write_text(CONFIG)
        files, scratch = self.files(), self.scratch()
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([GAUR, "size", "--function", "sleep", "--data", '{"ms": 60000}'], cwd=self.folder, text=True,
                                       env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            until(lambda: self.scratch() != scratch and len(tree(process.pid)) >= 2, what="the first run")
            below = tree(process.pid)
            process.send_signal(number)
            _, said = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 130, said)
            self.assertIn("interrupted", said)
            self.assertEqual(alive(below), [])
            self.assertEqual((self.files(), self.scratch()), (files, scratch))

    def test_init(self):
        (self.folder / "old.env").write_text("REDIS_HOST=127.0.0.1\nREDIS_PORT=1\n")
        self.fails("init", "--env", "missing.env", said="missing.env", code=1)
        self.fails("init", "--env", "old.env", "--from", "missing.json", said="missing.json", code=1)
        (self.folder / "run.json").write_text("{")
        self.fails("init", "--env", "old.env", "--from", "run.json", said="run.json", code=1)
        self.fails("init", "--env", "old.env", "--look", said="127.0.0.1", code=3)
        (self.folder / "gaur.toml").write_text("")
        self.fails("init", "--env", "old.env", said="already", code=1)
        (self.folder / "taken").mkdir()
        (self.folder / "taken/inside").write_text("")
        self.fails("init", "--env", "old.env", "--force", "--out", "taken", said="cannot write taken", code=1)
        self.fails("init", "--env", "old.env", "--out", "old.env/a/b.toml", said="cannot make old.env/a", code=1)

        def full():  # a file that cannot grow, as on a full disk
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
