#!/usr/bin/env python3
"""Pushes a message stream to Kustos: lines of NDJSON from standard input (docs/format/message-stream.md).

push_client.py https://localhost:8443 SOURCE TOKEN_FILE CA_FILE [FOLDER] < messages.ndjson

An attachment with "part": "plan.pdf" takes its content from that file of FOLDER. A batch is sent until there is a
receipt for it: its key is made of its content, so that a batch that arrived unanswered is not sealed twice, not even
if this program is started again with the same lines. TOKEN_FILE is read for each batch: put a new token there any time.
"""
import hashlib, itertools, json, pathlib, random, ssl, sys, time, urllib.error, urllib.request

BATCH, LONGEST_WAIT = 512, 300

class Pusher:
    def __init__(self, url, source, token_file, ca_file, folder="."):
        self.base, self.source = url.rstrip("/") + "/api/v1/", source
        self.token_file, self.folder = pathlib.Path(token_file), pathlib.Path(folder).resolve()
        self.tls = ssl.create_default_context(cafile=str(ca_file))

    def push(self, lines):
        """The receipts of these lines, in their order. Comes back only when all are on the archive's disk."""
        body, kind = "".join(line.rstrip("\n") + "\n" for line in lines).encode(), "application/x-ndjson"
        key = hashlib.sha256(body).hexdigest()
        with_parts = [json.loads(line) for line in lines if '"part"' in line]
        names = {a["part"] for line in with_parts for a in line.get("attachments") or () if a.get("part")}
        if names:
            parts = {name: (self.folder / name).resolve() for name in names}
            if any(self.folder not in path.parents for path in parts.values()):
                raise ValueError("a part lies outside of the folder")
            edge = key.encode()
            contents = [(b"messages", body)] + [(n.encode(), p.read_bytes()) for n, p in sorted(parts.items())]
            body = b"".join(b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (edge, name, content)
                            for name, content in contents) + b"--%s--\r\n" % edge
            kind = f"multipart/form-data; boundary={key}"
        return self.send(f"ingest/{self.source}", body, {"Content-Type": kind, "Idempotency-Key": key})["receipts"]

    def heartbeat(self, sent):
        """How many messages were sent since the source was added; the answer says how many are missing."""
        return self.send(f"heartbeat/{self.source}", json.dumps({"sent": sent}).encode(), {})

    def send(self, path, body, headers):
        for attempt in itertools.count():
            headers["Authorization"] = "Bearer " + self.token_file.read_text().strip()
            try:
                request = urllib.request.Request(self.base + path, body, headers)
                with urllib.request.urlopen(request, context=self.tls, timeout=120) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code < 500:  # sending it again would not help: the answer says what to change
                    raise RuntimeError(f"{error.code}: {error.read().decode()}") from None
                wait = float(error.headers.get("Retry-After") or 5)
            except OSError:  # not reached, or cut off: whether it arrived is not known, and need not be
                wait = 1
            time.sleep(min(LONGEST_WAIT, wait * 2 ** min(attempt, 8)) * random.uniform(0.5, 1))


if __name__ == "__main__":
    pusher, lines = Pusher(*sys.argv[1:]), (line for line in sys.stdin if line.strip())
    while batch := list(itertools.islice(lines, BATCH)):
        print(len(pusher.push(batch)), "sealed", flush=True)
