#!/usr/bin/env python3
"""House rules as tests: tidy.py [CHECK...] reads the tree and prints every breach as path:line: what.

Checks: includes sizes orphans joined banned todo leaks docs names shell words modules mentions terms tests. The rules are in rules.py.
"""
import os
import re
import subprocess
import sys

import rules
from pages import check_docs, check_mentions, check_modules, check_terms, check_tests, check_words
from tree import Tree, code_only, line_of


def includes_of(text):
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found.group(1) == '"', found.group(2)


def module_of(path):
    found = re.match(r"(?:src|include)/([a-z0-9_]+)/", path)
    return found.group(1) if found else None


def check_includes(tree):
    io_files = set()
    for path, text in tree.cpp():
        module = module_of(path)
        if module is not None and module not in rules.MODULES:
            yield f"{path}:1: the module {module} has no row in tests/tidy/rules.py"
            continue
        for line, ours, target in includes_of(text):
            where = f"{path}:{line}"
            if target.startswith(("boost/asio", "boost/beast")):
                io_files.add(path)
            for begin, allowed, why in rules.FOREIGN:
                if target.startswith(begin) and not any(re.search(a, path) for a in allowed):
                    yield f"{where}: includes {target}: {why}"
            if module is None:
                continue
            to = target.split("/")[0]
            if to in rules.MODULES and "/" in target:
                knows = rules.MODULES[module]
                if knows is not None and to not in (module, "gaur") and to not in knows:
                    yield f"{where}: {module} includes {target}: a module includes only modules below it"
                if not ours:
                    yield f"{where}: our own {target} is included with quotes"
            elif ours and "/" not in target:
                yield f"{where}: includes {target}: write the path from src/, like \"{module}/{target}\""
            if module == "gaur" and "/" in target and to != "gaur" and target not in rules.PUBLIC_FOREIGN:
                yield f"{where}: the public interface shows {target}"
        for used, header in rules.USED:
            found = re.search(used, code_only(text))
            if found and not any(target.startswith(header) for _, _, target in includes_of(text)):
                yield f"{path}:{line_of(text, found.start())}: uses {found.group(0)} and includes no <{header}...>"
        if path.endswith(".hpp") and "#pragma once" not in text:
            yield f"{path}:1: no #pragma once"
    if len(io_files) > rules.IO_FILES_AT_MOST:
        yield f"src:0: {len(io_files)} files include Asio or Beast, at most {rules.IO_FILES_AT_MOST}: {sorted(io_files)}"


