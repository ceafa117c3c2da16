"""A host that reaches Redis over verified TLS or a Unix socket."""

import json
import subprocess
import unittest

from redis_hosts import PREFIX, RedisHosts


def make_certificates(folder):
    """Makes a CA, a server certificate for 127.0.0.1, and a second CA that signed no certificate."""

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
    def check_a_job(self, redis, url):
        call = self.call(redis)
        job_id = self.bull_add(call, {"func": "sleep", "ms": 5})
        work = self.worker(redis).start(f"--store.url={url}")
        self.assertEqual(json.loads(self.finished(call, job_id)["returnvalue"]), {"slept": 5})
        self.assertIn(f"prefix {PREFIX}", work.host()["store"])
        code, output = work.run("leave", "--env", "prod.env", f"--store.url={url}")
        self.assertEqual(code, 0, output)
        self.assertIn("safe to start pm2", output)

    def test_a_unix_socket(self):
        redis = self.redis("--unixsocket", str(self.folder / "redis.sock"))
        self.check_a_job(redis, f"redis+unix://{self.folder}/redis.sock")

    def tls_redis(self):
        make_certificates(self.folder)
        probe = self.redis()  # its port is free after kill()
        probe.kill()
        file = lambda name: str(self.folder / name)
        return self.redis("--tls-port", str(probe.port), "--tls-cert-file", file("server.pem"), "--tls-key-file", file("server.key"),
                          "--tls-ca-cert-file", file("ca.pem"), "--tls-auth-clients", "no"), probe.port

    def test_tls_with_a_certificate_that_verifies(self):
        redis, port = self.tls_redis()
        self.check_a_job(redis, f"rediss://127.0.0.1:{port}/0?ca={self.folder}/ca.pem")

    def test_a_certificate_that_does_not_verify_is_rejected_with_the_reason(self):
        redis, port = self.tls_redis()
        code, output = self.worker(redis).run(
            "work", "--env", "prod.env", f"--store.url=rediss://127.0.0.1:{port}/0?ca={self.folder}/other_ca.pem")
        self.assertEqual(code, 3, output)
        self.assertIn("certificate", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
