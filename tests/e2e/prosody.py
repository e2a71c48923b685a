"""A Prosody of its own: configuration, data and certificate in a temporary folder, ports on loopback, a user of its own where
there is root, ended by its process id; and a small client of it (RFC 6120) that sends what is to be archived."""
import base64
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from kustos import free_port

DOMAIN = "amt.example"
ROOMS = "konferenz.amt.example"


def why_not():
    return None if shutil.which("prosody") and shutil.which("prosodyctl") else "Prosody is not installed"


class Prosody:
    def __init__(self, users, archive_limit=100_000):
        self.folder = Path(tempfile.mkdtemp(prefix="kustos-prosody-"))
        self.folder.chmod(0o755)
        self.port, self.direct_port, self.https_port = free_port(), free_port(), free_port()
        self.log, self.config = self.folder / "prosody.log", self.folder / "prosody.cfg.lua"
        self.ca, self.key = self.folder / "server.crt", self.folder / "server.key"
        (self.folder / "data").mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", f"/CN={DOMAIN}", "-addext", f"subjectAltName=DNS:{DOMAIN},DNS:{ROOMS},DNS:localhost", "-out", self.ca,
                        "-keyout", self.key], check=True, capture_output=True)
        tls = f'{{ key = "{self.key}"; certificate = "{self.ca}" }}'
        self.config.write_text(f"""
pidfile = "{self.folder}/data/prosody.pid"
data_path = "{self.folder}/data"
log = {{ {{ levels = {{ min = "info" }}, to = "file", filename = "{self.folder}/data/prosody.log" }} }}
modules_enabled = {{ "saslauth", "tls", "disco", "roster", "mam", "ping", "admin_shell" }}
modules_disabled = {{ "s2s", "offline" }}
admin_socket = "{self.folder}/data/prosody.sock"
authentication = "internal_hashed"
c2s_require_encryption = true
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {self.port} }}
c2s_direct_tls_ports = {{ {self.direct_port} }}
c2s_direct_tls_ssl = {tls}
http_ports = {{ }}
https_ports = {{ {self.https_port} }}
https_interfaces = {{ "127.0.0.1" }}
https_ssl = {tls}
ssl = {tls}
archive_expires_after = "never"
muc_log_expires_after = "never"
storage_archive_item_limit = {archive_limit}
VirtualHost "{DOMAIN}"
Component "{ROOMS}" "muc"
  modules_enabled = {{ "muc_mam" }}
  muc_log_by_default = true
  muc_room_locking = false
  muc_room_default_public_jids = true
  muc_room_default_persistent = true
Component "upload.{DOMAIN}" "http_file_share"
  http_host = "localhost"
  http_external_url = "https://localhost:{self.https_port}/"
""")
        self.user = "prosody" if os.geteuid() == 0 else None
        if self.user:
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, self.user)
        self.passwords, self.clients = {}, []
        self.process = None
        for user in users:
            self.passwords[user] = f"pw-{user}-4711"
            self.ctl("register", user, DOMAIN, self.passwords[user])
        self.start()

    def ctl(self, *arguments):
        subprocess.run(["prosodyctl", "--config", self.config, *arguments], check=True, capture_output=True, timeout=60, user=self.user)

    def start(self):
        self.process = subprocess.Popen(["prosody", "--config", self.config, "-F"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, user=self.user)
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError("Prosody did not start")

    def end(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def stop(self):
        for client in self.clients:
            client.close()
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, user):
        client = Client(self, user)
        self.clients.append(client)
        return client


class Client:
    """Logged in, present. What it sends is processed when sync() has returned: a stream is worked off in order."""

    def __init__(self, server, user):
        self.server, self.user, self.jid = server, user, f"{user}@{DOMAIN}"
        self.buffer, self.number, self.lock = "", 0, threading.Lock()
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self.open()
        self.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        self.expect("<proceed")
        context = ssl.create_default_context(cafile=server.ca)
        self.socket = context.wrap_socket(self.socket, server_hostname=DOMAIN)
        self.open()
        token = base64.b64encode(f"\0{user}\0{server.passwords[user]}".encode()).decode()
        self.say(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>")
        self.expect("<success")
        self.open()
        self.iq("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>", "set")
        self.say("<presence/>")

    def open(self):
        self.buffer = ""
        self.say(f"<?xml version='1.0'?><stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' "
                 "xmlns:stream='http://etherx.jabber.org/streams'>")
        self.expect("</stream:features>")

    def say(self, text):
        self.socket.sendall(text.encode())

    def expect(self, text):
        """What came up to and with `text`, which is looked for with a regular expression."""
        while not (found := re.search(text, self.buffer, re.S)):
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"the server hung up, {text} did not come: {self.buffer[-500:]}")
            self.buffer += piece.decode("utf-8", "replace")
        came, self.buffer = self.buffer[:found.end()], self.buffer[found.end():]
        return came

    def iq(self, content, kind="get", to=None):
        self.number += 1
        number = f"q{self.number}"
        self.say(f"<iq id='{number}' type='{kind}'{' to=' + quoteattr(to) if to else ''}>{content}</iq>")
        return self.expect(rf"<iq[^>]*id='{number}'[^>]*(/>|>.*?</iq>)")

    def sync(self):
        self.iq("<ping xmlns='urn:xmpp:ping'/>", to=DOMAIN)

    def message(self, to, content, kind="chat", number=None):
        self.number += 1
        number = number or f"{self.user}-{self.number}"
        self.say(f"<message to={quoteattr(to)} type='{kind}' id={quoteattr(number)}>{content}</message>")
        return number

    def text(self, to, body, kind="chat"):
        return self.message(to, f"<body>{escape(body)}</body>", kind)

    def join(self, room):
        self.say(f"<presence to='{room}@{ROOMS}/{self.user}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>")
        self.expect("code='110'")
        return f"{room}@{ROOMS}"

    def upload(self, name, content):
        """The link of a file that the server keeps (XEP-0363)."""
        answer = self.iq(f"<request xmlns='urn:xmpp:http:upload:0' filename={quoteattr(name)} size='{len(content)}'/>", to=f"upload.{DOMAIN}")
        put, get = re.search(r"<put[^>]*url='([^']+)'", answer), re.search(r"<get[^>]*url='([^']+)'", answer)
        token = re.search(r"<header[^>]*>([^<]+)</header>", answer)
        request = urllib.request.Request(put.group(1).replace("&amp;", "&"), content, method="PUT")
        if token:
            request.add_header("Authorization", token.group(1))
        context = ssl.create_default_context(cafile=self.server.ca)
        with urllib.request.urlopen(request, context=context, timeout=30) as done:
            assert done.status == 201
        return get.group(1)

    def close(self):
        self.socket.close()
