"""Checks of pages, names and words: docs, mentions, terms, tests, words, modules."""
import os
import re
from functools import lru_cache

import rules
from tree import line_of


def anchors_of(text):
    """What GitHub makes of the headings."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    for heading in re.findall(r"^#+\s+(.*?)\s*#*$", text, flags=re.M):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
        yield re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def check_docs(tree):
    folders = {os.path.dirname(p) for p in tree.files}
    folders |= {parent for f in folders for parent in (os.path.dirname(f), os.path.dirname(os.path.dirname(f)))}
    for path, text in tree.matching(r"\.md$"):
        if not re.match(r"\s*# \S", text):
            yield f"{path}:1: a page begins with its title"
        if len(re.findall(r"^```", text, flags=re.M)) % 2:
            yield f"{path}:1: a code block is not closed"
        blank = lambda m: re.sub(r"[^\n]", " ", m.group(0))
        prose = re.sub(r"`[^`\n]*`", blank, re.sub(r"^```.*?^```", blank, text, flags=re.S | re.M))
        for found in re.finditer(r"\]\(([^)\s]+)\)", prose):
            target = found.group(1)
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            to = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            where = f"{path}:{line_of(prose, found.start())}"
            if to not in tree.files and to.rstrip("/") not in folders:
                yield f"{where}: the link {target} leads nowhere"
            elif anchor and to in tree.files and anchor not in set(anchors_of(tree.files[to])):
                yield f"{where}: {to} has no heading #{anchor}"


def check_mentions(tree):
    """Pages and files that ARCHITECTURE.md, comments and messages name as plain text exist."""
    for path, text in tree.matching(r"\.(cpp|hpp|md|py|m?js|ts|toml|lua|service|conf)$|^scripts/[^/.]+$"):
        if path.startswith("tests/tidy/") or path == "CHANGELOG.md":
            continue
        for found in re.finditer(r"(?<![\w./-])docs/[\w/-]+\.md\b", text):
            if found.group(0) not in tree.files:
                yield f"{path}:{line_of(text, found.start())}: there is no page {found.group(0)}"
    text = tree.files.get("ARCHITECTURE.md", "")
    for found in re.finditer(r"`((?:src|include|tests|packages)/[\w/.-]+|[a-z_]+\.(?:cpp|hpp))`", text):
        name = found.group(1).rstrip("/")
        if name in tree.files or any(p.startswith(name + "/") for p in tree.files):
            continue
        if "/" in name or not any(p.startswith("src/") and p.endswith("/" + name) for p in tree.files):
            yield f"ARCHITECTURE.md:{line_of(text, found.start())}: there is no {name}"


def check_terms(tree):
    """Types and members that ARCHITECTURE.md and the glossary name are in the code."""
    code = "\n".join(text for path, text in tree.files.items() if re.match(r"(src|include)/.*\.[ch]pp$", path))
    known = set(re.findall(r"\w+", code))
    for path in ("ARCHITECTURE.md", "docs/glossary.md"):
        text = tree.files.get(path, "")
        for found in re.finditer(r"`((?:[A-Z][a-z]+){2,}|k[A-Z]\w+|[A-Z]\w+::\w+)`", text):
            for name in found.group(1).split("::"):
                if name not in known:
                    yield f"{path}:{line_of(text, found.start())}: the code has no {name}"


def names_of_tests(tree):
    """The names of all ctest entries and, as Suite.Name, of all GoogleTest cases."""
    names = set()
    for path, text in tree.matching(r"^tests/.*CMakeLists\.txt$"):
        names |= set(re.findall(r"(?:gaur_test\(|add_test\(NAME )(\w+)", text))
        names |= {name + "_e2e" for name in re.findall(r"gaur_e2e\((\w+)", text)}
        names |= {"fuzz_" + name + "_test" for name in re.findall(r"gaur_fuzz\(targets/(\w+)", text)}
    names |= {"interop_" + found[1] for path in tree.files if (found := re.match(r"tests/interop/(\w+)\.test\.mjs$", path))}
    for path, text in tree.matching(r"^(tests|src/conformance)/.*\.cpp$"):
        names |= {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)", text, flags=re.M)}
    return names


def check_tests(tree):
    """Tests that docs/explanation/ names exist: `name_test`, `name_e2e`, `interop_name`, `Suite.Name`."""
    known = None
    for path, text in tree.matching(r"^docs/explanation/.*\.md$"):
        for found in re.finditer(r"`(\w+_(?:test|e2e)|interop_\w+|[A-Z]\w*\.[A-Za-z]\w*)`", text):
            known = known or names_of_tests(tree)
            if found[1] not in known:
                yield f"{path}:{line_of(text, found.start())}: there is no test {found[1]}"


@lru_cache(maxsize=None)
def word_patterns():
    return [(re.compile(r"(?<![a-z])(?:" + pattern.replace(" ", r"[\s/#*_]+") + r")(?![a-z])", re.I), instead)
            for pattern, instead in rules.WORDS]


def replaced_words(path, text):
    """(line, word, what to write instead) of every replaced word, also as a part of an identifier."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=k)(?=[A-Z])", "\0", text).replace("\0", "_")
    for pattern, instead in word_patterns():
        for found in pattern.finditer(apart):
            yield line_of(apart, found.start()), re.sub(r"\s+", " ", found.group(0)), instead


