"""A Dovecot of its own: configuration and mailboxes in a temporary folder, two ports on loopback, ended by its process id."""
import imaplib
import os
import pwd
import shutil
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from kustos import free_port

PROGRAM = Path("/usr/sbin/dovecot")


def why_not():
    if not PROGRAM.exists() or not Path("/usr/lib/dovecot/imap").exists():
        return "Dovecot is not installed"
    return None if os.geteuid() == 0 else "Dovecot can be started by root alone"


class Dovecot:
    user, password = "journal", "from a machine"

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="kustos-dovecot-"))
        self.folder.chmod(0o755)
        self.port, self.tls_port = free_port(), free_port()
        self.certificate, key = self.folder / "dovecot.crt", self.folder / "dovecot.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                        "-out", self.certificate, "-keyout", key], check=True, capture_output=True)
        nobody = pwd.getpwnam("nobody")
        self.mail = self.folder / "mail"
        self.mail.mkdir()
        shutil.chown(self.mail, nobody.pw_uid, nobody.pw_gid)
        (self.folder / "users").write_text(f"{self.user}:{{PLAIN}}{self.password}\n")
        self.log = self.folder / "log"
        self.config = self.folder / "dovecot.conf"
        self.config.write_text(f"""protocols = imap
listen = 127.0.0.1
base_dir = {self.folder}/run
state_dir = {self.folder}/state
log_path = {self.log}
mail_location = maildir:{self.mail}
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 1000
auth_mechanisms = plain login
disable_plaintext_auth = yes
ssl = required
ssl_cert = <{self.certificate}
ssl_key = <{key}
service imap-login {{
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
    ssl = yes
  }}
  chroot =
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = {self.folder}/users
}}
userdb {{
  driver = static
  args = uid={nobody.pw_uid} gid={nobody.pw_gid} home={self.mail}
}}
namespace inbox {{
  inbox = yes
}}
""")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([PROGRAM, "-F", "-c", self.config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with self.client():
                    return
            except (OSError, imaplib.IMAP4.error):
                time.sleep(0.05)
        raise AssertionError("Dovecot did not start: " + (self.log.read_text() if self.log.exists() else ""))

    def client(self):
        client = imaplib.IMAP4_SSL("127.0.0.1", self.tls_port, timeout=30,
                                   ssl_context=ssl.create_default_context(cafile=self.certificate))
        client.login(self.user, self.password)
        return client

    def append(self, mails, mailbox="INBOX", flags=""):
        with self.client() as client:
            for mail in mails:
                answer = client.append(mailbox, flags, None, mail)
                assert answer[0] == "OK", answer

    def mails(self, mailbox="INBOX"):
        """All that the server says of each mail, without changing anything: uid, flags, dates, bytes; in its order."""
        with self.client() as client:
            client.select(mailbox, readonly=True)
            found = client.uid("SEARCH", "ALL")[1][0].split()
            if not found:
                return []
            answer = client.uid("FETCH", b",".join(found), "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[1]
            return [part for part in answer if isinstance(part, tuple)]

    def count(self, mailbox="INBOX"):
        with self.client() as client:
            answer = client.select(mailbox, readonly=True)
            return int(answer[1][0]) if answer[0] == "OK" else 0

    def remove(self, numbers, mailbox="INBOX"):
        """Somebody deletes mails, by their place in the mailbox."""
        with self.client() as client:
            client.select(mailbox)
            client.store(",".join(map(str, numbers)), "+FLAGS", "\\Deleted")
            client.expunge()

    def number_anew(self):
        """Another UIDVALIDITY, and other numbers, as after a restore."""
        self.end()
        for file in [*self.mail.glob("dovecot*"), *self.mail.glob("*/dovecot.*")]:
            file.unlink()
        self.start()

    def end(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def stop(self):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)
