"""A server that speaks enough XMPP to be logged in to, and then says what a test wants (no mock of an archive: what Prosody does
not do)."""
import re
import socket
import ssl
import subprocess
import threading

from kustos import free_port

HEADER = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='amt.example' id='1' version='1.0'>"


def result(number, text="x"):
    return (f"<message from='archive@amt.example'><result xmlns='urn:xmpp:mam:2' queryid='kustos' id='{number}'><forwarded xmlns='urn:xmpp:forward:0'>"
            f"<delay xmlns='urn:xmpp:delay' stamp='2026-03-02T10:00:00Z'/><message xmlns='jabber:client' from='b@x.example'><body>{text}</body></message>"
            "</forwarded></result></message>")


def end(query, last, complete=""):
    return f"<iq type='result' id='{query}'><fin xmlns='urn:xmpp:mam:2'{complete}><set xmlns='http://jabber.org/protocol/rsm'><last>{last}</last></set></fin></iq>"


class HostileServer:
    """say: what is answered to a question about an archive, of its id; an iterator of pieces."""

    def __init__(self, folder, say):
        self.port, self.say, self.logins = free_port(), say, 0
        self.crt, key = folder / "hostile.crt", folder / "hostile.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=amt.example", "-addext", "subjectAltName=DNS:amt.example", "-out", self.crt, "-keyout", key], check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.crt, key)
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(plain, server_side=True) as client:
                    client.settimeout(30)
                    self.talk(client)
            except OSError:
                pass

    def talk(self, client):
        def expect(what):
            nonlocal buffer
            while not (found := re.search(what, buffer, re.S)):
                piece = client.recv(65536)
                if not piece:
                    raise OSError("gone")
                buffer += piece.decode()
            buffer = buffer[found.end():]
            return found

        def send(text):
            client.sendall(text.encode())

        buffer = ""
        expect("<stream:stream[^>]*>")
        send(HEADER + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>")
        expect("</auth>")
        send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        expect("<stream:stream[^>]*>")
        send(HEADER + "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>")
        found = expect("<iq[^>]*id=[\"']([^\"']+)[\"'][^>]*>.*?</iq>")
        send(f"<iq type='result' id='{found.group(1)}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>archive@amt.example/x</jid></bind></iq>")
        self.logins += 1
        while True:
            found = expect("<iq[^>]*id=[\"']([^\"']+)[\"'][^>]*>.*?</iq>")
            for piece in self.say(found.group(1)):
                send(piece)

    def close(self):
        self.listener.close()
