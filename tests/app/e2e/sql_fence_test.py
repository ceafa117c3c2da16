"""What SQL may not see, through the whole server: its data folder, the machine's files, other runs' folders and tables."""

import unittest

from harness import EndToEnd

CONFIG = '''
[server]
log_level = "debug"
[store]
url = "embedded:./data"
[queues.q]
[pools.sql]
kind = "duckdb"
start_timeout = "60s"
[pools.sql.duckdb]
data = ["./sample"]
ad_hoc = true
[functions.ask]
pool = "sql"
ad_hoc = true
'''


# What DuckDB and the fence answer to a query; not what a broken pool does to any.
REFUSALS = ("permission", "syntax", "binder", "catalog", "invalid_input", "not_implemented", "extension")


class SqlFenceTest(EndToEnd):
    def setUp(self):
        super().setUp()
        (self.folder / "sample").mkdir()
        (self.folder / "sample/cities.csv").write_text("city,people\n서울,9\n부산,3\n")
        (self.folder / "sample/secret").symlink_to("/etc/passwd")
        self.gaur = self.server(CONFIG).start()

    def ask(self, sql):
        return self.gaur.finished("q", self.gaur.add("ask", {"sql": sql}))

    def refused(self, sql):
        """A query that has to fail because of what it asks, in a pool where queries work: one that answers stands on either side."""
        job = self.ask(sql)
        self.assertEqual(job["state"], "failed", f"{sql} answered {job.get('result')}")
        self.assertIn(job["failure"]["code"], REFUSALS, job["failure"])
        self.works()
        return job["failure"]

    def works(self):
        job = self.ask("SELECT sum(people)::INTEGER AS people FROM 'sample/cities.csv'")
        self.assertEqual((job["state"], job.get("result", {}).get("rows")), ("completed", [{"people": 12}]), job)

    def test_the_data_that_is_allowed_can_be_read(self):
        job = self.ask("SELECT city, people FROM 'sample/cities.csv' ORDER BY people DESC")
        self.assertEqual(job["state"], "completed", job)
        self.assertEqual([row["city"] for row in job["result"]["rows"]], ["서울", "부산"])

    def test_nothing_else_can(self):
        data = self.folder / "data"
        forbidden = [
            "/etc/passwd", "/proc/self/environ", "/proc/1/cmdline", f"{data}/store/data.mdb", f"{data}/gaur.lock",
            f"{data}/spec/sql.json", f"{self.folder}/gaur.toml", "gaur.toml", "sample/../gaur.toml", "sample/secret",
        ]
        for path in forbidden:
            for sql in (f"SELECT * FROM read_text('{path}')", f"SELECT * FROM read_blob('{path}')", f"SELECT * FROM '{path}'"):
                self.refused(sql)
        for pattern in (f"{data}/**", f"{data}/run/**", "/etc/*", "/tmp/*"):
            job = self.ask(f"SELECT * FROM glob('{pattern}')")
            if job["state"] == "completed":
                self.assertEqual(job["result"]["rows"], [], f"glob of {pattern}")
            else:
                self.assertIn(job["failure"]["code"], REFUSALS, job["failure"])
        self.assertEqual(len(self.ask("SELECT * FROM glob('sample/*.csv')")["result"]["rows"]), 1, "glob works where it may look")
        self.works()

    def test_nothing_can_be_changed(self):
        for sql in (
            "COPY (SELECT 1) TO 'sample/new.csv'", "CREATE TABLE t AS SELECT 1", "ATTACH 'sample/x.db'", "INSTALL httpfs", "LOAD httpfs",
            "SET threads = 64", "SET enable_external_access = true", "PRAGMA memory_limit = '1TB'", "SELECT 1; SELECT 2",
        ):
            self.refused(sql)
        self.assertEqual(sorted(path.name for path in (self.folder / "sample").iterdir()), ["cities.csv", "secret"])

    def test_one_run_leaves_nothing_to_the_next(self):
        for sql in ("SELECT getvariable('x') AS x", "SELECT count(*) AS n FROM duckdb_tables() WHERE NOT internal"):
            job = self.ask(sql)
            self.assertEqual(job["state"], "completed", job)
            self.assertIn(list(job["result"]["rows"][0].values())[0], (None, "0"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
