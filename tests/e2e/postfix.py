"""A Postfix of its own: configuration and queue in a temporary folder, one port on loopback, ended by its process id."""
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from kustos import free_port

DAEMONS = Path("/usr/lib/postfix/sbin")


def why_not():
    if not (DAEMONS / "master").exists():
        return "Postfix is not installed"
    return None if os.geteuid() == 0 else "Postfix can be started by root alone"


class Postfix:
    """Every mail goes to the archive as well; to whom it was sent, it is thrown away."""

    def __init__(self, archive_port, archive="archive@archive.test", more=""):
        self.folder = Path(tempfile.mkdtemp(prefix="kustos-postfix-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.config, self.log = self.folder / "etc", self.folder / "log"
        for name in ("etc", "queue", "data"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        (self.config / "main.cf").write_text(f"""compatibility_level = 3.6
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
command_directory = /usr/sbin
daemon_directory = {DAEMONS}
maillog_file = {self.log}
maillog_file_prefixes = {self.folder}
myhostname = mail.example.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
always_bcc = {archive}
transport_maps = inline:{{ archive.test=lmtp:inet:127.0.0.1:{archive_port} }}
default_transport = discard:
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
lmtp_connection_cache_on_demand = yes
smtpd_relay_restrictions = permit_mynetworks, reject
smtputf8_autodetect_classes = all
{more}
""")
        (self.config / "master.cf").write_text(f"""127.0.0.1:{self.port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - 4 lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
""")
        self.master = None
        subprocess.run(["postfix", "-c", self.config, "check"], check=True, capture_output=True, timeout=60)
        self.start()

    def start(self):
        before = self.log.read_text().count("daemon started") if self.log.exists() else 0
        self.master = subprocess.Popen([DAEMONS / "master", "-c", self.config, "-d"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if self.log.exists() and self.log.read_text().count("daemon started") > before:
                return
            time.sleep(0.05)
        raise AssertionError("Postfix did not start")

    def configure(self, lines):
        with open(self.config / "main.cf", "a", encoding="utf-8") as out:
            out.write(lines)
        self.end()
        self.start()

    def retry_now(self):
        subprocess.run(["postqueue", "-c", self.config, "-f"], check=False, capture_output=True, timeout=60)

    def waiting(self):
        """Mails that it has not delivered to everybody."""
        return sum(len(files) for part in ("maildrop", "incoming", "active", "deferred")
                   for _, _, files in os.walk(self.folder / "queue" / part))

    def deliveries(self, status):
        """Queue ids of the mails whose delivery to the archive ended so: sent, deferred, bounced."""
        return re.findall(rf"postfix/lmtp\[\d+\]: (\w+): to=<[^>]*>.* status={status} ", self.log.read_text())

    def end(self):
        if self.master:
            self.master.terminate()
            self.master.wait(60)
            self.master = None

    def stop(self):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)