def functions_of(text):
    """(first line, lines, head) of every function: bodies found by braces, told from other scopes by their heads.

    Rows of a table (lines that begin with a brace or a designator) are data and do not count."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code_only(text), flags=re.M)
    scopes = []  # (is it a function, start of its head)
    start = 0
    for at in re.finditer(r"[{};]", code):
        mark = at.group(0)
        if mark == "{":
            head = code[start:at.start()]
            inside = any(kind == "function" for kind, _, _ in scopes)
            scope = re.search(r"\b(namespace|class|struct|union|enum)\b[^()]*$|\bextern\b\s*$", head)
            kind = "scope" if scope or "(" not in head else "function"
            begin = start + len(head) - len(head.lstrip())
            scopes.append(("inner" if inside else kind, begin, head.strip()))
            start = at.end()
        elif mark == "}":
            if scopes:
                kind, begin, head = scopes.pop()
                if kind == "function":
                    first = line_of(code, begin)
                    rows = len(re.findall(r"^[ \t]*(?:\{|\.\w)", code[begin:at.start()], flags=re.M))
                    yield first, line_of(code, at.start()) - first + 1 - rows, head
            start = at.end()
        elif code.count("(", start, at.start()) <= code.count(")", start, at.start()):
            start = at.end()


def function_name(head):
    found = re.match(r"TEST(?:_F|_P)?\s*\(\s*(\w+)\s*,\s*(\w+)", head)
    if found:
        return f"{found.group(1)}.{found.group(2)}"
    found = re.search(r"([~\w:]+|operator\s*\S+?)\s*\(", head)
    return found.group(1) if found else head[:40]


def check_sizes(tree):
    for path, text in tree.matching(r"\.(cpp|hpp|py|mjs|js|sh)$|^scripts/[^/.]+$"):
        lines = text.count("\n")
        if lines > rules.FILE_LINES_AT_MOST:
            yield f"{path}:1: {lines} lines, at most {rules.FILE_LINES_AT_MOST}: it holds more than one idea"
    seen = set()
    for path, text in tree.cpp():
        for first, lines, head in functions_of(text):
            key = f"{path} {function_name(head)}"
            allowed = rules.LONG_FUNCTIONS.get(key, rules.FUNCTION_LINES_AT_MOST)
            if lines > rules.FUNCTION_LINES_AT_MOST:
                seen.add(key)
            if lines > allowed:
                yield f"{path}:{first}: {function_name(head)} has {lines} lines, at most {allowed}"
    for key in sorted(set(rules.LONG_FUNCTIONS) - seen):
        yield f"tests/tidy/rules.py:1: LONG_FUNCTIONS names {key}, which is no longer too long: take it out"


def check_orphans(tree):
    lists = {os.path.dirname(p): t for p, t in tree.files.items() if os.path.basename(p) == "CMakeLists.txt"}
    everything = "\n".join(t for p, t in tree.files.items() if p.endswith((".cmake", "CMakeLists.txt")))
    for path, _ in tree.matching(r"\.cpp$"):
        folder, found = os.path.dirname(path), False
        while folder and not found:
            relative = os.path.relpath(path, folder)
            found = re.search(r"(?<![\w/.-])" + re.escape(relative) + r"(?![\w.-])", lists.get(folder, "")) is not None
            folder = os.path.dirname(folder)
        if not found and path not in everything:
            yield f"{path}:1: no CMakeLists.txt lists it: it is never compiled"
    included = {target for _, text in tree.cpp() for _, _, target in includes_of(text)}
    for path, _ in tree.matching(r"^(src|tests|bench)/.*\.hpp$"):
        names = {path, re.sub(r"^(src|include)/", "", path), os.path.basename(path), re.sub(r"^tests/", "", path)}
        if not names & included:
            yield f"{path}:1: no file includes it"


def private_names(text):
    """(line, name) of what a source defines at the top of its anonymous namespaces; a function with its parameters' types."""
    for space in re.finditer(r"^namespace \{$(.*?)^\}  // namespace$", text, flags=re.S | re.M):
        outer = re.findall(r"^namespace ([\w:]+) \{$", text[:space.start()], flags=re.M)[-1:]
        code = code_only(space.group(1))
        for found in re.finditer(r"^(?:class|struct|enum class|enum) (\w+)[^;\n]*\{|^(?:constexpr|const)\b[^=({;]*?\b(\w+)(?:\[\w*\])?\s*[={]"
                                 r"|^[A-Za-z][\w:<>,&*\[\] ]*?\b(\w+)\(([^(){}]*)\)(?: noexcept)? \{", code, flags=re.M):
            kind, constant, function, parameters = found.groups()
            if function:
                types = [re.sub(r"\s*\w+\s*(=.*)?$", "", each.strip()) for each in parameters.split(",")]
                function += "(" + ", ".join(types) + ")"
            line = line_of(text, space.start(1) + found.start())
            names = [kind or constant or function]
            if constant:  # "kSecond = 1, kMinute = 60;" declares two
                statement = code[found.start():code.find(";", found.start())]
                names += re.findall(r",\s*(k[A-Z]\w*)\s*=", statement)
            for name in names:
                yield line, "::".join(outer + [name])


