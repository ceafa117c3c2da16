"""gaur backup, restore and doctor: on a running host, on a damaged store, and what the host reports of damage."""

import http.client
import os
import re
import shutil
import subprocess
import unittest

import harness

NOBODY = 65534

CONFIG = f"""
[store]
url = "embedded:./data"
[server]
listen = "127.0.0.1:0"
[queues.reports]
[functions.wait]
pool = "testbed"
{harness.TESTBED}
"""


def gaur(folder, *arguments):
    return subprocess.run([str(harness.GAUR), *map(str, arguments)], cwd=folder, capture_output=True, text=True,
                          timeout=harness.PATIENCE)


class BackupTest(harness.EndToEnd):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.file = self.data / "store/data.mdb"
        self.server = self.server(CONFIG)

    def add_jobs(self, count):
        for i in range(count):
            answer = self.server.post("/v1/queues/reports/jobs", {"name": "wait", "data": {"n": i}, "options": {"delay": "1h"}})
            self.assertEqual(answer.status, 202, answer.text)

    def run_gaur(self, *arguments, code=0):
        done = gaur(self.folder, *arguments)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def flip(self, magic, at_most=10**9):
        content = bytearray(self.file.read_bytes())
        at = -1
        while (at := content.find(magic, at + 1)) >= 0 and at_most > 0:
            content[at + 14] ^= 1
            at_most -= 1
        self.file.write_bytes(content)

    def test_backup_of_running_host_is_restored(self):
        self.server.start()
        self.add_jobs(7)
        self.assertIn("7 jobs in 1 queue", self.run_gaur("backup", "saved.mdb"))
        self.assertIn("exists already", self.run_gaur("backup", "saved.mdb", code=1))
        self.assertIn("checking a snapshot", self.run_gaur("doctor"))
        self.assertIn("stop it before a salvage", self.run_gaur("doctor", "--salvage", "saved", code=3))
        self.server.stop()
        self.assertIn("sound; 7 jobs", self.run_gaur("doctor"))
        self.assertIn("sound; 7 jobs", self.run_gaur("doctor", "--data", "saved.mdb"))
        self.assertIn("contains a store", self.run_gaur("restore", "saved.mdb", code=1))
        self.assertIn("restored 7 jobs", self.run_gaur("restore", "saved.mdb", "--replace", "--skip-ids", "100"))
        self.server.start()
        self.assertEqual(self.server.counts("reports")["delayed"], 7)
        answer = self.server.post("/v1/queues/reports/jobs", {"name": "wait", "data": {}, "options": {"delay": "1h"}})
        self.assertEqual(answer.json["id"], "108")

    def test_copied_backup_is_no_store(self):
        self.server.start()
        self.add_jobs(5)
        self.run_gaur("backup", "saved.mdb")
        self.add_jobs(5)
        self.server.process.kill()
        self.server.wait()
        shutil.copy(self.folder / "saved.mdb", self.file)
        refused = gaur(self.folder, "serve")
        self.assertEqual(refused.returncode, 3, refused.stderr)
        self.assertIn("the data file is a backup", refused.stderr)
        typed = re.search(r"`gaur (restore \S+ --data \S+ --replace)`", refused.stderr).group(1)
        self.assertIn("restored 5 jobs", self.run_gaur(*typed.split()))
        self.server.start()
        answer = self.server.post("/v1/queues/reports/jobs", {"name": "wait", "data": {}, "options": {"delay": "1h"}})
        self.assertEqual(answer.json["id"], "1000006", "6 to 10 were given before the crash")

    def test_deleted_data_folder_stops_the_host(self):
        self.server.start()
        self.add_jobs(2)
        shutil.rmtree(self.data)
        try:
            answer = self.server.post("/v1/queues/reports/jobs", {"name": "wait", "data": {}})
            self.assertNotEqual(answer.status // 100, 2, answer.text)
        except (OSError, http.client.HTTPException):
            pass  # the host noticed it first
        self.assertEqual(self.server.wait(10), 4)
        self.assertIn(f"the data file {self.file} was deleted while it was open", self.server.log())

    def test_moved_data_folder_stops_the_idle_host(self):
        self.server.start()
        self.add_jobs(2)
        moved = self.data.rename(self.folder / "moved")
        second = harness.Server(self.folder, CONFIG)
        self.servers.append(second)
        second.start()
        self.assertEqual(self.server.wait(10), 4)
        self.assertEqual(second.counts("reports")["delayed"], 0)
        self.assertEqual(second.log().count("a new store was created"), 2, "the log names it")
        second.stop()
        self.assertIn(f"the data file {self.file} was moved or replaced while it was open", self.server.log())
        shutil.rmtree(self.data)
        moved.rename(self.data)
        self.server.start()
        self.assertEqual(self.server.counts("reports")["delayed"], 2)

    def test_wrong_files_are_named(self):
        self.server.start()
        self.server.stop()
        self.assertIn("data is a folder, not a file", self.run_gaur("restore", "data", "--data", "other", code=1))
        (self.folder / "empty.mdb").touch()
        self.assertIn("nothing to save", self.run_gaur("doctor", "--data", "empty.mdb", "--salvage", "other", code=3))
        self.assertFalse((self.folder / "other/store").exists())

    @unittest.skipUnless(os.geteuid() == 0, "only root can change owners")
    def test_root_is_kept_out_of_the_folder_of_another_user(self):
        def own(owner):
            for path in [self.data, *self.data.rglob("*")]:
                os.chown(path, owner, owner)

        def content():
            return {path: (path.stat().st_uid, path.stat().st_mtime_ns) for path in self.data.rglob("*")}

        self.server.start()
        self.add_jobs(1)
        self.server.stop()
        own(NOBODY)
        before = content()
        refused = gaur(self.folder, "serve")
        self.assertEqual(refused.returncode, 3, refused.stderr)
        self.assertIn(f"sudo -u '#{NOBODY}' gaur", refused.stderr)
        self.assertEqual(content(), before, "nothing was written")
        # What an earlier version left when root had started it: the folder's own user reads what to type.
        os.chown(self.data / "store-id", 0, 0)
        self.folder.chmod(0o755)
        (self.folder / "gaur.toml").write_text('[store]\nurl = "embedded:./data"\n')  # the user may not read the testbed
        refused = subprocess.run([str(harness.GAUR), "serve"], cwd=self.folder, capture_output=True, text=True, user=NOBODY,
                                 group=NOBODY, extra_groups=[], timeout=harness.PATIENCE)
        self.assertEqual(refused.returncode, 3, refused.stderr)
        self.assertIn(f"{self.data}/store-id belongs to the user with the number 0", refused.stderr)
        self.assertIn(f"sudo chown -R {NOBODY} {self.data}", refused.stderr)

    def test_folder_gets_named_backup(self):
        self.server.start()
        self.server.stop()
        self.assertIn("there is no folder saved", self.run_gaur("backup", "saved/", code=1))
        self.assertIn("there is no folder saved/deep", self.run_gaur("backup", "saved/deep/one.mdb", code=1))
        self.assertFalse((self.folder / "saved").exists(), "the disk may not be mounted")
        (self.folder / "saved").mkdir()
        self.run_gaur("backup", "saved/")
        self.assertEqual(len(list((self.folder / "saved").glob("gaur-*Z.mdb"))), 1)

    def test_damaged_record_is_reported_not_missing(self):
        self.server.start()
        self.add_jobs(5)
        self.server.stop()
        self.flip(b"GauS")
        self.server.start(ready=False)
        ready = self.server.get("/readyz")
        self.assertEqual(ready.status, 503)
        self.assertIn("the store is damaged", ready.text)
        job = self.server.get("/v1/queues/reports/jobs/3")
        self.assertEqual((job.status, job.json["type"]), (500, "urn:gaur:problem:corrupt"))
        self.assertEqual(self.server.get("/v1/queues/reports/jobs/99").json["type"], "urn:gaur:problem:corrupt")
        self.assertIn("the store is damaged", self.server.log())
        self.server.stop()
        self.assertIn("damaged", self.run_gaur("doctor", code=1))

    def test_damaged_store_is_rejected_and_salvaged(self):
        self.server.start()
        self.add_jobs(30)
        self.server.stop()
        content = bytearray(self.file.read_bytes())
        at = -1
        while (at := content.find(b"\x05\0state", at + 1)) >= 0:
            content[at + 3] ^= 1
        self.file.write_bytes(content)
        refused = gaur(self.folder, "serve")
        self.assertEqual(refused.returncode, 3, refused.stderr)
        self.assertIn("the table state is missing", refused.stderr + refused.stdout)
        self.assertIn("gaur doctor --salvage NEW_FOLDER", refused.stderr + refused.stdout)
        self.assertIn("30 jobs saved", self.run_gaur("doctor", "--salvage", "saved"))
        self.assertIn("sound; 30 jobs", self.run_gaur("doctor", "--data", "saved"))
        self.assertIn("contains a store", self.run_gaur("doctor", "--salvage", "saved", code=1))

    def test_second_host_is_rejected_without_lock_file(self):
        self.server.start()
        (self.data / "gaur.lock").unlink()
        second = gaur(self.folder, "serve", "--server.listen=127.0.0.1:0")
        self.assertEqual(second.returncode, 3, second.stderr)
        self.assertIn("data.mdb is in use by another process", second.stderr + second.stdout)

    def test_truncation_of_running_store_is_reported(self):
        self.server.start()
        self.add_jobs(5)
        with open(self.file, "r+b") as file:
            file.truncate(0)
        try:
            job = self.server.get("/v1/queues/reports/jobs/3")
            self.assertEqual((job.status, job.json["type"]), (500, "urn:gaur:problem:corrupt"))
            self.assertIn("truncated", job.text)
            self.server.post("/v1/queues/reports/jobs", {"name": "wait", "data": {}})
        except (OSError, http.client.HTTPException):
            pass  # a write of the host's own came first and stopped the store
        self.assertEqual(self.server.wait(), 4)
        self.assertIn("the data file was truncated while it was open", self.server.log())
        refused = gaur(self.folder, "serve")
        self.assertEqual(refused.returncode, 3)
        self.assertIn("gaur restore", refused.stderr + refused.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
