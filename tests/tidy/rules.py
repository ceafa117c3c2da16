"""The house rules as data. tidy.py checks the code against them."""

# A module may include itself, the modules in its row, and the public interface (gaur/). ARCHITECTURE.md has the same table.
MODULES = {
    "gaur": [],
    "base": [],
    "runner_sdk": ["base"],
    "schedule": ["base"],
    "core": ["base"],
    "model": ["base", "core"],
    "conformance": ["base", "core", "model"],
    "embedded": ["base", "core"],
    "redis": ["base"],
    "redis_store": ["base", "core", "redis"],
    "bull": ["base", "schedule", "core", "redis", "redis_store"],
    "admission": ["base", "core"],
    "worker": ["base", "core"],
    "results": ["base", "core"],
    "runner": ["base", "core", "results"],
    "duckdb": ["base"],
    "api": ["base", "core", "worker"],
    "http": ["base"],
    "app": None,  # the only module that knows concrete types: all
}

# Headers of others, and where they may be included: (what the include begins with, path patterns, why).
FOREIGN = [
    ("duckdb.h", [r"src/duckdb/", r"tests/duckdb/"], "only gaur-duckdb knows DuckDB"),
    ("lmdb.h", [r"src/embedded/", r"tests/(embedded|crash|simulation)/"], "LMDB is the embedded store's own affair"),
    ("boost/json", [r"src/base/json(_text|_document)?\.(hpp|cpp)$", r"cmake/pch\.hpp$"], "JSON goes through base/json.hpp"),
    ("boost/asio", [r"_io\.(hpp|cpp)$"], "costs many seconds a file: only in *_io files"),
    ("boost/beast", [r"_io\.(hpp|cpp)$"], "costs many seconds a file: only in *_io files"),
    ("seccomp.h", [r"src/base/syscall_filter\.cpp$"], "filters go through base/syscall_filter.hpp"),
    ("spdlog", [r"src/base/log\.cpp$"], "the log goes through base/log.hpp"),
    ("toml++", [r"src/app/"], "only the app reads configuration"),
    ("CLI/", [r"src/app/", r"src/duckdb/main\.cpp$", r"bench/", r"tests/"], "only programs read command lines"),
    ("gtest", [r"tests/", r"src/conformance/"], "test code"),
    ("gmock", [r"tests/", r"src/conformance/"], "test code"),
    ("benchmark/", [r"bench/"], "benchmark code"),
]
# The public interface may show these and the standard library, nothing else.
PUBLIC_FOREIGN = ("tl/expected.hpp",)
IO_FILES_AT_MOST = 12

FILE_LINES_AT_MOST = 500
FUNCTION_LINES_AT_MOST = 70
# The ratchet: functions that were longer when the rule came, with the length that they may not exceed.
# It only ever gets shorter.
LONG_FUNCTIONS = {}

# (pattern, paths where it is allowed, why). Matched against code without comments and strings.
BANNED = [
    (r"\bsleep_(for|until)\s*\(|\b(usleep|nanosleep|clock_nanosleep)\s*\(|::sleep\s*\(", [r"src/base/"],
     "sleeping hides races: wait for the condition, with a deadline"),
    (r"\b(system|steady|high_resolution)_clock::now\b|\b(clock_gettime|gettimeofday)\s*\(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)",
     [r"src/base/"], "clocks are injected: take a Clock"),
    (r"\bs?rand\s*\(|\brandom_device\b", [r"src/base/"], "randomness is injected: take a Random"),
    (r"\b(secure_)?getenv\s*\(", [r"src/app/", r"src/duckdb/", r"src/runner_sdk/runner\.cpp$", r"tests/", r"bench/"],
     "only programs read the environment"),
    (r"\b(system|popen)\s*\(", [], "no shell between us and a process"),
    (r"\bdirectory_iterator\b", [r"src/base/files\.cpp$", r"tests/", r"bench/"],
     "its increment throws: use entries_of() of base/files.hpp"),
    (r"\bofstream\b", [r"tests/", r"bench/", r"src/conformance/"],
     "neither whole nor synced: use write_file() of base/files.hpp"),
    (r"\brename\s*\(", [r"src/base/files\.cpp$", r"src/results/(move_file|result_folder)\.cpp$", r"src/runner/runner_io\.cpp$",
                        r"src/duckdb/result_file\.cpp$", r"tests/", r"bench/"],
     "the content and the folder must be synced: use write_file() of base/files.hpp"),
    (r"\busing\s+namespace\s+std\s*;", [], "names stay where they are"),
]

