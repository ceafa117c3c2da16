"""Result files near and at results.max_size: a warning, then rejected results; no file is removed before it expires."""

import subprocess
import unittest

from harness import GAUR, TESTBED, EndToEnd, until

CONFIG = f"""
[results]
max_size = "10KB"
[machine]
spill = "1GB"
[queues.q]
{TESTBED}
[functions.file]
pool = "testbed"
"""


class DiskBoundsTest(EndToEnd):
    def test_result_files_stay_below_max_size(self):
        server = self.server(CONFIG).start()
        host = server.host()
        self.assertEqual((host["results_max_bytes"], host["spill_max_bytes"]), (10_000, 1_000_000_000))
        first = server.add("file", {"rows": 2100})  # 8400 bytes
        self.assertEqual(server.finished("q", first)["state"], "completed")
        second = server.finished("q", server.add("file", {"rows": 2100}))
        self.assertEqual(second["state"], "failed")
        self.assertEqual(second["failure"]["code"], "results_full", second)
        self.assertIn("results.max_size", second["failure"]["message"])
        self.assertEqual(server.get(f"/v1/queues/q/jobs/{first}/result").text, "a,b\n" * 2100, "the first file is kept")
        small = server.finished("q", server.add("file", {"rows": 100}))
        self.assertEqual(small["state"], "completed", "a file that fits is stored")

        warned = until(lambda: [w for w in server.host()["warnings"] if "results.max_size" in w], what="the warning")
        self.assertIn("result files use", warned[0])
        self.assertGreater(server.host()["disk_free_bytes"], 0)
        until(lambda: "results.max_size" in server.log(), what="the warning in the log")
        self.assertIn("gaur_results_max_bytes 10000\n", server.get("/metrics").text)
        checked = subprocess.run([str(GAUR), "check"], cwd=server.folder, capture_output=True, text=True)
        self.assertIn("warning: result files use", checked.stdout)

        self.assertEqual(server.request("DELETE", f"/v1/queues/q/jobs/{first}").status, 204)
        again = until(lambda: self.completed(server), what="space after the job was removed")
        self.assertEqual(again["state"], "completed")

    @staticmethod
    def completed(server):
        job = server.finished("q", server.add("file", {"rows": 2100}))
        return job if job["state"] == "completed" else None


if __name__ == "__main__":
    unittest.main(verbosity=2)
