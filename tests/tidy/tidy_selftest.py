#!/usr/bin/env python3
"""Plants a breach of every house rule in a small tree of its own and expects tidy.py to find it, and only it."""
import unittest

import rules
import tidy

CLEAN = {
    "src/base/clock.hpp": "#pragma once\n#include <chrono>\n",
    "src/base/clock.cpp": '#include "base/clock.hpp"\nauto f() { return std::chrono::steady_clock::now(); }\n',
    "src/base/CMakeLists.txt": "gaur_library(base SOURCES clock.cpp)\n",
    "src/core/job.cpp": '#include "base/clock.hpp"\n#include "gaur/job.hpp"\n',
    "src/core/CMakeLists.txt": "gaur_library(core SOURCES job.cpp)\n",
    "include/gaur/job.hpp": "#pragma once\n#include <string>\n#include <tl/expected.hpp>\n",
    "README.md": "# Gaur\n\nSee [the clock](src/base/clock.hpp) and [below](#a-part).\n\n## A part\n",
    "scripts/build": "#!/bin/bash\necho ok\n",
}


class Planted(unittest.TestCase):
    def found(self, check, **files):
        """The breaches of one check in the clean tree with these files put in ('__' stands for '/', '_dot_' for '.')."""
        return self.found_in(check, {k.replace("__", "/").replace("_dot_", "."): v for k, v in files.items()})

    def found_in(self, check, files):
        return list(tidy.CHECKS[check](tidy.Tree({**CLEAN, **files})))

    def expect(self, check, files, *texts):
        problems = self.found_in(check, files)
        self.assertEqual(len(problems), len(texts), problems)
        for problem, text in zip(problems, texts):
            self.assertIn(text, problem)

    def test_the_clean_tree_is_clean(self):
        for check in set(tidy.CHECKS) - {"modules"}:  # test_modules has a tree of its own
            self.assertEqual(self.found_in(check, {}), [], check)

    def test_arrows_up_and_sideways(self):
        self.expect("includes", {"src/base/a.cpp": '#include "core/job.hpp"\n'}, "src/base/a.cpp:1: base includes core/job.hpp")
        self.expect("includes", {"src/worker/a.cpp": '\n#include "embedded/store.hpp"\n'}, "worker/a.cpp:2: worker includes")
        self.expect("includes", {"src/http/a.cpp": '#include "core/store.hpp"\n'}, "http includes core/store.hpp")
        self.expect("includes", {"include/gaur/a.hpp": '#pragma once\n#include "base/json.hpp"\n'},
                    "gaur includes base/json.hpp", "the public interface shows base/json.hpp")
        self.expect("includes", {"src/app/a.cpp": '#include "embedded/store.hpp"\n#include "worker/worker.hpp"\n'})
        self.expect("includes", {"src/new_module/a.cpp": "\n"}, "new_module has no row")
        self.expect("includes", {"src/redis_store/a.cpp": '#include "bull/keys.hpp"\n'}, "redis_store includes bull/keys.hpp")

    def test_foreign_headers(self):
        for header, path in [("duckdb.h", "src/runner/a.cpp"), ("lmdb.h", "src/app/a.cpp"), ("spdlog/spdlog.h", "src/core/a.cpp"),
                             ("boost/asio/io_context.hpp", "src/http/server.cpp"), ("boost/json.hpp", "src/duckdb/a.cpp"),
                             ("toml++/toml.h", "src/core/a.cpp"), ("gtest/gtest.h", "src/core/a.cpp")]:
            self.expect("includes", {path: f"#include <{header}>\n"}, f"includes {header}")
        self.expect("includes", {"src/http/server_io.cpp": "#include <boost/asio/io_context.hpp>\n"})
        self.expect("includes", {"include/gaur/a.hpp": "#pragma once\n#include <fmt/format.h>\n"}, "the public interface shows fmt")

    def test_names(self):
        public = {"include/gaur/job.hpp": "#pragma once\nstruct Job {\n};\nclass Client;\n"}
        self.expect("names", {**public, "src/http/a.hpp": "\nstruct Job final : Base {\n};\n"}, "a.hpp:2: Job is also a type of include/gaur/job.hpp")
        self.expect("names", {**public, "src/http/a.hpp": "struct Job;\n// struct Job {\nclass Client {\n};\n"})

    def test_too_many_io_files(self):
        files = {f"src/http/a{i}_io.cpp": "#include <boost/beast.hpp>\n" for i in range(rules.IO_FILES_AT_MOST + 1)}
        self.expect("includes", files, "files include Asio or Beast")

    def test_include_form(self):
        self.expect("includes", {"src/core/a.cpp": '#include "job.hpp"\n'}, "write the path from src/")
        self.expect("includes", {"src/core/a.cpp": "#include <base/clock.hpp>\n"}, "included with quotes")
        self.expect("includes", {"src/core/a.hpp": "int x;\n"}, "no #pragma once")
        self.expect("includes", {"src/core/a.cpp": "\nauto s = fmt::format(x);\n"}, "a.cpp:2: uses fmt::format")

    def test_long_files_and_functions(self):
        self.expect("sizes", {"src/core/a.cpp": "\n" * 501}, "501 lines, at most 500")
        body = "  call();\n" * 69
        self.expect("sizes", {"src/core/a.cpp": "namespace gaur {\nvoid A::f(int a,\n         int b) const {\n" + body + "}\n}\n"},
                    "src/core/a.cpp:2: A::f has 72 lines, at most 70")
        self.expect("sizes", {"src/core/a.cpp": "void f() {\n" + body[:10 * 68] + "}\nvoid g() {\n" + body[:10 * 68] + "}\n"})
        inner = "void f() {\n  run([&] {\n" + "    if (a) { b(\"}\"); }  // }\n" * 70 + "  });\n}\n"
        self.expect("sizes", {"src/core/a.cpp": inner}, "f has 74 lines")
        self.expect("sizes", {"tests/core/a.cpp": "TEST(Store, Keeps) {\n" + body + "  a();\n}\n"}, "Store.Keeps has 72 lines")
        rows = "std::vector<Row> rows() {\n  return {\n" + "      {.what = 1,\n       .end = f(2)},\n" * 90 + "  };\n}\n"
        self.expect("sizes", {"src/core/a.cpp": rows})
        table = "const Row kTable[] = {\n" + "  {1, 2},\n" * 90 + "};\n"
        self.expect("sizes", {"src/core/a.cpp": table})
        self.expect("sizes", {"src/core/a.hpp": "class A {\n" + "  void f(int a);\n" * 100 + "};\n"})

    def test_the_ratchet_is_taken_out_when_it_is_not_needed(self):
        rules.LONG_FUNCTIONS["src/core/gone.cpp f"] = 90
        try:
            self.expect("sizes", {}, "no longer too long")
        finally:
            rules.LONG_FUNCTIONS.clear()

    def test_orphans(self):
        self.expect("orphans", {"src/core/lost.cpp": ""}, "src/core/lost.cpp:1: no CMakeLists.txt")
        self.expect("orphans", {"src/core/io/deep.cpp": "", "src/core/CMakeLists.txt": "x(job.cpp io/deep.cpp)"})
        self.expect("orphans", {"src/core/CMakeLists.txt": "x(my_job.cpp)"}, "src/core/job.cpp:1")
        self.expect("orphans", {"src/core/lost.hpp": "#pragma once\n"}, "no file includes it")

    def test_private_names_of_joined_sources(self):
        one = "namespace gaur {\nnamespace {\n\n%s\n\n}  // namespace\n}  // namespace gaur\n"
        lists = {"src/core/CMakeLists.txt": "gaur_library(core\n  SOURCES job.cpp a.cpp b.cpp\n  PUBLIC gaur_base)\n"}
        for first, second, name in [("constexpr int kMost = 3;", "constexpr int kMost = 4;", "kMost"),
                                    ("constexpr int kLeast = 1, kMost = 3;", "constexpr int kMost = 4;", "kMost"), ("struct Part {\n};", "class Part {\n};", "Part"),
                                    ("bool is_digit(char c) {\n}", "bool is_digit(char letter) {\n}", "is_digit(char)")]:
            self.expect("joined", {**lists, "src/core/a.cpp": one % first, "src/core/b.cpp": one % second},
                        f"src/core/b.cpp:4: gaur::{name} is in src/core/a.cpp too")
        same = {"src/core/a.cpp": one % "void f(int a) {\n}", "src/core/b.cpp": one % "void f(int b) {\n}"}
        self.expect("joined", {**lists, **same, "src/core/b.cpp": one % "void f(long b) {\n}"})
        self.expect("joined", {**same, "src/core/CMakeLists.txt": "gaur_library(core\n SOURCES job.cpp a.cpp b.cpp\n  ALONE b.cpp\n  PUBLIC x)\n"})
        between = " ".join(f"c{i}.cpp" for i in range(rules.JOINED))
        self.expect("joined", {**same, "src/core/CMakeLists.txt": f"gaur_library(core SOURCES job.cpp a.cpp {between} b.cpp)\n"})

    def test_banned_calls(self):
        for code, why in [("std::this_thread::sleep_for(1s);", "sleeping"), ("usleep(5);", "sleeping"), ("::sleep(1);", "sleeping"),
                          ("auto t = std::chrono::system_clock::now();", "clocks"), ("time(nullptr);", "clocks"),
                          ("int r = rand();", "randomness"), ("std::random_device d;", "randomness"),
                          ("std::getenv(\"HOME\");", "environment"), ("popen(\"ls\", \"r\");", "shell"),
                          ("using namespace std;", "names stay")]:
            self.expect("banned", {"src/worker/a.cpp": "void f() {\n" + code + "\n}\n"}, f"src/worker/a.cpp:2: ")
            self.assertIn(why, self.found_in("banned", {"src/worker/a.cpp": code})[0])
        self.expect("banned", {"tests/worker/a.cpp": "std::this_thread::sleep_for(1s);\n"}, "sleeping")
        self.expect("banned", {"src/worker/a.cpp": '// sleep_for(1) is banned\nauto s = "rand()"; /* getenv( */\n'})
        self.expect("banned", {"src/worker/a.cpp": "clock_.now(); brand(); runtime(0); x.time(0); op.system(1);\n"})
        self.expect("banned", {"src/worker/a.cpp": "const auto n = 1'000'000; usleep(1);\n"}, "sleeping")
        self.expect("banned", {"src/worker/a.cpp": 'auto s = R"(text " )"; usleep(1);\n'}, "sleeping")

    def test_todo_form(self):
        todo = "TO" + "DO"
        self.expect("todo", {"src/core/a.cpp": f"// {todo}: later\n"}, "src/core/a.cpp:1")
        self.expect("todo", {"src/core/a.cpp": f"// {todo}(now): this\n"}, "to be done now")
        self.expect("todo", {"src/core/a.cpp": "// FIX" + "ME\n"}, "FIX" + "ME")
        self.expect("todo", {"src/core/a.cpp": f"// {todo}(perf): cache it\n"})
        self.expect("todo", {"src/core/a.hpp": "int a;  //" + "/< the first\n"}, "src/core/a.hpp:1: write the doc comment above")

    def test_leaks(self):
        for text in ["/ho" + "me/me/x", "cd /wo" + "rk/main", "/ro" + "ot/.ssh", "https://registry." + "npmjs.org/x",
                     '"reso' + 'lved": "x"', "deb." + "debian.org"]:
            self.expect("leaks", {"docs/a.md": "# a\n" + text + "\n"}, "docs/a.md:2")
        self.expect("leaks", {"docs/a.md": "# a\nthe framework/main thread, ../work/shared\n"})

    def test_docs(self):
        self.expect("docs", {"docs/a.md": "# A\n[gone](../gone.md)\n"}, "docs/a.md:2: the link ../gone.md leads nowhere")
        self.expect("docs", {"docs/a.md": "# A\n[x](../README.md#no-such)\n"}, "no heading #no-such")
        self.expect("docs", {"docs/a.md": "# A\n[x](../README.md#a-part) [y](../src/base) `[z](gone)`\n```\n[q](gone)\n```\n"})
        self.expect("docs", {"docs/a.md": "no title\n"}, "begins with its title")
        self.expect("docs", {"docs/a.md": "# A\n```\n"}, "not closed")

    def test_words(self):
        for text, word in [("It gives\nback a job.", "gives back"), ("an earlier life", "earlier life"), ("as it is told", "told"),
                           ("the next turn takes it", "next turn"), ("`worker_lane`", "lane"), ("`LaneName`", "Lane"),
                           ("a `kHair` more", "Hair"), ("the room that is free", "room"), ("it is no number", "is no number")]:
            self.expect("words", {"docs/a.md": "# A\n" + text + "\n"}, f'"{word}" was replaced')
        self.expect("words", {"docs/a.md": "# A\na plane in turn, a sandbox and a mushroom, untold; turn it off\n"})
        self.expect("words", {"src/core/a.cpp": "// gives\n// back\n"}, "src/core/a.cpp:1")
        path, word = rules.WORDS_OF_OLD_FORMATS[0]
        self.expect("words", {path: f"# A\n{word}\n"})
        self.expect("words", {path: f"# A\n{word}, told\n"}, f'{path}:2: "told"')

    def test_modules(self):
        rows = "".join(f"| `{'include' if m == 'gaur' else 'src'}/{m}/` | x | {'all' if may is None else ', '.join(may) or '-'} |\n"
                       for m, may in rules.MODULES.items())
        folders = [m for m in rules.MODULES if m != "gaur"]
        whole = {"ARCHITECTURE.md": "# A\n" + rows, "CMakeLists.txt": f"set(GAUR_FOLDERS {' '.join(folders)})\n",
                 **{f"src/{m}/CMakeLists.txt": f"gaur_library({m} SOURCES a.cpp PUBLIC gaur_base)\n" for m in folders}}
        self.expect("modules", whole)
        self.expect("modules", {**whole, "ARCHITECTURE.md": whole["ARCHITECTURE.md"].replace("| `src/core/` | x | base |\n", "")},
                    "its table lists")
        self.expect("modules", {**whole, "ARCHITECTURE.md": whole["ARCHITECTURE.md"].replace("`src/core/` | x | base |", "`src/core/` | x | - |")},
                    "core may include []")
        self.expect("modules", {**whole, "CMakeLists.txt": "set(GAUR_FOLDERS core base)\n"}, "GAUR_FOLDERS lists core base")
        self.expect("modules", {**whole, "src/core/CMakeLists.txt": "gaur_library(core SOURCES a.cpp PRIVATE gaur_worker)\n"},
                    "gaur_core links gaur_worker, which is above it")
        self.expect("modules", {**whole, "src/core/CMakeLists.txt": "gaur_library(heart SOURCES a.cpp)\n"}, "gaur_heart is not named after")
        self.expect("modules", {**whole, "src/core/CMakeLists.txt": "\n"}, "no gaur_library() of the module core")

    def test_mentions(self):
        self.expect("mentions", {"src/core/a.cpp": "// See docs/gone.md.\n"}, "src/core/a.cpp:1: there is no page docs/gone.md")
        self.expect("mentions", {"docs/a.md": "# A\n", "src/core/a.cpp": "// See docs/a.md.\n"})
        self.expect("mentions", {"ARCHITECTURE.md": "# A\n`src/core/gone.cpp` `gone.cpp`\n"}, "no src/core/gone.cpp", "no gone.cpp")
        self.expect("mentions", {"ARCHITECTURE.md": "# A\n`src/core/job.cpp`, `job.cpp` in `src/core/`\n"})

    def test_tests(self):
        page = "# A\n`a_test` `b_e2e` `interop_c` `Suite.Name` `gaur.toml`\n"
        self.expect("tests", {"docs/explanation/a.md": page}, "a.md:2: there is no test a_test", "b_e2e", "interop_c", "Suite.Name")
        self.expect("tests", {"docs/explanation/a.md": page, "tests/a/CMakeLists.txt": "gaur_test(a_test SOURCES a.cpp)\ngaur_e2e(b TIMEOUT 9)\n",
                              "tests/a/a.cpp": "TEST_F(Suite, Name) {\n", "tests/interop/c.test.mjs": ""})

    def test_terms(self):
        self.expect("terms", {"docs/glossary.md": "# A\n`TakeRequest` `Store::take` `kHandOff`\n"}, "no TakeRequest", "no Store", "no take", "no kHandOff")
        self.expect("terms", {"docs/glossary.md": "# A\n`TakeRequest` `Store::take` `GET /x` `ERR`\n",
                              "src/core/a.hpp": "struct TakeRequest; struct Store { void take(); };"})

    def test_shell(self):
        self.expect("shell", {"scripts/x": "#!/bin/bash\nif true; then\n"}, "scripts/x:1")


if __name__ == "__main__":
    unittest.main()
