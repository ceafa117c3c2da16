"""Large results are stored in files, which HTTP serves whole or in ranges, and which are removed with their jobs."""

import csv
import io
import json
import unittest

from harness import EndToEnd, until

ROWS = 5000
CONFIG = f'''
[store]
url = "embedded:./data"
[results]
ttl = "1h"
[queues.q]
[pools.sql]
kind = "duckdb"
start_timeout = "60s"
'''
FUNCTION = '''
[functions.{name}]
pool = "sql"
inline_bytes = 1000
on_large = "file"
format = "{name}"
sql = "SELECT i, '서울 \\"' || i || '\\"' AS name, i * 0.5 AS half FROM range({rows}) AS t(i) ORDER BY i"
'''


class ResultFileTest(EndToEnd):
    def setUp(self):
        super().setUp()
        functions = "".join(FUNCTION.format(name=name, rows=ROWS) for name in ("csv", "ndjson", "parquet"))
        self.gaur = self.server(CONFIG + functions).start()

    def fetch(self, function):
        job = self.gaur.finished("q", self.gaur.add(function, {}))
        self.assertEqual(job["state"], "completed", job)
        file = job["result"]["file"]
        self.assertEqual((file["format"], file["rows"]), (function, ROWS))
        return file

    def raw(self, url, headers=None):
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self.gaur.port, timeout=30)
        connection.request("GET", url, headers=headers or {})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    def test_csv_and_ndjson_contain_every_row(self):
        _, body = self.raw(self.fetch("csv")["url"])
        rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
        self.assertEqual(len(rows), ROWS)
        self.assertEqual((rows[7]["i"], rows[7]["name"], float(rows[7]["half"])), ("7", '서울 "7"', 3.5))
        _, body = self.raw(self.fetch("ndjson")["url"])
        lines = [json.loads(line) for line in body.decode().splitlines()]
        self.assertEqual((len(lines), lines[7]["name"]), (ROWS, '서울 "7"'))

    def test_ranges_of_a_file_add_up_to_the_file(self):
        file = self.fetch("parquet")
        response, whole = self.raw(file["url"])
        self.assertEqual((response.status, len(whole), whole[:4], whole[-4:]), (200, file["bytes"], b"PAR1", b"PAR1"))
        half = len(whole) // 2
        first, head = self.raw(file["url"], {"Range": f"bytes=0-{half - 1}"})
        second, tail = self.raw(file["url"], {"Range": f"bytes={half}-", "If-Range": first.headers["ETag"]})
        self.assertEqual((first.status, second.status), (206, 206))
        self.assertEqual(head + tail, whole)

    def test_a_file_is_removed_with_its_job(self):
        file = self.fetch("csv")
        job_url = file["url"].removesuffix("/result")
        self.assertEqual(self.gaur.request("DELETE", job_url).status, 204)
        self.assertEqual(self.raw(file["url"])[0].status, 404)
        results = self.folder / "data/results"
        until(lambda: not [path for path in results.rglob("*") if path.is_file()], what="the removal of the file")


if __name__ == "__main__":
    unittest.main(verbosity=2)
