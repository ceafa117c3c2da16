"""Each error message names what failed, where, and what to do. golden/ contains the expected texts; GAUR_UPDATE=1 rewrites them.
Review each change of them."""

import os
import re
import socket
import subprocess
import unittest

from harness import GAUR, HERE, PATIENCE, TESTBED, EndToEnd, until

CONFIG = f'''
[store]
url = "embedded:./data"
[queues.q]
max_waiting = 3
[pools.sql]
kind = "duckdb"
start_timeout = "60s"
{TESTBED}
[functions.top]
pool = "sql"
extra = "reject"
sql = "SELECT $n::INTEGER AS n, $day::DATE AS day"
[functions.top.params]
n = {{ type = "integer", required = true, min = 1, max = 100 }}
day = {{ type = "date", default = "2026-01-01" }}
[functions.overflow]
pool = "sql"
sql = "SELECT $x::INTEGER::TINYINT AS small"
[functions.overflow.params]
x = {{ type = "integer", required = true }}
[functions.sleep]
pool = "testbed"
'''

REQUESTS = [
    ("an unknown function", "POST", "/v1/functions/topp", "{}"),
    ("a missing parameter", "POST", "/v1/functions/top?wait=30s", "{}"),
    ("a surplus parameter", "POST", "/v1/functions/top?wait=30s", '{"n": 1, "m": 2}'),
    ("an ill-typed parameter", "POST", "/v1/functions/top?wait=30s", '{"n": "many", "day": "tomorrow"}'),
    ("a parameter out of its bounds", "POST", "/v1/functions/top?wait=30s", '{"n": 1000}'),
    ("NUL in a text parameter", "POST", "/v1/functions/top?wait=30s", '{"n": 1, "day": "2026\\u0000"}'),
    ("an error in the SQL at run time", "POST", "/v1/functions/overflow?wait=30s", '{"x": 1000}'),
    ("parameters that are not an object", "POST", "/v1/functions/top", "[1]"),
    ("broken JSON", "POST", "/v1/functions/top", '{"n": 1,\n "day": }'),
    ("a malformed job id", "GET", "/v1/queues/q/jobs/a%00b", None),
    ("an unknown job", "GET", "/v1/queues/q/jobs/4711", None),
    ("a custom id in the form of a generated one", "POST", "/v1/queues/q/jobs", '{"name": "top", "options": {"id": "12"}}'),
    ("an invalid queue name", "POST", "/v1/queues/a%2Fb/jobs", '{"name": "top"}'),
    ("a body that is too large", "POST", "/v1/functions/top", '{"x": "' + "x" * (9 << 20) + '"}'),
    ("data that is too large", "POST", "/v1/functions/top", '{"x": "' + "x" * (2 << 20) + '"}'),
]

THREE_MISTAKES = """[server]
listen = "127.0.0.1:http"

[queues.query]
ordr = "fifo"

[pools.sql]
kind = "duckdb"

[functions.top]
pool = "sqll"
sql = "SELECT 1"
"""

BAD_SQL = """[queues.query]
[pools.sql]
kind = "duckdb"

[functions.misspelt]
pool = "sql"
sql_file = "misspelt.sql"

[functions.undeclared]
pool = "sql"
sql = "SELECT $day"

[functions.unused]
pool = "sql"
sql = "SELECT 1"
[functions.unused.params]
day = { type = "date" }
"""

ODD_TYPE = """[queues.query]
[pools.sql]
kind = "duckdb"
[functions.top]
pool = "sql"
sql = "SELECT $day"
[functions.top.params]
day = { type = "dat", requird = true }
"""


