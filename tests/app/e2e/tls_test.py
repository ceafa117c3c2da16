"""HTTPS: certificates are verified, replaced without a restart, and asked for (mutual TLS)."""

import http.client
import os
import socket
import ssl
import subprocess
import unittest

from harness import GAUR, EndToEnd, until

KEYS = """
[queues.q]
[server]
tls_certificate = "server.pem"
tls_key = "server.key"
"""
TOKEN = "0123456789abcdef-tls"


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def make_authority(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")


def make_certificate(folder, name, authority, serial, days=2):
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key.new",
            "-out", f"{name}.csr", "-subj", f"/CN={name}")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
            "-set_serial", str(serial), "-out", f"{name}.pem.new", "-days", str(days), "-extfile", "names")
    os.replace(folder / f"{name}.key.new", folder / f"{name}.key")
    os.replace(folder / f"{name}.pem.new", folder / f"{name}.pem")


class TlsTest(EndToEnd):
    def setUp(self):
        super().setUp()
        make_authority(self.folder, "ca")
        make_certificate(self.folder, "server", "ca", 1)

    def context(self, certificate=None, authority="ca"):
        context = ssl.create_default_context(cafile=str(self.folder / f"{authority}.pem"))
        if certificate:
            context.load_cert_chain(self.folder / f"{certificate}.pem", self.folder / f"{certificate}.key")
        return context

    def request(self, gaur, context, method="GET", path="/healthz", body=None, headers=None):
        connection = http.client.HTTPSConnection("127.0.0.1", gaur.port, timeout=60, context=context)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def serve(self, keys=KEYS):
        gaur = self.server(keys)
        return gaur.start(ready=False)

    def test_requests_of_all_kinds(self):
        gaur = self.serve()
        trusted = self.context()
        self.assertIn("https://127.0.0.1", gaur.log())
        status, body = self.request(gaur, trusted, "POST", "/v1/queues/q/pause")
        self.assertEqual(status, 204, body)
        self.assertEqual(self.request(gaur, trusted, path="/v1/queues")[0], 200)
        self.assertIn("server.pem expires within two weeks", gaur.log())
        with socket.create_connection(("127.0.0.1", gaur.port)) as plain:  # plain HTTP on the TLS port
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            plain.settimeout(30)
            self.assertNotIn(b"200", plain.recv(1000))
        with self.assertRaises(ssl.SSLCertVerificationError):
            make_authority(self.folder, "other")
            self.request(gaur, self.context(authority="other"))
        # 100 Continue, a body in pieces, two requests on one connection, and an orderly end.
        with socket.create_connection(("127.0.0.1", gaur.port)) as raw:
            with trusted.wrap_socket(raw, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as tls:
                body = b'{"name":"none"}'
                tls.sendall(b"POST /v1/queues/q/jobs HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n"
                            + f"Content-Length: {len(body)}\r\n\r\n".encode())
                self.assertIn(b"100 Continue", tls.recv(1000))
                tls.sendall(body[:3])
                tls.sendall(body[3:])
                self.assertIn(b" 404 ", tls.recv(10_000))
                tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                received = b""
                while piece := tls.recv(10_000):  # raises if the end is not a close_notify
                    received += piece
                self.assertIn(b" 200 ", received)

    def test_a_new_certificate_is_used_without_a_restart(self):
        gaur = self.serve()
        serial = lambda: self.serial(gaur)
        self.assertEqual(serial(), 1)
        make_certificate(self.folder, "server", "ca", 2)
        until(lambda: serial() == 2, what="the new certificate")
        (self.folder / "server.pem").write_text("damaged")
        until(lambda: "TLS not reloaded" in gaur.log(), what="the error")
        self.assertEqual(serial(), 2)
        make_certificate(self.folder, "server", "ca", 3, days=-1)
        until(lambda: "server.pem has expired" in gaur.log(), what="the warning")

    def serial(self, gaur):
        with socket.create_connection(("127.0.0.1", gaur.port)) as raw:
            with self.context().wrap_socket(raw, server_hostname="127.0.0.1") as tls:
                return int(tls.getpeercert()["serialNumber"], 16)

    def test_mutual_tls(self):
        make_authority(self.folder, "clients")
        make_certificate(self.folder, "client", "clients", 7)
        make_authority(self.folder, "unknown_ca")
        make_certificate(self.folder, "unknown", "unknown_ca", 8)
        make_certificate(self.folder, "expired", "clients", 9, days=-1)
        gaur = self.serve(KEYS + 'tls_client_ca = "clients.pem"\n')
        self.assertEqual(self.request(gaur, self.context("client"))[0], 200)
        status, body = self.request(gaur, self.context("client"), path="/v1/queues", headers={"Host": "gaur.example:1"})
        self.assertEqual(status, 200, body)  # the certificate protects, not the name
        for certificate in (None, "unknown", "expired"):
            with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                self.request(gaur, self.context(certificate))
        quiet = subprocess.run([str(GAUR), "quiet"], cwd=gaur.folder, capture_output=True, text=True)
        self.assertEqual(quiet.returncode, 0, quiet.stderr)

    def test_commands_reach_their_host_and_no_other(self):
        (self.folder / "token").write_text(TOKEN + "\n")
        gaur = self.serve(KEYS + 'token_file = "token"\n')
        quiet = subprocess.run([str(GAUR), "quiet"], cwd=gaur.folder, capture_output=True, text=True)
        self.assertEqual(quiet.returncode, 0, quiet.stderr)
        make_certificate(self.folder, "impostor", "ca", 9)
        toml = (gaur.folder / "gaur.toml").read_text()
        (gaur.folder / "other.toml").write_text(toml.replace("server.pem", "impostor.pem").replace("server.key", "impostor.key"))
        quiet = subprocess.run([str(GAUR), "quiet", "--config", "other.toml"], cwd=gaur.folder, capture_output=True, text=True)
        self.assertNotEqual(quiet.returncode, 0)
        self.assertIn("certificate", quiet.stderr)

    def test_each_wrong_file_is_named(self):
        make_certificate(self.folder, "other", "ca", 3)
        for old, new, said in (("server.key", "other.key", "belongs to another certificate|key values mismatch"), ("server.pem", "server.key", "server.key as a certificate"),
                               ("server.pem", "none.pem", "there is no file"), ('tls_key = "server.key"\n', "", "needs server.tls_key"),
                               ("server.key", "", "there is no file")):
            (self.folder / "gaur.toml").write_text(KEYS.replace(old, new))
            started = subprocess.run([str(GAUR), "serve", "--server.listen=127.0.0.1:0"], cwd=self.folder, capture_output=True, text=True, timeout=60)
            self.assertEqual(started.returncode, 1, started.stderr)
            self.assertRegex(started.stderr, said)
            checked = subprocess.run([str(GAUR), "check"], cwd=self.folder, capture_output=True, text=True, timeout=60)
            self.assertEqual(checked.returncode, 1, checked.stdout)
            self.assertRegex(checked.stdout + checked.stderr, said)


if __name__ == "__main__":
    unittest.main()
