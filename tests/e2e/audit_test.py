"""The audit trail from outside: heartbeats over HTTPS, lists and exports without keys, and what they must not show."""
import csv
import json
import shutil
import unittest

from kustos import Archive, event


class Trail(unittest.TestCase):
    def test_a_source_that_lost_messages_is_told_and_the_ledger_says_so(self):
        with Archive() as a:
            token = a.json("source", "add", "live", "--kind", "http")["token"]
            a.serve()
            a.push("live", token, [event(1), event(2)])

            def beat(body, bearer=token, source="live"):
                status, _, answer = a.http("POST", f"/api/v1/heartbeat/{source}", body, Authorization=f"Bearer {bearer}",
                                           Content_Type="application/json")
                return status, json.loads(answer)

            self.assertEqual(beat('{"sent": 2}'), (200, {"received": 2, "missing": 0}))
            self.assertEqual(beat('{"sent": 5}'), (200, {"received": 2, "missing": 3}))
            for bad in ("", "5", '{"sent": -1}', '{"sent": "5"}', '{"sent": 1.5}', "x" * 3000):
                self.assertEqual(beat(bad)[0], 400, bad)
            self.assertEqual(beat('{"sent": 5}', bearer="wrong")[0], 403)
            self.assertEqual(beat('{"sent": 5}', source="nobody")[0], 403)
            self.assertEqual(a.http("GET", "/api/v1/heartbeat/live")[0], 405)
            status = a.json("status")
            self.assertEqual(status["sources"][0]["heartbeat"]["missing"], 3)
            self.assertTrue(any("live" in step and "3" in step for step in status["next_steps"]))
            self.assertEqual(beat('{"sent": 5}'), (200, {"received": 2, "missing": 3}))
            a.push("live", token, [event(3), event(4), event(5)])
            self.assertEqual(beat('{"sent": 5}'), (200, {"received": 5, "missing": 0}))
            a.stop()
            beats = a.json("audit", "list", "--action", "source_heartbeat")["entries"]
            self.assertEqual([(b["rows"]["count"], b["rows"]["total"]) for b in beats], [("2", "2"), ("5", "2"), ("5", "5")])
            findings = a.json("audit", "list", "--action", "finding", "--source", "live")["entries"]
            self.assertEqual([f["rows"]["count"] for f in findings], ["3"])
            self.assertEqual(a.verify()[0], 0)

    def test_an_auditor_with_a_copy_of_the_ledger_alone_lists_everything_and_sees_no_content(self):
        with Archive() as a:
            secret, query, ground = "Fangstelle", "Fangstelle OR Holzfeuchte", "Geheimgrund"
            a.run("source", "add", "files", "--kind", "import")
            stream = a.folder / "s.ndjson"
            stream.write_text(event(1, secret, subject="Betreffgeheim") + "\n")
            a.run("ingest", "--source", "files", "--format", "stream", stream)
            matter = a.matter("Aktenzeichengeheim", ground)
            hits = a.json("search", "--matter", matter, query)
            self.assertEqual(hits["total"], 1)
            a.run("show", "--matter", matter, hits["hits"][0]["record"])
            copy = a.folder / "copy"
            shutil.copytree(a.path / "ledger", copy / "ledger")
            rows = json.loads(a.run("--json", "--archive", copy, "audit", "list", "--limit", "1000").stdout)
            actions = [r.get("action") for r in rows["entries"]]
            for action in ("archive_created", "source_added", "source_counted", "matter_opened", "search", "open"):
                self.assertIn(action, actions)
            self.assertEqual([r["entry"] for r in rows["entries"]], sorted(r["entry"] for r in rows["entries"]))
            for name in ("trail.csv", "trail.jsonl"):
                answer = json.loads(a.run("--json", "--archive", copy, "audit", "export", "--out", a.folder / name).stdout)
                self.assertEqual(answer["entries"], len(rows["entries"]))
                self.assertEqual((a.folder / (name + ".checkpoint")).read_bytes(), (copy / "ledger" / "checkpoint").read_bytes())
            with open(a.folder / "trail.csv", newline="", encoding="utf-8") as file:
                table = list(csv.DictReader(file))
            lines = [json.loads(line) for line in (a.folder / "trail.jsonl").read_text().splitlines()]
            self.assertEqual([int(r["entry"]) for r in table], [r["entry"] for r in lines])
            self.assertEqual(lines, rows["entries"])
            shown = (a.folder / "trail.csv").read_text() + json.dumps(rows, ensure_ascii=False)
            for word in (secret, "Holzfeuchte", ground, "Betreffgeheim", "Aktenzeichengeheim"):
                self.assertNotIn(word, shown)
            # Who may open it reads it, and that stands there too.
            entry = next(r["entry"] for r in rows["entries"] if r.get("action") == "search")
            fields = a.json("audit", "show", entry, "--ground", "Prüfung")["fields"]
            self.assertEqual(fields["query"], query)
            self.assertEqual(a.json("audit", "list", "--action", "audit_read")["entries"][-1]["rows"]["entry"], str(entry))
            a.run("audit", "show", hits["hits"][0]["record"], "--ground", "Prüfung", code=2)

    def test_bad_filters_are_refused_with_what_they_take(self):
        with Archive() as a:
            for bad in (("--kind", "letter"), ("--since", "yesterday"), ("--from", "x"), ("--limit", "0")):
                done = a.call("audit", "list", *bad)
                self.assertEqual(done.returncode, 2, bad)
            self.assertEqual(a.call("audit", "export", "--out", a.folder / "x.pdf").returncode, 2)
            self.assertEqual(a.call("audit", "export", "--out", a.folder / "no" / "x.csv").returncode, 6)
            self.assertEqual(a.json("audit", "list", "--since", "2100-01-01")["entries"], [])


if __name__ == "__main__":
    unittest.main()
