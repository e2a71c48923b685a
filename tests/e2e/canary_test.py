"""Words that must not be found: content, senders, file names, queries and matters leave no trace in the clear."""
import base64
import unittest

from kustos import Archive, Browser, event

WORDS = ["Zwetschgenkuchenprobe", "Quarzuhrmacherei", "Xylophonkonzertkarte", "Jakobsmuschelsuppe", "Wolkenkuckucksheim",
         "Eierschalenbruchstelle", "Pfefferminzteebeutel", "Glühwürmchenzählung", "Bärlauchverwechslung",
         "Kräuterquarkbrötchen", "Dachdeckerlehrling", "Flussuferbefestigung", "Nachtigallenpfad", "Lindenblütenhonig",
         "Ofenrohrdurchmesser", "Rübensirupfabrik", "Schneckenhauskurve", "Traubenkernöl", "Uhrenkastenschlüssel",
         "Vogelbeermarmelade"]


def forms(word):
    """The word as anybody might look for it: encodings, base64 at each of three offsets, hex."""
    for text in {word, word.lower(), word.upper()}:
        yield text.encode()
        yield text.encode("utf-16-le")
        yield text.encode("utf-16-be")
        yield text.encode().hex().encode()
        yield text.encode().hex().upper().encode()
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + text.encode())
            yield coded[4 if shift else 0:len(coded) - 4]  # what does not depend on the neighbours


class Canaries(unittest.TestCase):
    def test_twenty_words_are_found_by_a_search_and_nowhere_on_disk(self):
        with Archive("--tsa", "builtin") as a:
            token = a.json("source", "add", "live", "--kind", "http")["token"]
            a.run("source", "add", "files", "--kind", "import")
            w = WORDS
            mail = a.folder / "mail.eml"
            attachment = base64.b64encode(f"Text mit {w[0]} darin".encode()).decode()
            mail.write_bytes((f"From: =?utf-8?q?{w[1]}?= <{w[2]}@x.example>\r\nTo: {w[3]}@x.example\r\n"
                              f"Subject: {w[4]}\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n"
                              f"Message-ID: <{w[5]}@x.example>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
                              f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{w[6]}\r\n--b\r\n"
                              f"Content-Type: text/plain; charset=utf-8; name={w[14]}.txt\r\n"
                              "Content-Transfer-Encoding: base64\r\n\r\n"
                              f"{attachment}\r\n--b--\r\n").encode())
            a.run("ingest", "--source", "files", mail)
            mail.unlink()
            a.serve()
            lines = [event("1", f"{w[7]} und {w[8]}", subject=w[9], sender={"id": w[10], "name": w[11]},
                           conversation={"id": w[12], "title": w[13]},
                           attachments=[{"name": w[15] + ".txt", "type": "text/plain",
                                         "content_base64": base64.b64encode((w[16] + " ").encode() * 9000).decode()}]),
                     event("2", w[7], kind="edit", target="m1", previous_body=w[17])]
            self.assertEqual(a.push("live", token, lines, Idempotency_Key="c")[0], 200)
            self.assertEqual(a.push("live", token, ['{"' + w[17] + '": '])[0], 200)
            matter = a.matter(w[18], w[19])
            a.until(lambda: a.json("status")["coverage"]["deferred"] == 0)
            for word in (w[0], w[1], w[4], w[6], w[7], w[8], w[9], w[16], w[17]):
                self.assertGreater(a.json("search", "--matter", matter, word)["total"], 0, word)
            browser = Browser(a)
            browser.get("/login")
            browser.log_in("admin", a.password)
            browser.get("/search")
            browser.post("/search", matter=matter, query="subject:" + w[9], sort="date")
            a.run("show", "--matter", matter, a.json("search", "--matter", matter, w[6])["hits"][0]["record"])
            a.stop()
            a.run("export", "--matter", matter, "--query", w[7], "--out", a.folder / "bundle.pdf")
            (a.folder / "bundle.pdf").unlink()  # a bundle discloses on purpose
            self.assertEqual(a.call("search", "--matter", matter, f'"{w[7]} AND (').returncode, 2)
            wanted = [(word, form) for word in w for form in forms(word)]
            files = [f for f in a.folder.rglob("*") if f.is_file()]
            self.assertGreater(len(files), 20)
            for file in files:
                content = file.read_bytes()
                found = {word for word, form in wanted if form in content}
                self.assertFalse(found, file.relative_to(a.folder))
                self.assertFalse({word for word in w if word in str(file)}, "a file's name")

    def test_a_search_for_canaries_would_find_one(self):
        content = b"xx" + base64.b64encode(b"a" + WORDS[7].encode() + b"bc") + b"yy"
        self.assertTrue(any(form in content for form in forms(WORDS[7])))


if __name__ == "__main__":
    unittest.main(verbosity=2)