def check_words(tree):
    for path, text in tree.matching(rules.WORD_FILES):
        if re.search(rules.WORDS_QUOTED, path):
            continue
        for line, word, instead in replaced_words(path, text):
            if (path, word) in rules.WORDS_OF_OLD_FORMATS:
                continue
            yield f"{path}:{line}: \"{word}\" was replaced: write {instead} (docs/glossary.md)"


def rows_of_architecture(text):
    """{module: what it may include} in the order of the table of ARCHITECTURE.md."""
    rows = {}
    for folder, last in re.findall(r"^\| `(?:src|include)/(\w+)/` \|.*\| ([^|]*) \|$", text, flags=re.M):
        rows[folder] = None if last == "all" else [] if last == "-" else [name.strip() for name in last.split(",")]
    return rows


def libraries_of(tree):
    """(CMakeLists.txt, module, library, the libraries of ours that it links) of every gaur_library() in src/."""
    for path, text in tree.matching(r"^src/\w+/CMakeLists\.txt$"):
        for name, rest in re.findall(r"^\s*gaur_(?:test_)?library\((\w+)([^)]*)\)", text, flags=re.M):
            yield path, path.split("/")[1], "gaur_" + name, re.findall(r"\bgaur_\w+", rest)


def check_modules(tree):
    """ARCHITECTURE.md, rules.py and CMake name the same modules in the same order, and libraries link downwards."""
    page = rows_of_architecture(tree.files.get("ARCHITECTURE.md", ""))
    order = list(rules.MODULES)
    if list(page) != order:
        yield f"ARCHITECTURE.md:1: its table lists {' '.join(page)}; tests/tidy/rules.py lists {' '.join(order)}"
    for module, may in rules.MODULES.items():
        if module in page and page[module] != may:
            yield f"ARCHITECTURE.md:1: {module} may include {page[module]}; tests/tidy/rules.py says {may}"
        for other in may or []:
            if other in order and order.index(other) > order.index(module):
                yield f"tests/tidy/rules.py:1: {module} includes {other}, which is listed below it"
    found = re.search(r"set\(GAUR_FOLDERS ([^)]*)\)", tree.files.get("CMakeLists.txt", ""))
    folders = found.group(1).split() if found else []
    if ["gaur", *folders] != order:
        yield f"CMakeLists.txt:1: GAUR_FOLDERS lists {' '.join(folders)}; tests/tidy/rules.py lists {' '.join(order[1:])}"
    libraries = {library: module for _, module, library, _ in libraries_of(tree)}
    for path, module, library, links in libraries_of(tree):
        if module not in order:
            yield f"{path}:1: the module {module} has no row in tests/tidy/rules.py"
            continue
        if library != "gaur_" + module and rules.MODULES[module] is not None:
            yield f"{path}:1: {library} is not named after its module {module}"
        for other in links:
            to = libraries.get(other)
            if to in order and order.index(to) > order.index(module):
                yield f"{path}:1: {library} links {other}, which is above it"
    for module in set(order) - {"gaur"} - set(libraries.values()):
        yield f"src/{module}/CMakeLists.txt:1: no gaur_library() of the module {module}"
