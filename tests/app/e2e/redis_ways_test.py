"""A whole host over the other ways to Redis: TLS that is verified, and a Unix socket."""

import json
import subprocess
import unittest

from redis_hosts import PREFIX, RedisHosts


def make_certificates(folder):
    """An authority, a server's certificate for 127.0.0.1, and an authority that signed nothing."""

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "other_ca"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key",
            "-out", "server.csr", "-subj", "/CN=redis")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem",
            "-days", "2", "-extfile", "names")


class RedisWaysTest(RedisHosts):
    def runs_a_job(self, redis, url):
        call = self.call(redis)
        job_id = self.bull_add(call, {"func": "sleep", "ms": 5})
        work = self.worker(redis).start(f"--store.url={url}")
        self.assertEqual(json.loads(self.finished(call, job_id)["returnvalue"]), {"slept": 5})
        self.assertIn(f"prefix {PREFIX}", work.host()["store"])
        code, said = work.run("leave", "--env", "prod.env", f"--store.url={url}")
        self.assertEqual(code, 0, said)
        self.assertIn("safe to start pm2", said)

    def test_a_unix_socket(self):
        redis = self.redis("--unixsocket", str(self.folder / "redis.sock"))
        self.runs_a_job(redis, f"redis+unix://{self.folder}/redis.sock")

    def tls_redis(self):
        make_certificates(self.folder)
        probe = self.redis()  # a port that is free once it has gone
        probe.kill()
        file = lambda name: str(self.folder / name)
        return self.redis("--tls-port", str(probe.port), "--tls-cert-file", file("server.pem"), "--tls-key-file", file("server.key"),
                          "--tls-ca-cert-file", file("ca.pem"), "--tls-auth-clients", "no"), probe.port

    def test_tls_with_a_certificate_that_verifies(self):
        redis, port = self.tls_redis()
        self.runs_a_job(redis, f"rediss://127.0.0.1:{port}/0?ca={self.folder}/ca.pem")

    def test_a_certificate_that_does_not_verify_is_refused_in_words(self):
        redis, port = self.tls_redis()
        code, said = self.worker(redis).run(
            "work", "--env", "prod.env", f"--store.url=rediss://127.0.0.1:{port}/0?ca={self.folder}/other_ca.pem")
        self.assertEqual(code, 3, said)
        self.assertIn("certificate", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
