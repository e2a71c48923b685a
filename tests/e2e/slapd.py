"""Debian's slapd with its own configuration and database in a temporary folder, on loopback, ended by its pid."""
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from kustos import free_port

BASE = "dc=example,dc=org"
READER, PASSWORD = f"cn=reader,{BASE}", "lesen-und-sonst-nichts"


def available():
    return shutil.which("slapd") and shutil.which("slapadd") and Path("/etc/ldap/schema/inetorgperson.schema").exists()


def person(uid, name, mail, **more):
    """An entry in LDIF. A value of bytes is written in base64; a list is several values."""
    import base64
    lines = [f"dn: uid={uid},ou=people,{BASE}", "objectClass: inetOrgPerson", f"uid: {uid}", f"cn: {name}",
             f"sn: {name.split()[-1]}", f"mail: {mail}"]
    for attribute, values in more.items():
        for value in values if isinstance(values, list) else [values]:
            raw = value if isinstance(value, bytes) else value.encode()
            lines.append(f"{attribute}:: {base64.b64encode(raw).decode()}")
    return "\n".join(lines) + "\n"


class Slapd:
    def __init__(self, ldif, most=500):
        self.folder = Path(tempfile.mkdtemp(prefix="kustos-slapd-"))
        self.port, self.tls_port, self.most = free_port(), free_port(), most
        self.certificate = self.folder / "server.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.folder / "server.key",
                        "-out", self.certificate, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        self.password_file = self.folder / "password"
        self.password_file.write_text(PASSWORD + "\n")
        self.load(ldif)
        self.process = None

    def load(self, ldif):
        shutil.rmtree(self.folder / "db", ignore_errors=True)
        (self.folder / "db").mkdir()
        includes = "".join(f"include /etc/ldap/schema/{s}.schema\n" for s in ("core", "cosine", "inetorgperson"))
        (self.folder / "slapd.conf").write_text(
            f"{includes}pidfile {self.folder}/slapd.pid\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n"
            f"TLSCertificateFile {self.certificate}\nTLSCertificateKeyFile {self.folder}/server.key\n"
            f"sizelimit size.soft={self.most} size.hard={self.most} size.pr=1000 size.prtotal=unlimited\n"
            f"database mdb\nmaxsize 268435456\nsuffix {BASE}\ndirectory {self.folder}/db\ndbnosync\n"
            f"access to attrs=userPassword by anonymous auth by * none\n"
            f"access to * by dn.exact=\"{READER}\" read by * none\n")
        start = (f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Beispielhausen\n\n"
                 f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n"
                 f"dn: {READER}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: reader\n"
                 f"userPassword: {PASSWORD}\n\n")
        (self.folder / "start.ldif").write_text(start + "\n".join(ldif))
        subprocess.run(["slapadd", "-q", "-f", self.folder / "slapd.conf", "-l", self.folder / "start.ldif"], check=True,
                       capture_output=True)

    def start(self):
        self.process = subprocess.Popen(["slapd", "-f", self.folder / "slapd.conf", "-d", "0", "-h",
                                         f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if self.process.poll() is not None:
                raise AssertionError("slapd does not start")
            time.sleep(0.05)
        raise AssertionError("slapd does not listen")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def settings(self, **more):
        lines = {"uri": f"ldap://127.0.0.1:{self.port}", "ca_file": self.certificate, "bind_dn": READER,
                 "password_file": self.password_file, "base": f"ou=people,{BASE}", "page_size": 100, **more}
        file = self.folder / "settings.yaml"
        file.write_text("".join(f"{k}: {v}\n" for k, v in lines.items() if v is not None))
        return file

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
