"""The ledger under mixed needs: grants stay within the capacity, and a large job starts in time under a stream of small ones."""

import threading
import unittest

from harness import TESTBED, EndToEnd, Sampler, milliseconds, until

MAX_HEAD_WAIT_MS = 4000
SMALL_MS = 120
CONFIG = f'''
[store]
url = "embedded:./data"
[queues.q]
order = "backfill"
max_head_wait = "{MAX_HEAD_WAIT_MS}ms"
{TESTBED}
[functions.small]
pool = "testbed"
needs = {{ cores = 1, memory = "1GB" }}
[functions.big]
pool = "testbed"
needs = {{ cores = 1024, memory = "6GB" }}   # all cores: clamped to the capacity
'''


class LedgerTest(EndToEnd):
    def feed(self, server, stop, note):
        """Keeps about thirty small jobs waiting until `stop` is set."""
        while not stop.wait(0.02):
            waiting = server.counts("q")["waiting"]
            if waiting < 30:
                body = [{"name": "small", "data": {"ms": SMALL_MS, "note": str(note)}}] * (30 - waiting)
                server.post("/v1/queues/q/jobs", body)

    def test_a_large_job_starts_in_time_under_a_stream_of_small_ones(self):
        server = self.server(CONFIG).start()
        stop = threading.Event()
        note = self.folder / "runs"
        feeder = threading.Thread(target=self.feed, args=(server, stop, note))
        feeder.start()
        try:
            with Sampler(server) as sampler:
                until(lambda: note.exists() and len(note.read_text().split()) > 10, what="the stream of small jobs")
                before = len(note.read_text().split())
                big = server.add("big", {"ms": 300})
                until(lambda: server.job("q", big)["state"] != "waiting", what="the start of the big job")
                passed = len(note.read_text().split()) - before
                job = server.finished("q", big)
        finally:
            stop.set()
            feeder.join()
        waited = milliseconds(job["timestamp"], job["processed_on"])
        print(f"the big job waited {waited:.0f} ms of at most {MAX_HEAD_WAIT_MS}; {passed} small ones started in that time; "
              f"{sampler.samples} samples, at most {sampler.most_cores:g} of {sampler.capacity_cores:g} cores and "
              f"{sampler.most_memory / 1e9:.1f} of {sampler.capacity_memory / 1e9:.1f} GB")
        self.assertEqual(job["state"], "completed")
        self.assertLessEqual(waited, MAX_HEAD_WAIT_MS)
        self.assertGreater(passed, 0, "no small job started while the large one waited")
        self.assertGreater(sampler.samples, 20)
        self.assertLessEqual(sampler.most_cores, sampler.capacity_cores)
        self.assertLessEqual(sampler.most_memory, sampler.capacity_memory)
        self.assertEqual(sampler.most_cores, sampler.capacity_cores, "the capacity was never fully used: the test proves nothing")

    def test_a_waiting_job_has_its_reason(self):
        server = self.server(CONFIG).start()
        running = server.add("big", {"ms": 20_000})
        until(lambda: server.job("q", running)["state"] == "active")
        waiting = server.add("small", {"ms": 1})
        reason = until(lambda: server.job("q", waiting).get("waiting", {}).get("reason"), what="a reason")
        self.assertIn("needs 1 core", reason)
        self.assertEqual(server.post(f"/v1/queues/q/jobs/{running}/cancel", {"who": "test", "why": "enough"}).status, 202)
        self.assertEqual(server.finished("q", running)["failure"]["code"], "cancelled")
        self.assertEqual(server.finished("q", waiting)["state"], "completed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