# (name, gaur.toml): `gaur check --offline` reports all problems of each at once, whatever their kind.
POOL = '[queues.query]\n[pools.sql]\nkind = "duckdb"\n'
CHECKED = [
    ("a misspelt key beside wrong SQL", POOL + 'max_agee = "1h"\n[functions.top]\npool = "sql"\nsql = "SELEC 1"\n'),
    ("a number with too many digits beside a misspelt key and wrong SQL",
     POOL + '[functions.top]\npool = "sql"\nsql = "SELECT $n FROM nowhere"\ntimeot = "1s"\n'
     '[functions.top.params]\nn = { type = "double", max = 0.12345678901234567890 }\n'),
    ("a wrong parameter type beside wrong SQL, in one function and in two",
     POOL + '[functions.one]\npool = "sql"\nsql = "SELECT $d FORM events"\n[functions.one.params]\nd = { type = "dat" }\n'
     '[functions.two]\npool = "sql"\nsql = "SELECT missing_function(1)"\n'),
    ("an empty sql_file beside wrong SQL", POOL + '[functions.empty]\npool = "sql"\nsql_file = "empty.sql"\n'
     '[functions.wrong]\npool = "sql"\nsql = "SELECT nothing"\n'),
    ("a missing sql_file beside wrong SQL", POOL + '[functions.gone]\npool = "sql"\nsql_file = "gone.sql"\n'
     '[functions.wrong]\npool = "sql"\nsql = "SELECT nothing"\n'),
    ("an unreadable sql_file beside wrong SQL", POOL + '[functions.failing]\npool = "sql"\nsql_file = "/proc/self/mem"\n'
     '[functions.wrong]\npool = "sql"\nsql = "SELECT nothing"\n'),
    ("no SQL beside wrong SQL", POOL + '[functions.none]\npool = "sql"\n[functions.wrong]\npool = "sql"\nsql = "SELECT nothing"\n'),
    ("a missing database beside a syntax error", POOL + 'duckdb.database = "gone.db"\n[functions.wrong]\npool = "sql"\nsql = "SELEC 1"\n'
     '[functions.unknown]\npool = "sql"\nsql = "FROM table_of_the_database"\n'),
    ("wrong setup beside a syntax error", POOL + 'duckdb.setup = ["CREATE VEW v AS SELECT 1"]\n[functions.wrong]\npool = "sql"\nsql = "SELEC 1"\n'
     '[functions.unknown]\npool = "sql"\nsql = "FROM v"\n'),
    ("a marker that is not closed beside wrong SQL", POOL + '[functions.marker]\npool = "sql"\nsql = "SELECT 1 /*if*/ + 1 /*end*/"\n'
     '[functions.wrong]\npool = "sql"\nsql = "SELECT nothing"\n'),
]

BAD_ENV = """REDIS_HOST=a:b:c/d
REDIS_PORT=no
not an assignment
REDIS_TLS=perhaps
QUOTED="not closed
"""


