"""docs/migrating.md and docs/look.md hold what they promise: their commands exist, and no decorator is forgotten."""

import re
import subprocess
import unittest

from harness import GAUR, ROOT

PAGES = ["docs/migrating.md", "docs/look.md"]
# What @nestjs/bull 12 exports as decorators; held against the package itself where tests/interop has it installed.
EVENTS = ["Error", "Waiting", "Active", "Stalled", "Progress", "Completed", "Failed", "Paused", "Resumed", "Cleaned", "Drained", "Removed"]
DECORATORS = sorted(["InjectQueue", "Process", "Processor", "OnQueueEvent", *("OnQueue" + e for e in EVENTS), *("OnGlobalQueue" + e for e in EVENTS)])
PACKAGE = ROOT / "tests/interop/node_modules/@nestjs/bull/dist/decorators"


def commands():
    """Every `gaur ...` line of a code block, and every one in the text, as (page, words)."""
    for page in PAGES:
        text = (ROOT / page).read_text()
        blocks = re.findall(r"^```\n(.*?)^```", text, flags=re.S | re.M)
        lines = [line for block in blocks for line in block.splitlines()]
        lines += re.findall(r"`(gaur [^`\n]*)`", text)
        for line in lines:
            if line.startswith("gaur "):
                yield page, line.split()


class DocsTest(unittest.TestCase):
    def help_of(self, subcommand):
        return subprocess.run([str(GAUR), subcommand, "--help"], capture_output=True, text=True, check=False).stdout

    def test_every_command_and_each_of_its_options_is_real(self):
        known = subprocess.run([str(GAUR), "--help"], capture_output=True, text=True, check=True).stdout
        found = list(commands())
        self.assertGreater(len(found), 20, "the pages quote no commands")
        helps = {}
        for page, words in found:
            with self.subTest(page=page, command=" ".join(words)):
                self.assertRegex(known, rf"(?m)^  {re.escape(words[1])}\s", f"there is no subcommand {words[1]}")
                text = helps.setdefault(words[1], self.help_of(words[1]))
                for option in (word for word in words[2:] if word.startswith("--") and word != "--"):
                    self.assertRegex(text, rf"(?<![\w-]){re.escape(option.split('=')[0])}(?![\w-])", f"gaur {words[1]} takes no {option}")

    def test_every_key_of_the_configuration_is_real(self):
        keys = set()
        section = ""
        for line in (ROOT / "docs/configuration.md").read_text().splitlines():
            if heading := re.match(r"### `\[([\w.*]+)", line):
                section = heading.group(1).split(".")[0]
            if row := re.match(r"\| `([\w.]+)` \|", line):
                keys.add(f"{section}.{row.group(1)}")
        self.assertIn("store.url", keys, "the tables of docs/configuration.md were not understood")
        for page in PAGES:
            text = (ROOT / page).read_text()
            quoted = set(re.findall(r"`((?:server|store|machine|worker|results|queues|pools|functions)\.[\w.]+)", text))
            self.assertGreater(len(quoted) + (page == "docs/look.md"), 0)
            for key in (k for k in quoted if "." in k.partition(".")[2] or k.partition(".")[0] not in ("queues", "pools", "functions")):
                first, _, rest = key.partition(".")
                plain = f"{first}.{rest.partition('.')[2]}" if first in ("queues", "pools", "functions") else key
                with self.subTest(page=page, key=key):
                    self.assertIn(plain, keys)

    def test_every_decorator_has_its_place(self):
        text = (ROOT / "docs/migrating.md").read_text()
        table = text[text.index("<!-- decorators"):text.index("<!-- end of decorators")]
        cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `@")]
        for decorator in DECORATORS:
            rows = [cell for cell in cells if re.search(rf"`@{decorator}\(", cell)]
            self.assertEqual(len(rows), 2 if decorator == "Process" else 1, decorator)
        for named in re.findall(r"`@(\w+)\(", " ".join(cells)):
            self.assertIn(named, DECORATORS)

    @unittest.skipUnless(PACKAGE.is_dir(), "@nestjs/bull is not installed below tests/interop")
    def test_the_list_of_decorators_is_the_packages(self):
        exported = set()
        for file in PACKAGE.glob("*.decorator*.d.ts"):
            exported |= set(re.findall(r"export declare (?:const|function) (\w+)", file.read_text()))
        self.assertEqual(sorted(exported), DECORATORS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
