#!/usr/bin/env python3
"""An independent time-stamping authority for tests: `openssl ts -reply` behind http.server.

It makes its own root and authority with the openssl program in a temporary folder, prints four lines
    port <http port>
    tls-port <https port, certificate for 127.0.0.1; 127.0.0.2 is served too>
    client-port <https port that asks for a client's certificate>
    folder <where root.crt (authority), tls.crt (server), client.crt and client.key lie>
and ends, removing the folder, when its standard input closes. POST to / is the authority; the other paths misbehave in
one way each. Standard library only.
"""
import http.server
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CONFIG = """
[req]
distinguished_name=dn
prompt=no
[dn]
CN=Independent test root
[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign
subjectKeyIdentifier=hash
[tsa]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
[tls]
basicConstraints=critical,CA:FALSE
subjectAltName=IP:127.0.0.1
[ts]
serial=serial
crypto_device=builtin
signer_cert=tsa.crt
certs=root.crt
signer_key=tsa.key
signer_digest=sha256
default_policy=1.2.3.4.1
digests=sha256,sha384,sha512
accuracy=secs:1
clock_precision_digits=3
ordering=no
tsa_name=yes
ess_cert_id_chain=no
ess_cert_id_alg=sha256
"""


def run(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_authority(folder):
    (folder / "ts.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "ts.cnf"]
    run(folder, "req", "-x509", *new_key, "-keyout", "root.key", "-sha256", "-days", "3650", "-extensions", "ca",
        "-out", "root.crt")
    for name, subject in (("tsa", "/CN=Independent test authority"), ("tls", "/CN=127.0.0.1"), ("client", "/CN=A customer")):
        run(folder, "req", *new_key, "-keyout", f"{name}.key", "-subj", subject, "-out", f"{name}.csr")
        run(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "root.crt", "-CAkey", "root.key", "-CAcreateserial",
            "-sha256", "-days", "3000", "-extfile", "ts.cnf", "-extensions", "tls" if name == "client" else name, "-out", f"{name}.crt")


class Handler(http.server.BaseHTTPRequestHandler):
    folder = None
    lock = threading.Lock()  # the serial file and q.tsq are one authority's
    first = None

    def answer(self, body):
        with Handler.lock:
            (self.folder / "q.tsq").write_bytes(body)
            run(self.folder, "ts", "-reply", "-config", "ts.cnf", "-section", "ts", "-queryfile", "q.tsq", "-out", "r.tsr")
            tsr = (self.folder / "r.tsr").read_bytes()
            Handler.first = Handler.first or tsr
            return tsr

    def send(self, status, body, content_type="application/timestamp-reply", **headers):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self, tsr):
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.end_headers()
        for byte in tsr:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.2)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] != "application/timestamp-query":
            return self.send(415, b"")
        if self.path == "/customers" and self.headers["Authorization"] != "Basic a3VuZGU6Z2VoZWltOiB3b3J0":  # kunde:geheim: wort
            return self.send(401, b"")
        tsr = self.answer(body)
        faults = {
            "/typed": lambda: self.send(200, tsr, "Application/Timestamp-Reply; charset=binary"),
            "/html": lambda: self.send(200, b"<html>", "text/html"),
            "/redirect": lambda: self.send(302, b"", Location="/"),
            "/forbidden": lambda: self.send(403, b""),
            "/missing": lambda: self.send(404, b""),
            "/broken": lambda: self.send(500, b""),
            "/busy": lambda: self.send(503, b""),
            "/large": lambda: self.send(200, bytes(100_000)),
            "/replay": lambda: self.send(200, Handler.first),
            "/cut": lambda: self.cut(tsr),
            "/drip": lambda: self.drip(tsr),
            "/silent": lambda: time.sleep(5),
            "/noise": lambda: self.wfile.write(b"\x00\x01\x02 no http\r\n\r\n"),
            "/endless": lambda: self.endless(),
        }
        faults.get(self.path.split("?")[0], lambda: self.send(200, tsr))()

    def cut(self, tsr):
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(tsr)))
        self.end_headers()
        self.wfile.write(tsr[:100])

    def endless(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.end_headers()
        for _ in range(10_000):
            self.wfile.write(bytes(10_000))

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):  # clients that hang up are what the tests are about
        pass


def main():
    with tempfile.TemporaryDirectory(prefix="kustos-tsa-") as name:
        Handler.folder = Path(name)
        make_authority(Handler.folder)
        plain = Server(("127.0.0.1", 0), Handler)
        secure = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Handler.folder / "tls.crt", Handler.folder / "tls.key")
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        misnamed = Server(("127.0.0.2", secure.server_port), Handler)
        misnamed.socket = context.wrap_socket(misnamed.socket, server_side=True)
        picky = Server(("127.0.0.1", 0), Handler)
        known = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        known.load_cert_chain(Handler.folder / "tls.crt", Handler.folder / "tls.key")
        known.load_verify_locations(Handler.folder / "root.crt")
        known.verify_mode = ssl.CERT_REQUIRED
        picky.socket = known.wrap_socket(picky.socket, server_side=True)
        for server in (plain, secure, misnamed, picky):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"port {plain.server_port}\ntls-port {secure.server_port}\nclient-port {picky.server_port}\nfolder {name}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
