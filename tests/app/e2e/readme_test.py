"""Runs the examples of README.md as printed there. Only addresses and the data folder differ."""

import json
import os
import re
import subprocess
import tempfile
import unittest

from bull import RedisServer
from harness import ROOT, Server

PAGE = (ROOT / "README.md").read_text()
BULL = ROOT / "tests/interop/node_modules"


def block(kind, after):
    """The first code block of this language after a marker in the page."""
    return re.search(rf"(?ms)^```{kind}\n(.*?)^```", PAGE[PAGE.index(after):]).group(1)


class ReadmeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gaur-readme-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def serve(self, config, subcommand):
        server = Server(self.folder, config)
        command = server.command()
        server.command = lambda *flags: [command[0], subcommand, *command[2:], *flags]
        self.addCleanup(server.stop)
        return server.start()

    def test_the_embedded_example(self):
        server = self.serve(block("toml", "<!-- example: embedded -->"), "serve")
        call = block("sh", "<!-- example: embedded -->").splitlines()[-1]
        self.assertIn("localhost:8378", call)
        printed = subprocess.run(["sh", "-c", call.replace("localhost:8378", f"localhost:{server.port}")],
                                 capture_output=True, text=True, check=True, timeout=60).stdout
        self.assertIn(block("json", "<!-- example: embedded -->").strip(), printed)
        self.assertEqual(json.loads(printed)["state"], "completed")

    @unittest.skipUnless((BULL / "bull").is_dir(), "bull is not installed below tests/interop")
    def test_the_redis_example(self):
        redis = RedisServer()
        self.addCleanup(redis.stop)
        at = f"redis://127.0.0.1:{redis.port}"
        store = block("toml", "<!-- example: redis -->").replace("redis://127.0.0.1:6379", at)
        functions = re.sub(r"(?s)^\[store\].*?\n\n", "", block("toml", "<!-- example: embedded -->"))
        self.serve(store + "\n" + functions, "work")
        producer = block("js", "<!-- example: redis -->")
        self.assertIn("redis://127.0.0.1:6379", producer)
        printed = subprocess.run(["node", "-e", producer.replace("redis://127.0.0.1:6379", at)], capture_output=True, text=True,
                                 check=True, timeout=60, env={**os.environ, "NODE_PATH": str(BULL)}).stdout
        self.assertEqual(printed, block("json", "<!-- example: redis -->"))

    def test_the_picture_shows_its_measured_run(self):
        drawn = f"{self.folder}/burst.svg"
        subprocess.run(["node", str(ROOT / "examples/rank/demo/timeline.mjs"), str(ROOT / "docs/images/burst.json"), drawn],
                       check=True, timeout=60)
        with open(drawn, encoding="utf-8") as file:
            self.assertEqual(file.read(), (ROOT / "docs/images/burst.svg").read_text(), "regenerate it with the command in README.md")


if __name__ == "__main__":
    unittest.main(verbosity=2)
