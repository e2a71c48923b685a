"""The real programs, as a tester drives them: an archive in a temporary folder, its server, and its verifier."""
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import http.client
import urllib.parse
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("KUSTOS_BIN", ROOT / "build" / "bin")).resolve()
DEMO = ROOT / "tests" / "data" / "demo"


def shared():
    """The folder of corpora that is not part of the repository, or None."""
    folder = Path(os.environ.get("KUSTOS_SHARED", ROOT.parent / "shared"))
    return folder if (folder / "corpora").is_dir() else None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def page_example(page, name):
    """The worked example of that name on a page of docs/format."""
    text = (ROOT / "docs" / "format" / page).read_text(encoding="utf-8")
    return re.search(rf"^```[a-z]+ example {re.escape(name)}\n(.*?)^```$", text, re.M | re.S).group(1)


def member(bundle, name):
    """A JSON member of a bundle's evidence container."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["pdfdetach", "-saveall", bundle, "-o", folder], check=True, capture_output=True)
        with zipfile.ZipFile(Path(folder) / "evidence.zip") as container:
            return json.loads(container.read(name))


def event(number, body="guten Tag", **more):
    """A line of the message stream."""
    line = {"id": f"m{number}", "kind": "chat", "sent_at": "2026-03-02T10:00:00Z", "sender": {"id": "u1"}, "body": body}
    return json.dumps({**line, **more}, ensure_ascii=False)


class Archive:
    def __init__(self, *init, create=True):
        self.folder = Path(tempfile.mkdtemp(prefix="kustos-e2e-"))
        self.path, self.state = self.folder / "archive", self.folder / "state"
        self.trust = self.path / "trust.policy"
        self.server = None
        if create:
            self.run("init", self.path, *init)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, *arguments, text=True, cwd=None, language="en"):
        environment = dict(os.environ, KUSTOS_ARCHIVE=str(self.path), KUSTOS_STATE=str(self.state), LC_ALL=language)
        return subprocess.run([BIN / "kustos", *map(str, arguments)], env=environment, capture_output=True, text=text,
                              check=False, cwd=cwd, stdin=subprocess.DEVNULL, timeout=300)

    def begin(self, *arguments):
        """A command on its way, to be killed."""
        environment = dict(os.environ, KUSTOS_ARCHIVE=str(self.path), KUSTOS_STATE=str(self.state), LC_ALL="en")
        return subprocess.Popen([BIN / "kustos", *map(str, arguments)], env=environment, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def run(self, *arguments, code=0, text=True):
        done = self.call(*arguments, text=text)
        if done.returncode != code:
            raise AssertionError(f"kustos {arguments[0]} ended with {done.returncode}, not {code}: {done.stderr}")
        return done

    def json(self, *arguments):
        return json.loads(self.run("--json", *arguments).stdout)

    def verify(self, path=None, *arguments):
        """(exit code, report) of kustos-verify."""
        done = subprocess.run([BIN / "kustos-verify", path or self.path, "--json", *map(str, arguments)],
                              capture_output=True, text=True, check=False, timeout=300)
        return done.returncode, json.loads(done.stdout)

    def matter(self, reference="30-Z 114/26", ground="Art. 15 DSGVO"):
        return self.json("matter", "new", "--reference", reference, "--ground", ground)["id"]

    def access_entries(self):
        """How many the ledger holds (docs/format/ledger.md: u16 length || header || body; byte 2 is the kind)."""
        widest = {}
        for file in (self.path / "ledger" / "tile" / "entries").rglob("*"):
            if file.is_file():
                number, width = (file.parent, int(file.name)) if file.parent.suffix == ".p" else (file, 256)
                number = str(number).removesuffix(".p")
                if width >= widest.get(number, (0, None))[0]:
                    widest[number] = (width, file)
        count = 0
        for _, file in widest.values():
            bundle, at = file.read_bytes(), 0
            while at < len(bundle):
                count += bundle[at + 2 + 2] == 3
                at += 2 + int.from_bytes(bundle[at:at + 2], "big")
        return count

    def copy_to(self, folder):
        """Of a live archive, too: a partial tile may go while it is copied; then once more."""
        for again in range(9, -1, -1):
            try:
                return shutil.copytree(self.path, folder, ignore=shutil.ignore_patterns("*.sock"))
            except shutil.Error:
                shutil.rmtree(folder)
                if again == 0:
                    raise

    # --- the server ---
    def serve(self, port=None):
        self.port = port or free_port()
        environment = dict(os.environ, KUSTOS_ARCHIVE=str(self.path), KUSTOS_STATE=str(self.state), LC_ALL="en")
        self.out, self.err = self.folder / "serve.out", self.folder / "serve.err"
        before = len(self.out.read_text()) if self.out.exists() else 0
        with open(self.out, "ab") as out, open(self.err, "ab") as err:
            self.server = subprocess.Popen([BIN / "kustos", "serve", "--port", str(self.port)], env=environment,
                                           stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        for _ in range(1200):  # a sanitizer's build on a busy machine takes long
            if f"localhost:{self.port}" in self.out.read_text()[before:]:
                break
            if self.server.poll() is not None:
                raise AssertionError("kustos serve ended: " + self.err.read_text())
            time.sleep(0.05)
        else:
            raise AssertionError("kustos serve does not say that it listens: " + self.err.read_text())
        found = re.search(r"shown only now\): (\S+)", self.out.read_text())
        self.password = found.group(1) if found else None
        certificate = next(self.state.glob("*/tls/server.crt"))
        self.tls = ssl.create_default_context(cafile=str(certificate))

    def kill(self):
        self.server.kill()
        self.server.wait()
        self.server = None

    def stop(self):
        if self.server:
            self.server.terminate()
            self.server.wait(60)
            self.server = None

    def http(self, method, path, body=None, **headers):
        """(status, headers, body) of one request, with underscores in header names as dashes."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, timeout=60)
        try:
            connection.request(method, path, body=body.encode() if isinstance(body, str) else body,
                               headers={k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def push(self, source, token, lines, **headers):
        body = lines if isinstance(lines, (str, bytes)) else "\n".join(lines) + "\n"
        status, _, answer = self.http("POST", f"/api/v1/ingest/{source}", body, Authorization=f"Bearer {token}",
                                      Content_Type="application/x-ndjson", **headers)
        return status, json.loads(answer)

    def until(self, condition, seconds=30):
        for _ in range(seconds * 10):
            if condition():
                return
            time.sleep(0.1)
        said = self.err.read_text()[-2000:] if self.server else ""
        raise AssertionError(f"what was waited for did not come: {self.call('--json', 'status').stdout[:2000]} {said}")


class Browser:
    """What a browser keeps between two requests: a cookie, and the hidden field of the last form."""

    def __init__(self, archive):
        self.archive, self.cookie, self.form_token = archive, None, ""

    def get(self, path):
        return self._remember(self.archive.http("GET", path, **self._headers()))

    def post(self, path, **fields):
        body = urllib.parse.urlencode({"form_token": self.form_token, **fields})
        return self._remember(self.archive.http("POST", path, body, Content_Type="application/x-www-form-urlencoded",
                                                **self._headers()))

    def log_in(self, name, password):
        status, headers, _ = self.post("/login", name=name, password=password)
        if headers.get("Set-Cookie"):
            self.cookie = headers["Set-Cookie"].split(";")[0]
        return status

    def _headers(self):
        return {"Cookie": self.cookie, "Accept_Language": "en"} if self.cookie else {"Accept_Language": "en"}

    def _remember(self, answer):
        status, headers, body = answer
        text = body.decode("utf-8", "replace")
        found = re.search(r'name="form_token" value="([^"]+)"', text)
        if found:
            self.form_token = found.group(1)
        return status, headers, text


class SignerProcess:
    """kustos signer serve, over the store that init made; the archive finds it by its config.yaml."""

    def __init__(self, archive):
        self.archive = archive
        self.store = next(archive.state.glob("*/signer"))
        self.socket = archive.folder / "signer.sock"
        config = archive.path / "config.yaml"
        if "\nsigner:" not in config.read_text():
            config.write_text(config.read_text() + f"signer:\n  socket: {self.socket}\n")
        self.start()

    def start(self, *more):
        self.process = subprocess.Popen([BIN / "kustos", "--json", "signer", "serve", "--dir", self.store, "--socket", self.socket, *more],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.key = json.loads(self.process.stdout.readline())["key"]

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        self.process.wait(timeout=20)
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill(signal.SIGTERM)
