"""Every command, option and configuration key that the pages name exists, and the migration page covers every decorator."""

import re
import subprocess
import tomllib
import unittest

from harness import GAUR, ROOT

PAGES = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")) + ["README.md"]
KEY_PAGES = [page for page in PAGES if page != "docs/reference/disk-format.md"]
SECTIONS = ["server", "store", "machine", "worker", "results", "queues", "runners", "pools", "functions", "tokens"]
NAMED = ("queues", "pools", "functions", "tokens")  # tables whose keys the user names
# The decorators of @nestjs/bull 12. A test compares them with the package if tests/interop has it installed.
EVENTS = ["Error", "Waiting", "Active", "Stalled", "Progress", "Completed", "Failed", "Paused", "Resumed", "Cleaned", "Drained", "Removed"]
DECORATORS = sorted(["InjectQueue", "Process", "Processor", "OnQueueEvent", *("OnQueue" + e for e in EVENTS), *("OnGlobalQueue" + e for e in EVENTS)])
PACKAGE = ROOT / "tests/interop/node_modules/@nestjs/bull/dist/decorators"


def commands():
    """(page, words) of every `gaur ...` command in a code block or in the text."""
    for page in PAGES:
        text = (ROOT / page).read_text()
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.S | re.M)
        lines = [line.removesuffix(" &") for kind, block in blocks if kind in ("", "sh") for line in block.splitlines()]
        lines += re.findall(r"`(gaur [^`\n]*)`", text)
        for line in lines:
            if line.startswith("gaur ") and line != "gaur keeper":  # Gaur itself starts it
                yield page, line.split()


class DocsTest(unittest.TestCase):
    def help_of(self, subcommand):
        return subprocess.run([str(GAUR), subcommand, "--help"], capture_output=True, text=True, check=False).stdout

    def test_every_command_and_option_of_the_pages_exists(self):
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

    def known_keys(self):
        """The keys in the tables of docs/reference/configuration.md, such as "functions.*.timeout". config_test compares them with the schema."""
        keys, section = set(), ""
        for line in (ROOT / "docs/reference/configuration.md").read_text().splitlines():
            if heading := re.match(r"### `\[([\w.*A-Z]+)", line):
                section = heading.group(1).replace("NAME", "*")
            if row := re.match(r"\| `([\w.]+)` \|", line):
                keys.add(f"{section}.{row.group(1)}")
        self.assertIn("store.url", keys, "cannot parse the tables of docs/reference/configuration.md")
        self.assertIn("functions.*.needs.memory", keys)
        return keys

    def is_known(self, path, keys):
        """Whether a path names a key, a table of keys, or an entry of a free-form table."""
        parts = [*path]
        if parts[0] in NAMED and len(parts) > 1:
            parts[1] = "*"
        plain = ".".join(parts)
        free = ("functions.*.params", "pools.*.duckdb.settings", "pools.*.env")
        return plain in keys or any(key.startswith(plain + ".") for key in keys) or any(plain.startswith(key + ".") for key in free) or parts == [parts[0], "*"]

    def test_every_key_that_a_page_names_exists(self):
        keys, found = self.known_keys(), 0
        names = {path[1] for page in KEY_PAGES for path in self.examples(page) if path[0] in NAMED} | {"*"}
        sections = "|".join(SECTIONS)
        for page in KEY_PAGES:
            text = (ROOT / page).read_text()
            quoted = set(re.findall(rf"`(?:--)?((?:{sections})\.[\w.*\"-]+)", text))
            for key in quoted:
                path = re.findall(r'"[^"]*"|[^.]+', key.rstrip("."))
                if not path[-1].islower() and path[-1] != "*":
                    continue  # functions.NAME
                found += 1
                forms = [path]
                if path[0] in NAMED:  # text may omit the name: "functions.timeout"
                    forms = [[path[0], "*", *path[1:]]] + ([path] if len(path) > 2 or path[1] in names else [])
                with self.subTest(page=page, key=key):
                    self.assertTrue(any(self.is_known(form, keys) for form in forms), "there is no such key")
            for name in set(re.findall(rf"GAUR_((?:{sections.upper()})_\w+)", text)):
                candidates = {re.sub(r"[^A-Z0-9]", "_", key.upper()) for key in keys}
                pattern = [re.compile(c.replace("___", "_[A-Z0-9_]+_") + "$") for c in candidates]
                with self.subTest(page=page, variable=name):
                    self.assertTrue(any(p.match(name) for p in pattern), "there is no such variable")
        self.assertGreater(found, 40, "the pages quote no keys")

    def test_every_key_of_an_example_configuration_exists(self):
        keys, found = self.known_keys(), 0
        for page in KEY_PAGES:
            for path in self.examples(page):
                found += 1
                with self.subTest(page=page, key=".".join(path)):
                    self.assertIn(path[0], SECTIONS)
                    self.assertTrue(self.is_known(path, keys), "there is no such key")
        self.assertGreater(found, 40, "the pages have no examples")

    def examples(self, page):
        for block in re.findall(r"(?ms)^```toml\n(.*?)^```", (ROOT / page).read_text()):
            yield from self.paths_of(tomllib.loads(block))

    def paths_of(self, table, before=()):
        for name, value in table.items():
            if isinstance(value, dict) and value:
                yield from self.paths_of(value, (*before, name))
            else:
                yield (*before, name)

    def test_the_migration_page_has_a_row_for_every_decorator(self):
        text = (ROOT / "docs/how-to/migrating.md").read_text()
        table = text[text.index("<!-- decorators"):text.index("<!-- end of decorators")]
        cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `@")]
        for decorator in DECORATORS:
            rows = [cell for cell in cells if re.search(rf"`@{decorator}\(", cell)]
            self.assertEqual(len(rows), 2 if decorator == "Process" else 1, decorator)
        for named in re.findall(r"`@(\w+)\(", " ".join(cells)):
            self.assertIn(named, DECORATORS)

    @unittest.skipUnless(PACKAGE.is_dir(), "@nestjs/bull is not installed below tests/interop")
    def test_the_list_of_decorators_matches_the_package(self):
        exported = set()
        for file in PACKAGE.glob("*.decorator*.d.ts"):
            exported |= set(re.findall(r"export declare (?:const|function) (\w+)", file.read_text()))
        self.assertEqual(sorted(exported), DECORATORS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
