"""The data folder: modes of its files, and symbolic links in it."""

import os
import stat
import subprocess
import unittest

from harness import GAUR, TESTBED, EndToEnd

CONFIG = f"""
[queues.q]
{TESTBED}
[functions.file]
pool = "testbed"
"""


class FoldersTest(EndToEnd):
    def mode(self, path):
        return stat.S_IMODE(os.stat(self.folder / "gaur-data" / path).st_mode)

    def test_others_read_nothing(self):
        server = self.server(CONFIG).start()
        job = server.add("file", {"rows": 3})
        self.assertEqual(server.finished("q", job)["state"], "completed")
        modes = {path: self.mode(path) for path in (".", "host.json", "link-secret", "store", "store/data.mdb", "results", "results/q", f"results/q/{job}.csv")}
        self.assertEqual({path: oct(mode) for path, mode in modes.items() if mode & 0o027}, {})
        self.assertEqual(modes["link-secret"], 0o600)

    def test_a_start_follows_no_link(self):
        for name in ("run", "results", "spec", "store", "store/data.mdb", "host.json", "gaur.lock", "link-secret", "running"):
            with self.subTest(name):
                data, other = self.folder / name.replace("/", "-") / "gaur-data", self.folder / f"other-{name.replace('/', '-')}"
                (data / name).parent.mkdir(parents=True)
                (other / "q").mkdir(parents=True)
                (other / "q" / "kept").write_text("precious")
                (data / name).symlink_to(other if "." not in name and "-" not in name else other / "q" / "kept")
                (data.parent / "gaur.toml").write_text(CONFIG)
                started = subprocess.run([str(GAUR), "serve", "--server.listen=127.0.0.1:0"], cwd=data.parent, capture_output=True, text=True, timeout=60)
                self.assertEqual(started.returncode, 1, started.stderr)
                self.assertIn(f"{data / name} is a symbolic link", started.stderr)
                self.assertEqual([path.read_text() for path in other.rglob("*") if path.is_file()], ["precious"])
                self.assertTrue((data / name).is_symlink(), "left for the operator")


if __name__ == "__main__":
    unittest.main()
