"""What a runner prints fills the log only up to its limits, and a last line counts the rest."""

import re
import unittest

from harness import TESTBED, EndToEnd, until

CONFIG = f"""
[queues.q]
{TESTBED}
max_output = "1MB"
[functions.print]
pool = "testbed"
"""


class OutputTest(EndToEnd):
    def dropped(self, server):
        found = re.findall(r"runner output dropped.* lines=(\d+) bytes=(\d+)", server.log())
        return sum(int(lines) for lines, _ in found), sum(int(bytes_) for _, bytes_ in found)

    def test_a_run_that_prints_20_mb_fills_1_mb_of_the_log(self):
        server = self.server(CONFIG).start()
        lines, size = 200_000, 100
        self.assertEqual(server.finished("q", server.add("print", {"lines": lines, "bytes": size}))["state"], "completed")
        server.finished("q", server.add("print", {"lines": 1, "bytes": size}))  # its begin reports the rest
        until(lambda: sum(self.dropped(server)) > 0, what="the line that counts what was dropped")
        logged = server.log().count("line=xxx")
        until(lambda: server.log().count("line=xxx") + self.dropped(server)[0] == lines + 1, what="all lines logged or counted")
        self.assertLess(len(server.log()), 1_200_000)
        self.assertGreater(logged, 1_000_000 / (size + 100) * 0.9, "up to the limit everything is logged")
        self.assertEqual(self.dropped(server)[1], self.dropped(server)[0] * size)

    def test_the_rate_is_limited_as_well(self):
        server = self.server(CONFIG.replace('max_output = "1MB"', 'max_output_rate = "100KB"')).start()
        for _ in range(5):
            server.finished("q", server.add("print", {"lines": 5_000, "bytes": 100}))
        until(lambda: server.log().count("line=xxx") + self.dropped(server)[0] >= 25_000 - 5_000, what="lines logged or counted")
        self.assertLess(server.log().count("line=xxx"), 5_000, "less than 10 s of 500 lines each")


if __name__ == "__main__":
    unittest.main()