def check_joined(tree):
    """CI and the sanitizer builds compile several sources as one (gaur_join_sources), where a private name may stand once."""
    for path, text in tree.matching(r"CMakeLists\.txt$"):
        for found in re.finditer(r"gaur_(?:library|executable|test_library|test)\(\S+\s+SOURCES([^)]*?)(?:ALONE([^)]*?))?(?:\b(?:PUBLIC|PRIVATE|LINK)\b[^)]*)?\)", text):
            alone = (found.group(2) or "").split()
            sources = [source for source in found.group(1).split() if source not in alone and source.endswith(".cpp")]
            for at in range(0, len(sources), rules.JOINED):
                seen = {}
                for source in sources[at:at + rules.JOINED]:
                    file = os.path.join(os.path.dirname(path), source)
                    for line, name in private_names(tree.files.get(file, "")):
                        first = seen.setdefault(name, file)
                        if first != file:
                            yield f"{file}:{line}: {name} is in {first} too: share it, or list one of the files as ALONE in {path}"


def check_banned(tree):
    for path, text in tree.cpp():
        code = code_only(text)
        for pattern, allowed, why in rules.BANNED:
            if any(re.search(a, path) for a in allowed):
                continue
            for found in re.finditer(pattern, code):
                before = code[max(0, found.start() - 2):found.start()]
                if before.endswith((".", "->")):  # a member of somebody's own
                    continue
                yield f"{path}:{line_of(code, found.start())}: {found.group(0).strip()}: {why}"


def check_todo(tree):
    for path, text in tree.files.items():
        if path.startswith("tests/tidy/") or not re.search(r"\.(cpp|hpp|py|mjs|js|cmake|sh|sql|toml)$|^scripts/|CMakeLists", path):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for word in re.findall(r"\b(TODO|FIXME|XXX|HACK)\b(?!\w)", line):
                if word != "TODO":
                    yield f"{path}:{number}: {word}: write TODO(soon|perf|security): what"
                elif not re.search(rules.TODO_FORM, line):
                    yield f"{path}:{number}: write TODO(soon|perf|security): what"
                elif "TODO(now)" in line:
                    yield f"{path}:{number}: TODO(now) is to be done now"
            if path.endswith((".cpp", ".hpp")) and "///<" in line:
                yield f"{path}:{number}: write the doc comment above the member"


def check_leaks(tree):
    for path, text in tree.files.items():
        for pattern, why in rules.LEAKS:
            for found in re.finditer(pattern, text):
                yield f"{path}:{line_of(text, found.start())}: {found.group(0)}: {why}"


def types_of(text):
    """(name, line) of the types that C++ defines in a namespace."""
    for found in re.finditer(r"^(?:class|struct|enum class)\s+(?:\[\[\w+\]\]\s+)?([A-Z]\w*)(?:\s+final)?(?:\s*:[^:;][^;{]*)?\s*\{"
                             r"|^using\s+([A-Z]\w*)\s*=", code_only(text), flags=re.M):
        yield found.group(1) or found.group(2), line_of(text, found.start())


def check_names(tree):
    """A type of the public headers shares its name with no other type of a header."""
    public = {name: path for path, text in tree.matching(r"^include/.*\.hpp$") for name, _ in types_of(text)}
    for path, text in tree.matching(r"^src/.*\.hpp$"):
        for name, line in types_of(text):
            if name in public and name not in rules.SHARED_NAMES:
                yield f"{path}:{line}: {name} is also a type of {public[name]}"


def check_shell(tree):
    for path, text in tree.files.items():
        if re.match(r"#!.*\b(bash|sh)\b", text):
            shell = "bash" if "bash" in text.split("\n", 1)[0] else "sh"
            done = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                yield f"{path}:1: {done.stderr.strip()}"


CHECKS = {"includes": check_includes, "sizes": check_sizes, "orphans": check_orphans, "joined": check_joined,
          "banned": check_banned, "todo": check_todo, "leaks": check_leaks, "docs": check_docs, "names": check_names,
          "shell": check_shell,
          "words": check_words, "modules": check_modules, "mentions": check_mentions,
          "terms": check_terms, "tests": check_tests}


def main(names):
    tree = Tree.read(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    problems = [problem for name in names or CHECKS for problem in CHECKS[name](tree)]
    for problem in problems:
        print(problem)
    print(f"{len(tree.files)} files, {len(problems)} breaches")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
