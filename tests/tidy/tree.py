"""The files that the checks read."""
import os
import re
import subprocess
from functools import lru_cache

SKIPPED = ("build/", ".deps/", ".git/", "node_modules/")


class Tree:
    """The project's files: path -> text. A test gives a dict of its own."""

    def __init__(self, files):
        self.files = files

    @classmethod
    def read(cls, root):
        listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"],
                                capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            paths = listed.stdout.splitlines()
        else:  # an unpacked archive
            paths = [os.path.relpath(os.path.join(folder, name), root)
                     for folder, _, names in os.walk(root) for name in names]
        files = {}
        for path in paths:
            full = os.path.join(root, path)
            if any(part in path for part in SKIPPED) or not os.path.isfile(full):
                continue
            with open(full, "rb") as file:
                data = file.read()
            if b"\0" not in data:
                files[path] = data.decode("utf-8", "replace")
        return cls(files)

    def matching(self, pattern):
        return sorted((p, t) for p, t in self.files.items() if re.search(pattern, p))

    def cpp(self):
        return self.matching(r"^(src|include|tests|bench|examples|cmake)/.*\.[ch]pp$")


@lru_cache(maxsize=None)
def code_only(text):
    """C++ with comments and literals blanked, every character and line in its place."""
    pattern = r"""//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![\w])'(?:\\.|[^'\\\n])+'"""
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)


def line_of(text, at):
    return text.count("\n", 0, at) + 1