# How many sources the sanitizer builds compile as one: UNITY_BUILD_BATCH_SIZE in cmake/GaurTargets.cmake.
JOINED = 10
# Public type names that a src header may use again: variants of an outcome in namespaces of their own, and the client of a
# Redis server (redis::Client).
SHARED_NAMES = {"Completed", "Failed", "Later", "Snooze", "Client"}

# (what a file uses, what it must then include itself). The precompiled header would hide that it does not.
USED = [(r"\bfmt::(format|runtime|join|to_string|format_to)\b", "fmt/")]

# Texts that no tracked file may hold: where somebody's machine or mirror shows through. Split so that this file is clean.
LEAKS = [
    (r"/" + r"(home|Users)/[a-z]", "an absolute path of somebody's machine"),
    (r"(?<![\w.])/" + r"(root|work)/", "an absolute path of somebody's machine"),
    (r"/tmp/" + r"(wt|npm|fresh|claude)\b", "an absolute path of somebody's machine"),
    (r"registry\." + r"npm|npm" + r"mirror|\b(deb|security|snapshot)\." + r"debian\.org|pypi\." + r"org|_auth" + r"Token",
     "a registry's host or secret: these come from the machine's own settings"),
    (r"\"resolved\"" + r"\s*:", "a download address in a lock file (npm: omit-lockfile-registry-resolved=true)"),
]

TODO_FORM = r"TODO\((now|soon|perf|security)\): \S"

# Words that were replaced: (pattern, what to write instead). docs/glossary.md lists the terms. A pattern is matched
# without case against whole words; "lane" also finds worker_lane and LaneName. A space also matches a line break.
WORDS = [
    (r"(gives?|gave|given|giving) back", "requeue (a job), return, release"),
    (r"earlier li(fe|ves)", "previous process"),
    (r"told|tells", "report, reports"),
    (r"whoever", "name the actor: the caller, the worker"),
    (r"deaf", "unresponsive; ignores ..."),
    (r"hungry", "may_have_work"),
    (r"lanes?", "session (of numbered operations), QueueState"),
    (r"(?<!view_)box(es)?", "capacity"),
    (r"rooms?", "resources (cores and memory), space, module"),
    (r"(a|the|one|two|each|every|next|this|that|parked|first|last|second|whose) turns?(?! (on|off|out|into|to))",
     "take request"),
    (r"parked turns?|turns?( is| stays)? parked", "long poll"),
    (r"(stands?|stood) (in(?! the way)|for ever|behind|there|beside|where|above|below|as)|as (it|they) stands?|as it then stands",
     "is in, contains"),
    (r"(?<!there\W)(?<!there_)(is|are) no (number|duration|size|text|list|object|json|url|name|whole)", "is not a number"),
    (r"(that|which) (is|are) none(?! of)", "is not one"),
    (r"stranger", "another client, an unknown process"),
    (r"hair", "tolerance, kEpsilon"),
    (r"went back", "stale_operation; was requeued"),
    (r"judges?|judged", "decide, check, StalledDetector"),
    (r"brought", "delivered, MainThreadEvents"),
    (r"promise words", "bull_timeout_message"),
    (r"may not ask", "is not allowed"),
    (r"for so long", "how long ..."),
    (r"gaur kit|runner kit|src/kit", "runner_sdk"),
    (r"part options|put seed names|address space worn|answer alone", "options_from_config, run_isolated, ..."),
]
# Files whose text is read for these words.
WORD_FILES = r"\.(cpp|hpp|lua|md|py|m?js|cjs|ts|toml|txt|cmake|sh|service|conf)$|^scripts/[^/.]+$"
# Files that may contain them: they record what was, or quote what others write.
WORDS_QUOTED = (r"^CHANGELOG\.md$|^tests/tidy/|/golden/|/peers/|package-lock\.json$|LICENSE"
                r"|^docs/glossary\.md$")
# Names of older disk formats that contain such a word, which the migration must know: (file, word).
WORDS_OF_OLD_FORMATS = [("docs/reference/disk-format.md", "lanes"), ("src/embedded/engine.cpp", "lanes"),
                        ("src/embedded/store_check.cpp", "lanes"),
                        ("tests/embedded/index_test.cpp", "lanes")]