def crc32c(data):
    """CRC-32C, bit by bit, as in docs/reference/disk-format.md."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def raise_disk_format(file, version):
    """Replaces the version in the record `format` of a closed store. Returns how many copies of the record it found."""
    content = bytearray(file.read_bytes())
    found = 0
    at = content.find(b"GauF")
    while at >= 0:
        end = at + 12 + int.from_bytes(content[at + 8 : at + 12], "little")
        content[at + 12 : at + 16] = version.to_bytes(4, "little")
        content[at + 4 : at + 8] = crc32c(b"format" + content[at + 12 : end]).to_bytes(4, "little")
        found += 1
        at = content.find(b"GauF", at + 4)
    file.write_bytes(content)
    return found


class BadInputTest(EndToEnd):
    maxDiff = None

    def normalized(self, text):
        """Replaces paths, process ids and measurements, which differ between machines."""
        text = text.replace(str(self.folder), "FOLDER").replace(str(GAUR.parent), "BIN")
        text = re.sub(r"\bpid \d+", "pid N", text)
        text = re.sub(r"process \d+", "process N", text)
        return re.sub(r'"(cpu_us|peak_rss_bytes|wall_us)":\d+', r'"\1":N', text)

    def check(self, name, text):
        golden = HERE / "golden" / f"{name}.txt"
        if os.environ.get("GAUR_UPDATE"):
            golden.write_text(text)
        self.assertEqual(text, golden.read_text(), f"compare with {golden}; GAUR_UPDATE=1 rewrites it")

    def run_gaur(self, *arguments, env=None):
        """Runs gaur until it exits; returns its exit code and output."""
        done = subprocess.run([GAUR, *arguments], cwd=self.folder, env={**os.environ, **(env or {})}, timeout=PATIENCE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return f"exit code {done.returncode}\n{self.normalized(done.stdout)}"

    def test_rejected_requests(self):
        server = self.server(CONFIG).start()
        seen = []
        for what, method, path, body in REQUESTS:
            response = server.request(method, path, body)
            seen.append(f"# {what}\n{response.status} {self.normalized(response.text.strip())}\n")
        self.check("requests", "\n".join(seen))
        good = server.post("/v1/functions/top?wait=30s", {"n": 7})
        self.assertEqual((good.status, good.json["result"]["row_count"]), (200, 1), "the server still runs jobs")

    def test_a_full_queue_rejects_adds(self):
        server = self.server(CONFIG).start()
        running = [server.add("sleep", {"ms": 60_000}) for _ in range(server.host()["slots"])]
        for job_id in running:
            until(lambda: server.job("q", job_id)["state"] == "active")
        for _ in range(3):
            server.add("sleep", {})
        response = server.post("/v1/functions/sleep", {})
        self.check("full_queue", f"{response.status} Retry-After {response.headers['Retry-After']}\n{response.text}")
        for job_id in running:
            server.post(f"/v1/queues/q/jobs/{job_id}/cancel")

    def test_a_data_folder_in_use_is_rejected(self):
        server = self.server(CONFIG).start()
        output = self.run_gaur("serve", "--server.listen=127.0.0.1:0")
        self.check("data_folder_in_use", output)
        done = subprocess.run([GAUR, "serve", "--server.listen=127.0.0.1:0"], cwd=self.folder, capture_output=True, text=True)
        self.assertIn(str(server.process.pid), done.stderr, "the message names the process")

    def test_a_newer_disk_format_is_rejected(self):
        server = self.server(CONFIG).start()
        job_id = server.add("sleep", {"ms": 1})
        server.finished("q", job_id)
        server.stop()
        store = self.folder / "data/store/data.mdb"
        self.assertGreater(raise_disk_format(store, 99), 0)
        untouched = store.read_bytes()
        self.check("newer_disk_format", self.run_gaur("serve", "--server.listen=127.0.0.1:0"))
        self.assertEqual(store.read_bytes(), untouched, "nothing is written to it")
        raise_disk_format(store, 1)
        server.start()
        self.assertEqual(server.job("q", job_id)["state"], "completed")

    def test_a_port_in_use_is_rejected(self):
        self.server(CONFIG)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            output = self.run_gaur("serve", f"--server.listen=127.0.0.1:{port}")
        text = re.sub(r"(?m)^\S+Z info .*\n", "", output)  # the log
        self.check("port_in_use", text.replace(str(port), "PORT"))

    def test_three_mistakes_are_reported_at_once(self):
        (self.folder / "gaur.toml").write_text(THREE_MISTAKES)
        self.check("three_mistakes", self.run_gaur("serve"))

    def test_check_finds_mistakes_in_sql(self):
        (self.folder / "gaur.toml").write_text(BAD_SQL)
        (self.folder / "misspelt.sql").write_text("SELECT keyword\nFORM events\n")
        output = self.run_gaur("check")
        self.check("sql_mistakes", output[output.index("problems:") :])
        (self.folder / "gaur.toml").write_text(ODD_TYPE)
        output = self.run_gaur("check")
        self.check("parameter_mistakes", output[output.index("problems:") :])

    def test_check_reports_problems_of_every_kind_at_once(self):
        seen = []
        (self.folder / "empty.sql").write_text("")
        for what, toml in CHECKED:
            (self.folder / "gaur.toml").write_text(toml)
            output = self.run_gaur("check", "--offline")
            seen.append(f"# {what}\n" + re.split(r"\n\d+ problems?:\n", output)[1])
        self.check("check_all_at_once", "\n".join(seen))

    def test_init_and_look_report_the_same_problems_of_an_environment_file(self):
        (self.folder / "bad.env").write_text(BAD_ENV)
        init = self.run_gaur("init", "--env", "bad.env", "--queue", "x" * 500, "--from", "gone.json")
        look = self.run_gaur("look", "--env", "bad.env")
        self.check("bad_environment", f"{init}\n{look}")
        named = lambda text: set(re.findall(r"bad\.env:\d+", text))
        self.assertEqual(named(init), named(look))
        self.assertFalse((self.folder / "gaur.toml").exists())

    def test_a_missing_libduckdb_is_reported(self):
        server = self.server(CONFIG).start(ready=False, env={"GAUR_DUCKDB_LIBRARY": "/nowhere/libduckdb.so"})
        until(lambda: "cannot start (" in server.get("/readyz").text, what="the report on /readyz")
        ready = server.get("/readyz")
        self.assertEqual(ready.status, 503)
        self.assertIn("/nowhere/libduckdb.so", ready.text + server.log())
        self.check("missing_libduckdb", self.normalized(ready.text))
        rest = server.finished("q", server.add("sleep", {"ms": 1}))
        self.assertEqual(rest["state"], "completed", "other pools run jobs")
        waiting = server.job("q", server.add("top", {"n": 1}))
        self.assertEqual(waiting["state"], "waiting", "a job of the broken pool stays in the queue")

    def test_a_runner_that_cannot_start_is_reported(self):
        config = CONFIG + '[pools.broken]\ncommand = ["false"]\n[functions.never]\npool = "broken"\n'
        server = self.server(config).start(ready=False)
        until(lambda: "broken cannot start (" in server.get("/readyz").text, what="the report on /readyz")
        self.check("runner_cannot_start", self.normalized(server.get("/readyz").text))
        job_id = server.add("never", {})
        reason = until(lambda: server.job("q", job_id).get("waiting", {}).get("reason"), what="a reason")
        self.assertIn("broken", reason)
        self.assertEqual(server.finished("q", server.add("sleep", {"ms": 1}))["state"], "completed", "other pools run jobs")


if __name__ == "__main__":
    unittest.main(verbosity=2)
