"""Time stamps of several authorities: one that is away, one behind a proxy, one that no network leads to."""
import http.server
import json
import subprocess
import threading
import unittest
import urllib.request

from kustos import BIN, DEMO, Archive, free_port


class Authority:
    """kustos tsa serve: RFC 3161 over HTTP, with keys of its own."""

    def __init__(self, folder, port=0):
        self.process = subprocess.Popen([BIN / "kustos", "--json", "--state", folder, "tsa", "serve", "--port", str(port)],
                                        stdout=subprocess.PIPE, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdout.close()


class Proxy:
    """Takes requests for any host, and hands them to one address."""

    def __init__(self, to):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                seen.append(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ask = urllib.request.Request(to, body, {"Content-Type": "application/timestamp-query"})
                with urllib.request.urlopen(ask) as answer:
                    reply = answer.read()
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def configure(archive, *lines, required=1):
    config = archive.path / "config.yaml"
    text = config.read_text()
    begin, end = text.index("  authorities:"), text.index("  interval_seconds")
    listed = "".join(f'    - "{line}"\n' for line in lines)
    config.write_text(text[:begin] + "  authorities:\n" + listed + f"  required: {required}\n" + text[end:])


def ingest(archive, name, *paths):
    archive.run("source", "add", name, "--kind", "import")
    archive.run("ingest", "--source", name, *paths)


def names(archive):
    """The authorities of each anchor, oldest first."""
    folders = sorted((archive.path / "ledger" / "anchors").iterdir(), key=lambda f: int(f.name.split("-")[-1], 16))
    return [sorted(f.read_text().strip() for f in folder.glob("*.authority")) for folder in folders]


class Anchors(unittest.TestCase):
    def test_an_authority_that_was_away_is_asked_again_and_adds_its_token(self):
        with Archive() as archive, Authority(archive.folder / "one") as one:
            port = free_port()
            configure(archive, f"{one.url} name=one", f"http://127.0.0.1:{port}/ name=two", required=2)
            ingest(archive, "mail", DEMO / "mail.mbox")
            self.assertEqual(names(archive)[-1], ["one"])
            self.assertIn("time_stamps.required", archive.run("status").stdout)
            book = next(archive.state.rglob("authorities"))
            failed = [line.split() for line in book.read_text().splitlines() if line.startswith("two ")]
            self.assertEqual(failed[0][1], "1", "one failure is remembered across runs")
            with Authority(archive.folder / "two", port):
                ingest(archive, "more", DEMO / "mail" / sorted(p.name for p in (DEMO / "mail").iterdir())[0])
                self.assertEqual(names(archive)[-1], ["one"], "it is not asked before its time has come")
                book.write_text(book.read_text().replace(" ".join(failed[0][:3]), "two 1 0"))
                archive.run("anchor", "request", "--out", archive.folder / "unused.tsq")
                self.assertEqual(names(archive)[-1], ["one", "two"])
            self.assertNotIn("time_stamps.required", archive.run("status").stdout)
            code, report = archive.verify()
            self.assertEqual(code, 0, report["problems"])

    def test_a_token_travels_through_a_proxy(self):
        with Archive() as archive, Authority(archive.folder / "one") as one, Proxy(one.url) as proxy:
            configure(archive, f"http://tsa.invalid/stamp name=far proxy={proxy.url}")
            ingest(archive, "mail", DEMO / "mail.mbox")
            self.assertEqual(names(archive)[-1], ["far"])
            self.assertEqual(set(proxy.seen), {"http://tsa.invalid:80/stamp"})

    def test_request_and_answer_are_carried_by_hand(self):
        with Archive() as archive:
            configure(archive)
            ingest(archive, "mail", DEMO / "mail.mbox")
            query, reply = archive.folder / "r.tsq", archive.folder / "r.tsr"
            archive.run("anchor", "request", "--out", query)
            openssl_authority(archive.folder / "ca", query, reply)
            refused = archive.run("anchor", "take", query, "--authority", "notary", code=5)
            self.assertIn("answers no request", refused.stderr)
            self.assertEqual(names(archive) if (archive.path / "ledger" / "anchors").exists() else [], [])
            archive.run("anchor", "take", reply, "--authority", "notary")
            self.assertEqual(names(archive), [["notary"]])
            archive.run("anchor", "take", reply, "--authority", "notary", code=5)
            root = "".join((archive.folder / "ca" / "tsa.pem").read_text().split("-----")[2].split())
            trust = archive.folder / "trust"
            trust.write_text(archive.trust.read_text().replace("quorum", f"tsa notary independent {root}\nquorum"))
            code, report = archive.verify(None, "--trust", trust)
            self.assertEqual((code, report["time"]), (0, "independent"), report["problems"])
            self.assertIn("notary", archive.run("status").stdout)

    def test_an_answer_carried_by_hand_counts_also_when_others_were_faster(self):
        with Archive() as archive, Authority(archive.folder / "one") as one:
            configure(archive)
            ingest(archive, "mail", DEMO / "mail.mbox")
            query, reply = archive.folder / "r.tsq", archive.folder / "r.tsr"
            archive.run("anchor", "request", "--out", query)
            openssl_authority(archive.folder / "ca", query, reply)
            configure(archive, f"{one.url} name=one")
            mails = sorted((DEMO / "mail").glob("*.eml"))
            ingest(archive, "more", *mails[:2])
            archive.run("anchor", "take", reply, "--authority", "notary")
            ingest(archive, "last", *mails[2:4])
            self.assertEqual(names(archive), [["notary"], ["one"], ["one"]])
            self.assertEqual(archive.verify()[0], 0)
            bundle = archive.folder / "b.pdf"
            archive.run("export", "--matter", archive.matter(), "--query", "Fundamente", "--out", bundle)
            self.assertEqual(archive.verify(bundle)[0], 0)
            archive.run("evidence", "3", "--out", archive.folder / "evidence")
            done = subprocess.run([BIN / "kustos-verify", "--evidence-record", archive.folder / "evidence" / "000000000003.ers",
                                   "--data", archive.folder / "evidence" / "000000000003.entry"], capture_output=True, check=False)
            self.assertEqual(done.returncode, 0)

    def test_an_archive_takes_only_a_signed_trust_file_and_says_what_it_makes_of_a_token(self):
        with Archive() as archive, Authority(archive.folder / "one") as one:
            configure(archive, f"{one.url} name=one")
            ingest(archive, "mail", DEMO / "mail.mbox")
            self.assertIn("one (not qualified)", archive.run("status").stdout)
            key = archive.run("trust", "key", "--name", "dpo.example/trust", "--out", archive.folder / "dpo.key").stdout.strip()
            root = (archive.folder / "one" / "tsa-serve" / "root.crt").read_text().split("-----")[2]
            text = archive.folder / "text"
            text.write_text(archive.trust.read_text().replace("quorum", f"tsa one qualified {''.join(root.split())}\nquorum"))
            signed = archive.folder / "signed"
            archive.run("trust", "sign", text, "--key", archive.folder / "dpo.key", "--out", signed)
            config = archive.path / "config.yaml"
            before = config.read_text()
            config.write_text(before + f"trust:\n  file: {text}\n  key: {key}\n")
            self.assertIn("not signed", archive.run("status", code=5).stderr)
            config.write_text(before + f"trust:\n  file: {signed}\n  key: {key}\n")
            self.assertIn("one (qualified)", archive.run("status").stdout)
            code, report = archive.verify(None, "--trust", signed, "--trust-key", key)
            self.assertEqual((code, report["time"], report["origin"]), (0, "qualified", "pinned"))
            self.assertFalse(any("trust-key" in line for line in report["not_checked"]))
            self.assertTrue(any("trust-key" in line for line in archive.verify(None, "--trust", signed)[1]["not_checked"]))
            signed.write_text(signed.read_text().replace("qualified", "independent"))
            archive.run("status", code=5)

    def test_what_shows_that_certificates_were_good_is_fetched_into_the_token(self):
        for way, ocsp, crls in (("ocsp", 1, 0), ("crl", 0, 1)):
            with self.subTest(way=way), Archive() as archive, Chain(archive.folder / "ca", way) as chain:
                configure(archive, f"{chain.url}/tsa name=far")
                ingest(archive, "mail", DEMO / "mail.mbox")
                token = max((archive.path / "ledger" / "anchors").glob("*/0.der"))
                shown = chain.openssl("cms", "-cmsout", "-print", "-inform", "DER", "-in", token).decode()
                self.assertEqual(shown.count("d.certificate:"), 2, "signer and issuer; the root is nobody's to give")
                self.assertEqual((shown.count("d.other:"), shown.count("d.crl:")), (ocsp, crls))
                trust = archive.folder / "trust"
                trust.write_text(archive.trust.read_text().replace("quorum", f"tsa far independent {chain.root}\nquorum"))
                code, report = archive.verify(None, "--trust", trust)
                self.assertEqual((code, report["time"]), (0, "independent"), report["problems"])

    def test_a_token_of_a_revoked_certificate_is_not_taken(self):
        for way in ("ocsp", "crl"):
            with self.subTest(way=way), Archive() as archive, Chain(archive.folder / "ca", way, revoked=True) as chain:
                configure(archive, f"{chain.url}/tsa name=far")
                ingest(archive, "mail", DEMO / "mail.mbox")
                self.assertEqual(list((archive.path / "ledger").glob("anchors/*/*.der")), [])
                self.assertIn("only by the archive's own clock so far", archive.run("status").stdout)

    def test_the_preview_says_what_an_interval_costs(self):
        with Archive() as archive:
            configure(archive, "http://a.invalid/ name=a", "http://b.invalid/ name=b")
            rows = {r["interval_seconds"]: r for r in archive.json("anchor", "preview", "--price", "0.05")["intervals"]}
            self.assertEqual(rows[3600]["tokens_per_day_at_most"], 48)
            self.assertAlmostEqual(rows[86400]["cost_per_year_at_most"], 36.5)
            self.assertIn("43800.00", archive.run("anchor", "preview", "--interval", "120", "--price", "0.0833333333333").stdout)

    def test_mistakes_in_the_list_of_authorities_are_told(self):
        with Archive() as archive:
            for line, said in (("http://a.invalid/ name=x colour=red", "colour"), ("http://a.invalid/ policy", "needs a value"),
                               ("ftp://a.invalid/", "http"), ("http://a.invalid/ certificate=/nowhere", "key")):
                configure(archive, line)
                self.assertIn(said, archive.run("status", code=2).stderr)
            configure(archive, "http://a.invalid/ name=x", "http://b.invalid/ name=x")
            self.assertIn("two have the name", archive.run("status", code=2).stderr)


class Chain:
    """An authority of openssl's: root, issuer, signer; its tokens carry the signer's certificate alone."""

    def __init__(self, folder, way, revoked=False):
        self.folder = folder
        folder.mkdir()
        chain = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def reply(self, content, kind):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self):
                self.reply((folder / self.path.strip("/")).read_bytes(), "application/octet-stream")

            def do_POST(self):
                (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/tsa":
                    chain.openssl("ts", "-reply", "-config", "ts.cnf", "-section", "tsa1", "-queryfile", "query", "-signer",
                                  "signer.pem", "-inkey", "signer.key", "-out", "reply")
                    self.reply((folder / "reply").read_bytes(), "application/timestamp-reply")
                else:
                    chain.openssl("ocsp", "-index", "index", "-CA", "issuer.pem", "-rsigner", "issuer.pem", "-rkey", "issuer.key",
                                  "-reqin", "query", "-respout", "reply", "-ndays", "1")
                    self.reply((folder / "reply").read_bytes(), "application/ocsp-response")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        where = (f"authorityInfoAccess = caIssuers;URI:{self.url}/issuer.der,OCSP;URI:{self.url}/ocsp" if way == "ocsp" else
                 f"authorityInfoAccess = caIssuers;URI:{self.url}/issuer.der\ncrlDistributionPoints = URI:{self.url}/issuer.crl")
        (folder / "serial").write_text("01")
        (folder / "ts.cnf").write_text(f"""
[req]
distinguished_name = dn
prompt = no
[dn]
CN = x
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
{where}
[tsa1]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[own]
database = index
crlnumber = crlnumber
default_md = sha256
default_crl_days = 30
private_key = issuer.key
certificate = issuer.pem
""")
        for name, by, extensions in (("root", None, "ca"), ("issuer", "root", "ca"), ("signer", "issuer", "signer")):
            sign = ["-CA", f"{by}.pem", "-CAkey", f"{by}.key"] if by else []
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                         "-out", f"{name}.pem", "-days", "30", "-config", "ts.cnf", "-extensions", extensions, "-subj",
                         f"/CN=test {name}", *sign)
        self.openssl("x509", "-in", "issuer.pem", "-outform", "DER", "-out", "issuer.der")
        serial = self.openssl("x509", "-in", "signer.pem", "-noout", "-serial").decode().strip().split("=")[1]
        state = "R\t300101000000Z\t260101000000Z" if revoked else "V\t300101000000Z\t"
        (folder / "index").write_text(f"{state}\t{serial}\tunknown\t/CN=test signer\n")
        (folder / "crlnumber").write_text("01")
        self.openssl("ca", "-gencrl", "-config", "ts.cnf", "-name", "own", "-out", "crl.pem")
        self.openssl("crl", "-in", "crl.pem", "-outform", "DER", "-out", "issuer.crl")
        self.root = "".join((folder / "root.pem").read_text().split("-----")[2].split())

    def openssl(self, *arguments):
        return subprocess.run(["openssl", *map(str, arguments)], cwd=self.folder, check=True, capture_output=True).stdout

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def openssl_authority(folder, query, reply):
    """A second implementation answers: openssl ts."""
    folder.mkdir()
    (folder / "serial").write_text("01")
    (folder / "ts.cnf").write_text("""
[req]
distinguished_name = dn
x509_extensions = tsa
prompt = no
[dn]
CN = A notary
[tsa]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
[ts]
default_tsa = tsa1
[tsa1]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
""")

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.pem", "-days", "30", "-config",
            "ts.cnf")
    openssl("ts", "-reply", "-config", "ts.cnf", "-section", "tsa1", "-queryfile", query, "-signer", "tsa.pem", "-inkey",
            "tsa.key", "-out", reply)


if __name__ == "__main__":
    unittest.main()
