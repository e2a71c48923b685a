"""Archives and bundles made by the real programs, for agreement_test.py."""
import base64
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import kustos_verify as kv

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("KUSTOS_BIN", ROOT / "build" / "bin")).resolve()
DEMO = ROOT / "tests" / "data" / "demo"


class Archive:
    """An archive directory, the store of its signer, and what was exported from it."""

    def __init__(self, folder, name, tsa="builtin"):
        self.folder, self.path, self.state = folder, folder / name, folder / (name + "-state")
        self.kustos("init", self.path, "--tsa", tsa)
        self.trust = self.path / "trust.policy"
        self.matter = None

    def kustos(self, *arguments):
        environment = dict(os.environ, KUSTOS_ARCHIVE=str(self.path), KUSTOS_STATE=str(self.state), LC_ALL="C.UTF-8")
        done = subprocess.run([BIN / "kustos", "--json", *map(str, arguments)], env=environment, capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"kustos {' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def ingest(self, source, *paths, form="auto"):
        self.kustos("source", "add", source, "--kind", "import")
        self.kustos("ingest", "--source", source, "--format", form, *paths)

    def export(self, name, query):
        if self.matter is None:
            self.matter = self.kustos("matter", "new", "--reference", "30-Z 114/26", "--ground", "Test")["id"]
        out = self.folder / name
        self.kustos("export", "--matter", self.matter, "--query", query, "--out", out)
        return out.read_bytes()

    def signed_report(self, name):
        out = self.folder / name
        self.kustos("verify", "--report", out)
        return out.read_bytes()

    def hit_report(self, name, *terms):
        """Behind export(), whose matter it is of."""
        out, listed = self.folder / name, self.folder / "terms.txt"
        listed.write_text("\n".join(terms) + "\n", encoding="utf-8")
        self.kustos("hits", "report", "--matter", self.matter, "--terms", listed, "--out", out)
        return out.read_bytes()

    def signer(self, name):
        """A file of the signer's store."""
        return next(self.state.glob("*/signer/" + name)).read_bytes()

    def evidence(self):
        """Key (PEM) and certificate (DER) of the bundles' signatures."""
        body = self.signer("evidence.crt").decode().split("-----")[2]
        return self.signer("evidence.key"), base64.b64decode(body)


def make_demo(folder):
    """The sample: messenger, mail, and a bundle of it."""
    archive = Archive(folder, "demo")
    archive.ingest("messenger", DEMO / "messenger.zip", form="mattermost-csv")
    archive.ingest("mail", DEMO / "mail.mbox", *sorted((DEMO / "mail").glob("*.eml")))
    archive.report = archive.signed_report("demo-report.pdf")
    archive.bundle = archive.export("demo.pdf", "Fundamente OR Fangstelle OR Holzfeuchte")
    archive.hits = archive.hit_report("demo-hits.pdf", "Fundamente", "Holz\tHolzfeuchte OR Fangstelle", "nichts*")
    return archive


def make_large(folder):
    """Two segments, more than one tile, attachments in the record, in a segment, and in a file of their own."""
    chance, lines = random.Random(4), []
    for i in range(300):
        line = {"id": f"m{i}", "kind": "chat", "sent_at": "2026-03-02T10:00:00Z", "sender": {"id": f"u{i % 7}"},
                "body": f"Nachricht{i} zum Vorgang"}
        size = 930_000 if i < 74 else {80: 1_200_000, 81: 1_200_000, 90: 90_000, 91: 90_000, 92: 2_000}.get(i, 0)
        if size:
            content = base64.b64encode(chance.randbytes(size)).decode()
            line["attachments"] = [{"name": f"a{i}.bin", "type": "application/octet-stream", "content_base64": content}]
        lines.append(json.dumps(line))
    stream = folder / "large.ndjson"
    stream.write_text("\n".join(lines) + "\n")
    archive = Archive(folder, "large")
    archive.ingest("stream", stream, form="stream")
    stream.unlink()
    archive.bundle = archive.export("large.pdf", "Nachricht90 OR Nachricht80 OR Nachricht92 OR Nachricht250")
    return archive


@contextlib.contextmanager
def authority():
    """An authority that is not the archive's: (address, root certificate as DER)."""
    server = subprocess.Popen([sys.executable, ROOT / "tests" / "support" / "ts_reply_server.py"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        facts = dict(server.stdout.readline().split(None, 1) for _ in range(4))
        body = (Path(facts["folder"].strip()) / "root.crt").read_text().split("-----")[2]
        yield f"http://127.0.0.1:{facts['port'].strip()}/", base64.b64decode(body)
    finally:
        server.stdin.close()
        server.wait()
        server.stdout.close()


def make_witnessed(folder):
    """Checkpoints cosigned by two witnesses; the trust file of each quorum."""
    archive = Archive(folder, "witnessed")
    log = next(line for line in archive.trust.read_text().splitlines() if line.startswith("log "))
    servers, lines = [], []
    for name in ("one.example", "two.example"):
        server = subprocess.Popen([BIN / "kustos", "--json", "witness", "serve", "--dir", folder / name, "--name", name,
                                   "--port", "0", "--log", log.split()[1]], stdout=subprocess.PIPE, text=True)
        facts = json.loads(server.stdout.readline())
        servers.append(server)
        lines.append((name, facts["key"], facts["url"]))
    try:
        config = archive.path / "config.yaml"
        config.write_text(config.read_text().replace(
            "witnesses: []", "witnesses:" + "".join(f'\n  - "{url} {key}"' for _, key, url in lines)))
        archive.ingest("mail", DEMO / "mail.mbox")
        archive.report = archive.signed_report("witnessed-report.pdf")
        archive.bundle = archive.export("witnessed.pdf", "Fundamente")
    finally:
        for server in servers:
            server.terminate()
            server.wait()
            server.stdout.close()
    archive.log = log + "\n"
    archive.witness_lines = "".join(f"witness {name} {key}\n" for name, key, _ in lines)
    return archive


def make_rotated(folder):
    """Three keys, one after the other; the trust file is the one of before."""
    archive = Archive(folder, "rotated")
    archive.ingest("mail", DEMO / "mail.mbox")
    first = archive.trust.read_text()
    for n in range(2):
        archive.kustos("key", "rotate")
        archive.ingest(f"mail{n}", *sorted((DEMO / "mail").glob("*.eml"))[2 * n:2 * n + 2])
    archive.report = archive.signed_report("rotated-report.pdf")
    archive.bundle = archive.export("rotated.pdf", "Fundamente")
    archive.trust.write_text(first)
    return archive


def make_continued(folder):
    """Rolled back and continued, with a rotation on either side."""
    archive = Archive(folder, "continued")
    archive.ingest("mail", DEMO / "mail.mbox")
    archive.kustos("key", "rotate")
    shutil.copytree(archive.path, folder / "continued.old")
    mails = sorted((DEMO / "mail").glob("*.eml"))
    archive.ingest("lost", *mails[:3])
    shutil.rmtree(archive.path)
    (folder / "continued.old").rename(archive.path)
    archive.kustos("continue", "--yes")
    first = archive.trust.read_text()
    archive.ingest("more", *mails[:3])
    archive.kustos("key", "rotate")
    archive.ingest("last", *mails[3:4])
    archive.report = archive.signed_report("continued-report.pdf")
    archive.bundle = archive.export("continued.pdf", "Fundamente")
    archive.trust.write_text(first)
    return archive


def make_stamped(folder):
    """Time stamps by an authority of somebody else."""
    with authority() as (address, root):
        archive = Archive(folder, "stamped", tsa=address)
        archive.ingest("mail", DEMO / "mail.mbox")
        archive.bundle = archive.export("stamped.pdf", "Fundamente")
    archive.tsa_root = root
    return archive


def trust_line(name, level, certificate):
    return f"tsa {name} {level} {base64.b64encode(certificate).decode()}\n"


def token_signer(archive):
    """The certificate under which an archive's first token is signed."""
    token = kv.Token(sorted(archive.path.glob("ledger/anchors/*/0.der"))[0].read_bytes())
    return token.signer(token.certificates).der
