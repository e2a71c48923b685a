"""The server, live: pushes over TLS with receipts, its four pages, and what a kill in the middle leaves."""
import json
import os
import re
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from kustos import ROOT, Archive, Browser, event, page_example

OPENAPI = ROOT / "web" / "openapi.yaml"


def operations(text):
    """(method, path) -> set of status codes, of a file that is indented as ours is."""
    found, path, method, inside = {}, None, None, False
    for line in text.splitlines():
        if re.match(r"\S", line):
            inside = line.startswith("paths:")
        if not inside:
            continue
        if m := re.match(r"  (/\S*):$", line):
            path = m.group(1)
        elif m := re.match(r"    (get|post):$", line):
            method = m.group(1).upper()
        elif m := re.match(r'        "(\d{3})":', line):
            found.setdefault((method, path), set()).add(int(m.group(1)))
    return found


class Push(unittest.TestCase):
    seen = set()

    def setUp(self):
        self.a = Archive("--tsa", "builtin")
        self.addCleanup(self.a.__exit__)
        self.token = self.a.json("source", "add", "live", "--kind", "http")["token"]
        self.a.run("source", "add", "files", "--kind", "import")
        self.a.serve()

    def push(self, lines, code=200, **headers):
        status, answer = self.a.push("live", self.token, lines, **headers)
        self.assertEqual(status, code, answer)
        Push.seen.add(("POST", "/api/v1/ingest/{source}", status))
        return answer

    def test_each_line_gets_a_receipt_that_the_ledger_bears_out(self):
        answer = self.push([event(1), event(2), event(3)], Feed_Position="s7")
        self.assertEqual([r["line"] for r in answer["receipts"]], [1, 2, 3])
        self.assertTrue(all(not r["duplicate"] and len(r["leaf"]) == 64 for r in answer["receipts"]))
        self.assertTrue(all(r["entry"] < answer["checkpoint_size"] for r in answer["receipts"]))
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)
        self.assertEqual(self.a.json("status")["coverage"]["searchable"], 3)

    def test_the_same_key_is_answered_as_before_and_the_same_messages_are_known(self):
        first = self.push([event(1), event(2)], Idempotency_Key="k1")
        again = self.push([event(1), event(2)], Idempotency_Key="k1")
        self.assertTrue(again["replayed"])
        self.assertEqual(again["receipts"], first["receipts"])
        other = self.push([event(1), event(2), event(3)], Idempotency_Key="k2")
        self.assertEqual([r["duplicate"] for r in other["receipts"]], [True, True, False])
        self.assertEqual([r["entry"] for r in other["receipts"][:2]], [r["entry"] for r in first["receipts"]])
        self.push([event(9)], code=409, Idempotency_Key="k1")

    def test_what_cannot_be_read_is_sealed_as_it_came_and_the_lines_around_it_count(self):
        answer = self.push("\n".join([event(1), '{"id":', "", event(2), "\xff"]).encode("latin-1"))
        self.assertEqual([(r["line"], r["quarantined"]) for r in answer["receipts"]],
                         [(1, False), (2, True), (4, False), (5, True)])
        self.a.until(lambda: self.a.json("status")["coverage"]["opaque"] == 2)
        self.assertEqual(self.a.json("status")["quarantined"], 2)

    def test_strangers_and_bad_requests_are_refused_with_advice_and_seal_nothing(self):
        before = self.a.json("status")["records"]
        for source, token, code in (("live", "x" * 43, 403), ("nobody", self.token, 403), ("files", self.token, 403)):
            status, answer = self.a.push(source, token, [event(1)])
            self.assertEqual(status, code)
            self.assertEqual(answer["error"]["message"], "unknown source or wrong token")
            Push.seen.add(("POST", "/api/v1/ingest/{source}", status))
        body = event(1)
        for code, headers in ((401, {"Content_Type": "application/x-ndjson"}),
                              (415, {"Content_Type": "text/plain", "Authorization": "Bearer " + self.token})):
            status, _, answer = self.a.http("POST", "/api/v1/ingest/live", body, **headers)
            self.assertEqual(status, code)
            self.assertTrue(json.loads(answer)["error"]["hint"])
            Push.seen.add(("POST", "/api/v1/ingest/{source}", status))
        status, answer = self.a.push("live", self.token, b"x" * (65 << 20))
        self.assertEqual((status, answer["error"]["code"]), (413, "limit"))
        Push.seen.add(("POST", "/api/v1/ingest/{source}", 413))
        status, _, _ = self.a.http("GET", "/api/v1/ingest/live")
        self.assertEqual(status, 405)
        self.push([event(1)], code=400, Idempotency_Key="k" * 201)
        self.assertEqual(self.a.http("GET", "/api/v1/nothing")[0], 404)
        self.assertEqual(self.a.json("status")["records"], before)

    def test_contents_come_beside_the_lines_and_what_no_line_names_is_sealed_as_it_came(self):
        line = event(1, attachments=[{"name": "Plan.txt", "type": "text/plain", "part": "plan", "size": 11}])
        status, answer = self.form({"messages": line, "plan": "Grundrissxy", "lose": "Streugut"}, "k1")
        self.assertEqual(status, 200, answer)
        self.assertEqual([(r["line"], r["quarantined"]) for r in answer["receipts"]], [(1, False), (0, True)])
        status, again = self.form({"messages": line, "lose": "Streugut", "plan": "Grundrissxy"}, "k1", edge="other")
        self.assertEqual((status, again["replayed"]), (200, True), "another boundary is no other content")
        self.assertEqual(self.form({"messages": line, "plan": "Grundriss"}, "k1")[0], 409)
        matter = self.a.matter()
        self.a.until(lambda: self.a.json("status")["coverage"]["searchable"] == 1)
        hits = self.a.json("search", "--matter", matter, "Grundrissxy")["hits"]
        self.assertEqual([h["record"] for h in hits], [answer["receipts"][0]["entry"]])
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)

    def form(self, parts, key, edge="edge"):
        body = "".join(f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{content}\r\n'
                       for name, content in parts.items()) + f"--{edge}--\r\n"
        status, _, answer = self.a.http("POST", "/api/v1/ingest/live", body, Authorization="Bearer " + self.token,
                                        Content_Type="multipart/form-data; boundary=" + edge, Idempotency_Key=key)
        return status, json.loads(answer)

    def test_a_sender_gets_a_new_token_without_a_gap(self):
        old = self.token
        self.token = self.a.json("source", "token", "live", "--new", "--keep-old", "1")["token"]
        for token in (old, self.token):
            self.assertEqual(self.a.push("live", token, [event(1)])[0], 200)
        tokens = self.a.json("source", "token", "live")
        self.assertEqual([(t["number"], t["ended"], "ends" in t) for t in tokens], [(1, False, True), (2, False, False)])
        self.assertTrue(all("last_used" in t for t in tokens))
        self.assertTrue(self.a.json("source", "token", "live", "--end", "1")[0]["ended"])
        self.assertEqual(self.a.push("live", old, [event(1)])[0], 403)
        self.assertEqual(self.a.push("live", self.token, [event(1)])[0], 200)
        self.a.run("source", "token", "live", "--end", "1", code=2)
        self.a.run("source", "token", "files", "--new", code=2)
        self.assertFalse(self.a.json("source", "list")[0]["paused"])
        self.a.stop()
        changes = self.a.json("audit", "list", "--action", "source_changed")["entries"]
        self.assertEqual(sorted(c["rows"]["code"] for c in changes), ["token_ended", "token_issued", "token_issued"])

    def test_the_lines_for_curl_and_the_client_of_the_guide_work_as_they_stand(self):
        guide, folder = ROOT / "docs" / "push", self.a.folder / "sender"
        folder.mkdir()
        (folder / "server.crt").write_bytes(next(self.a.state.glob("*/tls/server.crt")).read_bytes())
        (folder / "token").write_text(self.token + "\n")
        (folder / "plan.pdf").write_text("Grundriss")
        part = [{"name": "plan.pdf", "part": "plan"}]
        (folder / "messages.ndjson").write_text(event(1) + "\n" + event(2) + "\n")
        (folder / "with-part.ndjson").write_text(event(3, attachments=part) + "\n")
        url = f"https://localhost:{self.a.port}"
        environment = dict(os.environ, TOKEN=self.token, URL=url)
        said = []
        for name in ("curl", "curl-parts", "curl-heartbeat"):
            line = page_example(guide / "README.md", name).replace("/messenger", "/live")
            done = subprocess.run(["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True)
            said.append(json.loads(done.stdout))
        self.assertEqual([len(a["receipts"]) for a in said[:2]], [2, 1])
        self.assertEqual(said[2], {"received": 3, "missing": 0})

        lines = [event(i) for i in range(1000, 1600)] + [event(3, attachments=[{"name": "p", "part": "plan.pdf"}]), '{"part"']
        client = [sys.executable, guide / "push_client.py", url, "live", folder / "token", folder / "server.crt", folder]
        bad = subprocess.run(client, input="\n".join(lines), capture_output=True, text=True)
        self.assertNotEqual(bad.returncode, 0, "a line that is none is the sender's own to see")
        process = subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.a.kill()  # it waits for the server
        process.stdin.write("\n".join(lines[:-1]))
        process.stdin.close()
        port = self.a.port
        self.a.serve(port)
        self.assertEqual([l.split()[0] for l in process.stdout.read().splitlines()], ["512", "89"])
        self.assertEqual(process.wait(), 0)
        process.stdout.close()
        self.assertEqual(self.a.json("status")["records"], 603)

    def test_a_paused_source_is_asked_to_come_again(self):
        self.a.run("source", "pause", "live")
        status, headers, _ = self.a.http("POST", "/api/v1/ingest/live", event(1),
                                         Authorization="Bearer " + self.token, Content_Type="application/x-ndjson")
        self.assertEqual(status, 503)
        self.assertTrue(int(headers["Retry-After"]) > 0)
        Push.seen.add(("POST", "/api/v1/ingest/{source}", 503))

    def test_after_a_kill_what_was_acknowledged_is_there_and_the_rest_is_absent_or_whole(self):
        self.a.run("matter", "new", "--reference", "R", "--ground", "G")
        for round_number in range(4):
            acknowledged, ended = {}, threading.Event()

            def send():
                for batch in range(10_000):
                    ids = [f"{round_number}-{batch}-{i}" for i in range(20)]
                    try:
                        status, answer = self.a.push("live", self.token, [event(i) for i in ids])
                    except OSError:
                        break
                    if status == 200:
                        acknowledged.update(zip(ids, answer["receipts"]))
                ended.set()

            sender = threading.Thread(target=send)
            sender.start()
            for _ in range(600):  # something is acknowledged, however slow the machine is
                if acknowledged or ended.wait(0.1):
                    break
            time.sleep(0.17 * round_number)
            self.a.kill()
            sender.join()
            self.assertTrue(acknowledged)
            _, report = self.a.verify()
            self.assertLessEqual({p["code"] for p in report["problems"]}, {"vault.segment", "file.unreferenced"},
                                 f"a kill leaves more than a batch on its way: {report['problems']}")
            self.a.serve()
            code, report = self.a.verify()
            self.assertEqual((code, report["problems"]), (0, []), "an archive whose server was killed and started")
            ids = list(acknowledged)
            status, answer = self.a.push("live", self.token, [event(i) for i in ids])
            self.assertEqual(status, 200)
            self.assertTrue(all(r["duplicate"] for r in answer["receipts"]), "an acknowledged message is gone")
            self.assertEqual([r["entry"] for r in answer["receipts"]], [acknowledged[i]["entry"] for i in ids])
        self.a.until(lambda: self.a.json("status")["coverage"]["deferred"] == 0, 180)
        status = self.a.json("status")
        self.assertEqual(status["coverage"]["failed"], 0)
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)

    def test_an_archive_that_is_written_verifies_all_the_time(self):
        ended = threading.Event()

        def send():
            batch = 0
            while not ended.is_set():
                self.a.push("live", self.token, [event(f"{batch}-{i}") for i in range(20)])
                batch += 1

        sender = threading.Thread(target=send)
        sender.start()
        try:
            for _ in range(12):
                code, report = self.a.verify()
                self.assertEqual((code, report["problems"]), (0, []))
        finally:
            ended.set()
            sender.join()

    def test_the_four_pages_show_what_was_pushed_to_who_is_logged_in_only(self):
        evil = "<script>alert(1)</script>&\"' Fangstelle"
        receipt = self.push([event(1, evil, subject="<b>Prüfbericht</b>"), event(2, "Holzfeuchte")])["receipts"][0]
        matter = self.a.matter("<i>30-Z</i>", "Art. 15")
        self.a.until(lambda: self.a.json("status")["coverage"]["searchable"] == 2)
        browser = Browser(self.a)
        for path in ("/", "/status", "/search", "/verify", f"/record/{receipt['entry']}"):
            status, headers, body = browser.get(path)
            self.assertEqual((status, headers["Location"], body), (303, "/login", ""))
            Push.seen.add(("GET", "/record/{entry}" if path.startswith("/record") else path, status))
        self.assertEqual(browser.log_in("admin", "falsch falsch falsch"), 401)
        Push.seen |= {("POST", "/login", 401)}
        self.assertEqual(browser.log_in("admin", self.a.password), 303)
        Push.seen |= {("POST", "/login", 303)}
        status, headers, body = browser.get("/status")
        self.assertEqual(status, 200)
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertIn(self.a.json("status")["fingerprint"].split()[0], body)

        accesses = self.a.access_entries()
        browser.get("/search")
        status, _, body = browser.post("/search", matter=matter, query="Fangstelle", sort="date")
        self.assertEqual(status, 200)
        self.assertIn("<h2>1 hit</h2>", body)
        self.assertIn("<mark>Fangstelle</mark>", body)
        self.assertIn("&lt;script&gt;", body)
        self.assertNotIn("<script", body)
        self.assertNotIn("<b>Prüf", body)
        self.assertNotIn("<i>30", body)
        self.a.until(lambda: self.a.access_entries() == accesses + 1)
        status, _, body = browser.get(f"/record/{receipt['entry']}?matter={matter}")
        self.assertEqual(status, 200)
        self.assertIn("&lt;script&gt;", body)
        self.assertNotIn("<script", body)
        self.assertIn(receipt["leaf"], body)
        self.a.until(lambda: self.a.access_entries() == accesses + 2)
        status, headers, body = browser.get(f"/record/{receipt['entry']}/original?matter={matter}")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/octet-stream"))
        self.assertIn("attachment", headers["Content-Disposition"])
        self.assertEqual(json.loads(body)["body"], evil)
        self.assertNotEqual(browser.get(f"/record/{receipt['entry']}")[0], 200, "no record without a matter")
        browser.get("/verify")
        status, _, body = browser.post("/verify")
        self.assertEqual(status, 200)
        self.assertIn("Intact", body)
        for path in ("/", "/status", "/search", "/verify", "/login", "/style.css"):
            Push.seen.add(("GET", path, browser.get(path)[0]))
        Push.seen |= {("GET", "/record/{entry}", 200), ("GET", "/record/{entry}/original", 200),
                      ("POST", "/search", 200), ("POST", "/verify", 200)}
        browser.form_token = "forged"
        self.assertEqual(browser.post("/search", matter=matter, query="Fangstelle")[0], 403)
        Push.seen.add(("POST", "/search", 403))
        browser.get("/status")
        status, _, _ = browser.post("/logout")
        Push.seen.add(("POST", "/logout", status))
        self.assertEqual(browser.get("/status")[0], 303)
        self.assertEqual(self.a.http("GET", "/../../etc/passwd")[0], 303)

    @classmethod
    def tearDownClass(cls):
        """What the interface's page promises was given, and what was given is promised."""
        promised = {(m, p, s) for (m, p), codes in operations(OPENAPI.read_text()).items() for s in codes}
        if cls.seen - promised:
            raise AssertionError(f"answered, but not in {OPENAPI.name}: {sorted(cls.seen - promised)}")
        if not promised:
            raise AssertionError("no operation was found in " + OPENAPI.name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
