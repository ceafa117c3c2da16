"""SQL cannot read the data folder of the server, other files of the machine, or the folders and tables of other runs."""

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


# Codes of rejected queries. The failures of a broken pool have other codes.
REJECTED_CODES = ("permission", "syntax", "binder", "catalog", "invalid_input", "not_implemented", "extension")


class SqlFenceTest(EndToEnd):
    def setUp(self):
        super().setUp()
        (self.folder / "sample").mkdir()
        (self.folder / "sample/cities.csv").write_text("city,people\n서울,9\n부산,3\n")
        (self.folder / "sample/secret").symlink_to("/etc/passwd")
        self.gaur = self.server(CONFIG).start()

    def query(self, sql):
        return self.gaur.finished("q", self.gaur.add("ask", {"sql": sql}))

    def check_rejected(self, sql):
        """Checks that the query is rejected, and that the pool still runs an allowed one."""
        job = self.query(sql)
        self.assertEqual(job["state"], "failed", f"{sql} returned {job.get('result')}")
        self.assertIn(job["failure"]["code"], REJECTED_CODES, job["failure"])
        self.check_allowed_query()
        return job["failure"]

    def check_allowed_query(self):
        job = self.query("SELECT sum(people)::INTEGER AS people FROM 'sample/cities.csv'")
        self.assertEqual((job["state"], job.get("result", {}).get("rows")), ("completed", [{"people": 12}]), job)

    def test_allowed_data_can_be_read(self):
        job = self.query("SELECT city, people FROM 'sample/cities.csv' ORDER BY people DESC")
        self.assertEqual(job["state"], "completed", job)
        self.assertEqual([row["city"] for row in job["result"]["rows"]], ["서울", "부산"])

    def test_other_files_cannot_be_read(self):
        data = self.folder / "data"
        forbidden = [
            "/etc/passwd", "/proc/self/environ", "/proc/1/cmdline", f"{data}/store/data.mdb", f"{data}/gaur.lock",
            f"{data}/spec/sql.json", f"{self.folder}/gaur.toml", "gaur.toml", "sample/../gaur.toml", "sample/secret",
        ]
        for path in forbidden:
            for sql in (f"SELECT * FROM read_text('{path}')", f"SELECT * FROM read_blob('{path}')", f"SELECT * FROM '{path}'"):
                self.check_rejected(sql)
        for pattern in (f"{data}/**", f"{data}/run/**", "/etc/*", "/tmp/*"):
            job = self.query(f"SELECT * FROM glob('{pattern}')")
            if job["state"] == "completed":
                self.assertEqual(job["result"]["rows"], [], f"glob of {pattern}")
            else:
                self.assertIn(job["failure"]["code"], REJECTED_CODES, job["failure"])
        self.assertEqual(len(self.query("SELECT * FROM glob('sample/*.csv')")["result"]["rows"]), 1, "glob lists the allowed folder")
        self.check_allowed_query()

    def test_files_and_settings_cannot_be_changed(self):
        for sql in (
            "COPY (SELECT 1) TO 'sample/new.csv'", "CREATE TABLE t AS SELECT 1", "ATTACH 'sample/x.db'", "INSTALL httpfs", "LOAD httpfs",
            "SET threads = 64", "SET enable_external_access = true", "PRAGMA memory_limit = '1TB'", "SELECT 1; SELECT 2",
        ):
            self.check_rejected(sql)
        self.assertEqual(sorted(path.name for path in (self.folder / "sample").iterdir()), ["cities.csv", "secret"])

    def test_variables_and_tables_of_a_run_are_not_visible_to_the_next(self):
        for sql in ("SELECT getvariable('x') AS x", "SELECT count(*) AS n FROM duckdb_tables() WHERE NOT internal"):
            job = self.query(sql)
            self.assertEqual(job["state"], "completed", job)
            self.assertIn(list(job["result"]["rows"][0].values())[0], (None, "0"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
