"""Numbers keep every digit from the request to the result, over each store and each kind of runner."""

import json
import random
import shutil
import struct
import unittest

from harness import HERE
from redis_hosts import RedisHosts

EACH = 10_000
EDGE_CASES = [95.82093798396099, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, 2.2250738585072011e-308, 9007199254740993.0, 1e21, 1e-7]
CONFIG = f'''
[store]
url = "URL"
[queues.q]
[pools.sql]
kind = "duckdb"
start_timeout = "60s"
[pools.node]
command = ["{shutil.which("node")}", "{HERE / "echo_numbers.cjs"}"]
start_timeout = "60s"
[functions.rows]
pool = "sql"
sql = "SELECT unnest($x) AS x"
result = "arrays"
envelope = false
inline_bytes = 900000
params = {{ x = {{ type = "double[]" }} }}
[functions.exact]
pool = "sql"
sql = "SELECT $u, $d, $b"
result = "arrays"
envelope = false
params = {{ u = {{ type = "ubigint" }}, d = {{ type = "decimal(18,4)" }}, b = {{ type = "bigint" }} }}
[functions.echo]
pool = "node"
'''


def bits(value):
    return struct.pack("<d", value)


def doubles(seed):
    source = random.Random(seed)
    found = list(EDGE_CASES)
    while len(found) < EACH:
        value = source.uniform(-1000, 1000) if len(found) % 2 else struct.unpack("<d", source.randbytes(8))[0]
        if value - value == 0 and value != 0:  # finite; JavaScript writes -0 as 0
            found.append(value)
    return found


class NumbersTest(RedisHosts):
    def check(self, gaur):
        for function, seed in (("rows", 1), ("echo", 2)):
            sent = doubles(seed)
            job = gaur.finished("q", gaur.add(function, {"x": sent}))
            self.assertEqual(job["state"], "completed", str(job)[:500])
            self.assertEqual([bits(value) for value in job["data"]["x"]], [bits(value) for value in sent])
            self.assertEqual([bits(row[0]) for row in job["result"]], [bits(value) for value in sent], function)

    def check_digits(self, gaur):
        body = '{"u":18446744073709551615,"d":12345678901234.5678,"b":9007199254740993.0}'
        job_id = gaur.add("exact", body)
        job = gaur.finished("q", job_id)
        self.assertEqual(job["result"], [["18446744073709551615", "12345678901234.5678", "9007199254740993"]])
        self.assertIn(body[1:-1], gaur.get(f"/v1/queues/q/jobs/{job_id}").text, "the data is stored unchanged")
        for parameter, value, expected in (
            ("b", "1.5", "parameter b must be a whole number from -9223372036854775808 to 9223372036854775807"),
            ("d", "1E400", "parameter d must be a number with at most 14 digits before"),
            ("u", "-1", "parameter u must be a whole number from 0 to 18446744073709551615"),
        ):
            failed = gaur.finished("q", gaur.add("exact", f'{{"{parameter}":{value}}}'))
            self.assertIn(expected, failed["failure"]["message"])
            self.assertIn(f"got {value}", failed["failure"]["message"])

    def test_over_the_embedded_store(self):
        gaur = self.server(CONFIG.replace("URL", "embedded:./data")).start()
        self.check(gaur)
        self.check_digits(gaur)

    def test_over_redis(self):
        redis = self.redis()
        gaur = self.server(CONFIG.replace("URL", f"redis://127.0.0.1:{redis.port}/0")).start()
        self.check(gaur)
        self.check_digits(gaur)
        keys = self.call(redis)("KEYS", "*:q:1")
        stored = self.call(redis)("HGET", keys[0], "data")
        self.assertEqual([bits(value) for value in json.loads(stored)["x"]], [bits(value) for value in doubles(1)])

    def test_options_are_taken_exactly_or_rejected_by_name(self):
        gaur = self.server(CONFIG.replace("URL", "embedded:./data")).start()
        for options, expected in (
            ('{"priority":9007199254740993}', "options.priority: a whole number from 0 to"),
            ('{"priority":1.5}', "options.priority: a whole number from 0 to"),
            ('{"priority":-1}', "options.priority: a whole number from 0 to"),
            ('{"delay":1.5}', 'options.delay: \\"1.5\\" is not a duration'),
            ('{"delay":18446744073709551616}', 'options.delay: \\"1.8446744073709552e+19\\" is not a duration'),
            ('{"delay":-1}', "delay"),
            ('{"timestamp":1e400}', "options.timestamp: a whole number from 0 to"),
            ('{"attempts":1e2147483640}', "options.attempts: a whole number from 1 to"),
        ):
            response = gaur.post("/v1/queues/q/jobs", f'{{"name":"echo","data":{{"x":[]}},"options":{options}}}')
            self.assertEqual(response.status, 400, response.text)
            self.assertIn(expected, response.text)


if __name__ == "__main__":
    unittest.main()
