"""Large results of jobs that Bull producers added: an error, a signed link, or a file in a shared folder."""

import http.client
import json
import unittest
import urllib.parse
from pathlib import Path

from harness import until
from redis_hosts import BASE, RedisHosts

TOKEN = "0123456789abcdef-token"
CONFIG = '''
[server]
token_file = "token"
[queues.query]
function = "data.func"
[pools.sql]
kind = "duckdb"
start_timeout = "60s"
''' + "".join(f'''
[functions.{name}]
pool = "sql"
inline_bytes = 1000
envelope = false
bigint = "number"
on_large = "{on_large}"
format = "csv"
sql = "SELECT i, i * 2 AS twice FROM range({rows}) AS t(i) ORDER BY i"
''' for name, rows, on_large in (("small", 2, "url"), ("large", 5000, "url"), ("refused", 5000, "error")))
RUNNER = '''
[functions.file]
pool = "testbed"
on_large = "url"
'''


class LinksTest(RedisHosts):
    def begin(self, config=CONFIG, *flags):
        (self.folder / "token").write_text(TOKEN + "\n")
        redis = self.redis()
        self.connection = self.call(redis)
        work = self.worker(redis, config=config)
        work.start(*flags, ready=False)
        until(lambda: work.request("GET", "/readyz", headers={"Authorization": f"Bearer {TOKEN}"}).status == 200, what="being ready")
        return work

    def result(self, function):
        job = self.finished(self.connection, self.bull_add(self.connection, {"func": function, "userId": 7}))
        self.assertIn("returnvalue", job, job)
        return json.loads(job["returnvalue"])

    def fetch(self, url, host=None):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        connection.request("GET", f"{parts.path}?{parts.query}", headers={"Host": host or parts.netloc})
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return response.status, body

    def test_small_results_are_inline_and_large_ones_are_an_error_or_a_link(self):
        work = self.begin()
        self.assertEqual(self.result("small"), [{"i": 0, "twice": 0}, {"i": 1, "twice": 2}])
        failed = self.finished(self.connection, self.bull_add(self.connection, {"func": "refused"}))
        self.assertIn("inline_bytes", failed["failedReason"])
        link = self.result("large")
        self.assertEqual(sorted(link), ["bytes", "expires", "format", "url"])
        self.assertEqual(link["format"], "csv")
        status, body = self.fetch(link["url"], host="query01.example:3009")  # without a token, with another Host header
        self.assertEqual((status, len(body)), (200, link["bytes"]))
        self.assertEqual(body.splitlines()[4], "3,6")
        for wrong in (link["url"].replace("/files/query/", "/files/query/1"), link["url"][:-1] + ("0" if link["url"][-1] != "0" else "1"),
                      link["url"].replace("expires=", "expires=1"), link["url"].split("&")[0]):
            self.assertEqual(self.fetch(wrong)[0], 403, wrong)
        self.assertEqual(work.get("/v1/host").status, 401)
        # The link stays valid after the removal of the job and a restart of the host.
        work.stop()
        self.connection("DEL", BASE + "2")
        port = work.port
        work.start(f"--server.listen=127.0.0.1:{port}", ready=False)
        self.assertEqual(self.fetch(link["url"])[0], 200)

    def test_a_link_expires_with_its_file(self):
        self.begin(CONFIG, "--results.ttl=1s", "--results.public_url=https://query01.example/gaur/")
        url = self.result("large")["url"]
        self.assertTrue(url.startswith("https://query01.example/gaur/v1/files/query/"), url)
        local = url.replace("https://query01.example/gaur", f"http://127.0.0.1:{self.servers[0].port}")
        until(lambda: self.fetch(local)[0] == 410, 10, "the expiry of the link")

    def test_results_folder_gives_file_urls_for_files_of_any_runner(self):
        from harness import TESTBED

        shared = self.folder / "share"
        self.begin(CONFIG + TESTBED + RUNNER, f"--results.folder={shared}")
        for function, rows in (("large", 5001), ("file", 3)):
            link = self.result(function)
            self.assertTrue(link["url"].startswith(f"file://{shared}/"), link)
            file = Path(urllib.parse.unquote(urllib.parse.urlsplit(link["url"]).path))
            self.assertEqual((len(file.read_text().splitlines()), file.stat().st_size), (rows, link["bytes"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
