"""Job data of other producers: JSON that only JavaScript writes, bytes that are not JSON, and data that tries to inject fields into a frame."""

import json
import time
import unittest

from harness import until
from redis_hosts import BASE, RedisHosts


class PeerDataTest(RedisHosts):
    def plant(self, call, data, **fields):
        """Adds a waiting job with these bytes as its data."""
        job_id = str(call("INCR", BASE + "id"))
        now = int(time.time() * 1000)
        flat = [part for pair in fields.items() for part in pair]
        call("HSET", BASE + job_id, "name", "__default__", "data", data, "opts", json.dumps({"attempts": 3, "delay": 0, "timestamp": now}),
             "timestamp", now, "delay", 0, "priority", 0, *flat)
        call("LPUSH", BASE + "wait", job_id)
        return job_id

    def test_data_with_unpaired_surrogates_is_run_and_shown(self):
        redis = self.redis()
        call = self.call(redis)
        escaped = self.plant(call, rb'{"func":"sleep","ms":1,"text":"cut \ud83d","whole":"\ud83d\ude00"}')
        raw = self.plant(call, b'{"func":"sleep","ms":1,"text":"cut \xed\xa0\xbd"}')
        deep = self.plant(call, b'{"func":"sleep","ms":1,"deep":' + b"[" * 500 + b"]" * 500 + b"}")
        work = self.worker(redis).start()
        for job_id in (escaped, raw, deep):
            self.assertEqual(json.loads(self.finished(call, job_id)["returnvalue"]), {"slept": 1})
        shown = work.get(f"/v1/queues/query/jobs/{escaped}")
        self.assertIn(r'"text":"cut \ud83d"', shown.text)
        self.assertEqual(shown.json["data"]["whole"], "\U0001f600")
        self.assertEqual(work.get(f"/v1/queues/query/jobs/{raw}").json["data"]["text"], "cut \ufffd\ufffd\ufffd")

    def test_data_that_is_not_json_is_shown_as_text_and_fails_with_the_reason(self):
        redis = self.redis()
        call = self.call(redis)
        injection = b'{"func":"sleep","ms":1},"function":"other","memory":1,"x":{}'
        work = self.worker(redis).start("--queues.query.unknown=fail")
        work.run("quiet", "--data", "gaur-data")
        planted = {self.plant(call, data, progress="50%", stacktrace="nothing"): data for data in (injection, b"{", b"\xff\xfe", b"\xef\xbb\xbf{}")}
        for job_id, data in planted.items():
            shown = work.get(f"/v1/queues/query/jobs/{job_id}").json
            if data.isascii():
                self.assertEqual(shown["data"], data.decode())
            self.assertIn("not JSON", shown["data_invalid"])
            self.assertEqual(shown["progress"], "50%")
        work.run("quiet", "--resume", "--data", "gaur-data")
        for job_id in planted:
            self.assertRegex(self.finished(call, job_id)["failedReason"], "the job's data cannot be read: not JSON")
            self.assertIn("not JSON", work.get(f"/v1/queues/query/jobs/{job_id}").json["failure"]["message"])


if __name__ == "__main__":
    unittest.main()
