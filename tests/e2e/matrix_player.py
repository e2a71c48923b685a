"""A homeserver as an application service sees it, written from the Matrix specification 1.13 (application service API,
client-server API). No homeserver can be installed where this is tested: what it proves is that we follow the text.

It queues events into transactions, sends one after the other and the same again until it is answered (Synapse's
scheduler), and can be told to do what homeservers do: answer late, hang up, repeat, lose what it had in memory."""
import json
import random
import threading
import time
import http.client
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HS_TOKEN, AS_TOKEN = "hs-token-4d3c2b1a0f9e", "as-token-0f9e8d7c6b5a"
SERVER = "amt.example"


class Homeserver:
    def __init__(self):
        self.rooms = {}        # room id: events, oldest first
        self.media = {}        # (server, id): bytes
        self.waiting = []      # events in memory, not in a transaction yet
        self.transactions = [] # (id, events, ephemeral): on its disk
        self.answered = set()  # event ids of transactions that were answered with 200
        self.hidden = set()    # rooms that /messages refuses
        self.number = self.transaction_number = 0
        self.sent = self.repeated = self.refused = 0
        self.redirect_media = None
        self.asked = []        # paths of the client-server API
        self.lock = threading.RLock()
        self.ends = threading.Event()
        self.target = None
        self.misbehave = 0.0   # probability with which an exchange goes wrong
        player = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                try:
                    player.answer(self)
                except OSError:  # the other side was killed
                    self.close_connection = True

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.threads = [threading.Thread(target=self.http.serve_forever, daemon=True),
                        threading.Thread(target=self.scheduler, daemon=True)]
        for thread in self.threads:
            thread.start()

    def close(self):
        self.ends.set()
        self.http.shutdown()
        self.http.server_close()
        for thread in self.threads:
            thread.join(30)

    # --- what users do ---
    def event(self, room, body=None, sender="anna", lost=False, **more):
        with self.lock:
            self.number += 1
            event = {"type": "m.room.message", "event_id": f"$e{self.number}:{SERVER}", "room_id": room,
                     "sender": f"@{sender}:{SERVER}", "origin_server_ts": int(time.time() * 1000),
                     "content": {"msgtype": "m.text", "body": body or f"Nachricht {self.number}"}, **more}
            self.rooms.setdefault(room, []).append(event)
            if not lost:
                self.waiting.append(event)
            return event

    def file(self, room, content, server=SERVER, there=True):
        media = f"media{self.number}"
        if there:
            self.media[server, media] = content
        return self.event(room, content={"msgtype": "m.file", "body": "plan.pdf", "url": f"mxc://{server}/{media}",
                                         "info": {"size": len(content), "mimetype": "application/pdf"}})

    def all_ids(self):
        with self.lock:
            return {event["event_id"] for events in self.rooms.values() for event in events}

    # --- the application service API, from the homeserver's side ---
    def restart(self):
        """As Synapse's: what was in no transaction yet is gone for the application service (synapse issue 11637)."""
        with self.lock:
            lost, self.waiting = self.waiting, []
            return len(lost)

    def idle(self):
        with self.lock:
            return not self.waiting and not self.transactions

    def scheduler(self):
        wait = 0.02
        while not self.ends.is_set():
            with self.lock:
                if not self.transactions and self.waiting:
                    events, self.waiting = self.waiting[:100], self.waiting[100:]
                    self.transaction_number += 1
                    self.transactions.append((self.transaction_number, events, []))
                first = self.transactions[0] if self.transactions else None
            if not first or not self.target:
                time.sleep(0.01)
                continue
            if self.send(first):
                with self.lock:
                    self.transactions.pop(0)
                    self.answered |= {event["event_id"] for event in first[1]}
                wait = 0.02
            else:
                time.sleep(wait)
                wait = min(wait * 2, 0.5)  # the specification leaves it open; Synapse goes up to an hour

    def send(self, transaction):
        number, events, ephemeral = transaction
        body = {"events": [{**event, "unsigned": {"age": random.randrange(10_000)}} for event in events]}
        if ephemeral:
            body["ephemeral"] = ephemeral
        wrong = random.random() < self.misbehave
        try:
            status, _ = self.request("PUT", f"/_matrix/app/v1/transactions/{number}", body, hang_up=wrong)
        except OSError:
            self.repeated += 1
            return False
        except http.client.HTTPException:
            self.repeated += 1
            return False
        self.sent += 1
        self.refused += status != 200
        return status == 200

    def request(self, method, path, body=None, token=HS_TOKEN, hang_up=False, raw=None):
        host, port = self.target
        connection = http.client.HTTPConnection(host, port, timeout=60)
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            payload = raw if raw is not None else json.dumps(body or {}, ensure_ascii=False).encode()
            connection.request(method, path, body=payload, headers=headers)
            if hang_up:  # timed out, by the homeserver's clock: it was taken perhaps
                time.sleep(random.uniform(0, 0.05))
                raise OSError("hung up")
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()

    # --- the client-server API ---
    def answer(self, handler):
        path, _, query = handler.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        self.asked.append(path)
        if handler.headers.get("Authorization") != f"Bearer {AS_TOKEN}":
            return self.reply(handler, 401, {"errcode": "M_UNKNOWN_TOKEN", "error": "?"})
        parts = [urllib.parse.unquote(part) for part in path.split("/")]
        if path == "/_matrix/client/v3/joined_rooms":
            return self.reply(handler, 200, {"joined_rooms": []})
        if path.startswith("/_matrix/client/v1/media/download/") and len(parts) == 8:
            if self.redirect_media:
                return self.reply(handler, 307, b"", Location=self.redirect_media)
            content = self.media.get((parts[6], parts[7]))
            if content is None:
                return self.reply(handler, 404, {"errcode": "M_NOT_FOUND", "error": "?"})
            return self.reply(handler, 200, content)
        if path.startswith("/_matrix/client/v3/rooms/") and parts[-1] == "messages":
            return self.messages(handler, parts[5], query)
        return self.reply(handler, 404, {"errcode": "M_UNRECOGNIZED", "error": "?"})

    def messages(self, handler, room, query):
        # The bot has joined no room: only with a member's eyes is there anything to see.
        if room in self.hidden or query.get("user_id") != f"@anna:{SERVER}":
            return self.reply(handler, 403, {"errcode": "M_FORBIDDEN", "error": "?"})
        with self.lock:
            events = list(self.rooms.get(room, []))
        end = int(query["from"].removeprefix("t")) if "from" in query else len(events)
        begin = max(0, end - int(query.get("limit", 10)))
        body = {"start": f"t{end}", "chunk": [{**e, "unsigned": {"age": 5}} for e in reversed(events[begin:end])]}
        if begin > 0:
            body["end"] = f"t{begin}"
        return self.reply(handler, 200, body)

    @staticmethod
    def reply(handler, status, body, **headers):
        body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
