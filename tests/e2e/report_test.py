"""Reports for people: signed ones by kustos verify --report, HTML by kustos-verify --html."""
import hashlib
import json
import re
import shutil
import signal
import subprocess
import unittest

from kustos import BIN, DEMO, Archive, SignerProcess, event


def tool(*arguments):
    """(exit code, everything it said) of a program that is not ours."""
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def cms(content):
    return tool("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{content}.p7s", "-content", content,
                "-noverify", "-out", "/dev/null")


def kustos_verify(*arguments):
    done = subprocess.run([BIN / "kustos-verify", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.a = a = Archive("--tsa", "builtin")
        a.run("source", "add", "mail", "--kind", "import")
        a.run("ingest", "--source", "mail", DEMO / "mail.mbox")
        a.run("export", "--matter", a.matter(), "--query", "Fundamente", "--out", a.folder / "bundle.pdf")
        a.pdf, a.json_file = a.folder / "report.pdf", a.folder / "report.json"
        a.said = a.run("verify", "--trust", a.trust, "--report", a.pdf, "--report", a.json_file).stdout

    @classmethod
    def tearDownClass(cls):
        cls.a.__exit__()

    def copy(self, *files):
        folder = self.a.folder / "copy"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return [shutil.copy(f, folder) for f in files]

    def test_the_json_report_is_signed_for_openssl(self):
        code, said = cms(self.a.json_file)
        self.assertEqual(code, 0, said)
        report = json.loads(self.a.json_file.read_text())
        self.assertEqual((report["ok"], report["origin"], report["mode"], report["subject"]), (True, "pinned", "whole", "archive"))
        self.assertEqual(report["report"]["archive"], "Zentralarchiv")
        for key in ("checked", "proven", "not_proven"):
            self.assertGreater(len(report["report"][key]), 1, key)
        self.assertEqual(report["size"], report["checked"]["entries"])
        copy, _ = self.copy(self.a.json_file, f"{self.a.json_file}.p7s")
        data = bytearray(self.a.json_file.read_bytes())
        data[len(data) // 2] ^= 1
        (self.a.folder / "copy" / "report.json").write_bytes(data)
        self.assertNotEqual(cms(copy)[0], 0)

    def test_the_pdf_report_is_sound_and_signed_for_every_pdf_program(self):
        code, said = tool("pdfsig", self.a.pdf)
        self.assertEqual(code, 0, said)
        for words in ("Signature is Valid", "Total document signed", "ETSI.CAdES.detached"):
            self.assertIn(words, said)
        code, said = tool("qpdf", "--check", self.a.pdf)
        self.assertEqual(code, 0, said)
        text = " ".join(tool("pdftotext", self.a.pdf, "-")[1].split())
        for words in ("Verification report", "Intact. It comes from the archive that the trust file names.", "What was checked",
                      "What that proves", "What it does not prove", "How to check this report"):
            self.assertIn(words, text)
        fingerprint = json.loads(self.a.json_file.read_text())["fingerprint"]
        self.assertIn(fingerprint, text)
        folder = self.a.folder / "attached"
        folder.mkdir(exist_ok=True)
        tool("pdfdetach", "-saveall", self.a.pdf, "-o", folder)
        self.assertEqual((folder / "report.json").read_bytes(), self.a.json_file.read_bytes())

    def test_a_changed_byte_of_the_pdf_breaks_its_signature(self):
        data = bytearray(self.a.pdf.read_bytes())
        data[data.index(b"stream\n") + 40] ^= 1
        changed = self.a.folder / "changed.pdf"
        changed.write_bytes(data)
        self.assertNotIn("Signature is Valid", tool("pdfsig", changed)[1])
        code, out, _ = kustos_verify(changed, "--json")
        self.assertEqual((code, json.loads(out)["problems"][0]["code"]), (1, "report.signature"))

    def test_the_ledger_names_the_report(self):
        entry = int(re.search(r"noted in entry (\d+)", self.a.said)[1])
        proof = self.a.folder / "x.tlog-proof"
        self.a.run("receipt", entry, "--out", proof)
        named = (self.a.folder / "x.entry").read_bytes()
        self.assertIn(hashlib.sha256(self.a.json_file.read_bytes()).digest(), named)
        self.assertIn(bytes.fromhex("000100020017"), named)  # action 23
        self.assertIn(b"ok", named)
        self.assertEqual(kustos_verify("--tlog-proof", proof, "--data", self.a.folder / "x.entry", "--trust", self.a.trust)[0], 0)

    def test_kustos_verify_tells_a_report_from_a_bundle(self):
        code, out, _ = kustos_verify(self.a.pdf, "--trust", self.a.trust)
        self.assertEqual(code, 0, out)
        self.assertTrue(out.startswith("The verification report is intact and says: nothing was found broken. It comes from"), out)
        self.assertIn("verifies the archive itself", out)
        code, out, _ = kustos_verify(self.a.pdf, "--json")
        report = json.loads(out)
        self.assertEqual((code, report["subject"], report["origin"], report["reported"]), (0, "report", "unknown", "ok"))

    def test_a_german_report_is_german(self):
        pdf, text = self.a.folder / "bericht.pdf", self.a.folder / "bericht.json"
        said = self.a.run("--lang", "de", "verify", "--report", pdf, "--report", text).stdout
        self.assertIn("unterschrieben, vermerkt in Eintrag", said)
        words = " ".join(tool("pdftotext", pdf, "-")[1].split())
        for german in ("Prüfbericht", "Unversehrt, Herkunft offen", "Was geprüft wurde", "Was es nicht beweist", "Seite 1 von"):
            self.assertIn(german, words)
        report = json.loads(text.read_text())
        self.assertTrue(report["report"]["verdict"].startswith("Unversehrt"))
        self.assertTrue(report["headline"].startswith("Intact"))  # the contract's texts are English
        self.assertEqual(cms(text)[0], 0)

    def test_findings_are_reported_and_the_entry_says_so(self):
        with Archive("--tsa", "builtin") as archive:
            archive.run("source", "add", "mail", "--kind", "import")
            archive.run("ingest", "--source", "mail", DEMO / "mail.mbox")
            segment = next((archive.path / "vault" / "segments").iterdir())
            data = bytearray(segment.read_bytes())
            data[100] ^= 1
            segment.write_bytes(data)
            pdf = archive.folder / "report.pdf"
            said = archive.run("verify", "--report", pdf, code=1).stdout
            self.assertIn("Not intact: 1 finding", said)
            self.assertIn("Encrypted content was changed.", said)
            self.assertIn("To do: ", said)
            text = " ".join(tool("pdftotext", pdf, "-")[1].split())
            for words in ("Not in order", "Encrypted content was changed.", "vault.segment", "To do:"):
                self.assertIn(words, text)
            code, out, _ = kustos_verify(pdf, "--json")
            self.assertEqual((code, json.loads(out)["reported"]), (0, "problems"))
            self.assertIn("there are findings", kustos_verify(pdf)[1])

    def test_without_its_entry_no_report_is_signed(self):
        with Archive("--tsa", "builtin") as archive, SignerProcess(archive) as signer:
            token = archive.json("source", "add", "live", "--kind", "http")["token"]
            archive.serve()
            pdf, text = archive.folder / "report.pdf", archive.folder / "report.json"
            self.assertEqual(archive.call("verify", "--report", pdf).returncode, 0)
            pdf.unlink()
            signer.kill(signal.SIGKILL)
            archive.push("live", token, [event(1)])  # ends the writer
            done = archive.call("verify", "--report", pdf, "--report", text)
            # The server is about to end, too: it may end the verification before there is anything to sign, or have
            # ended before the command came, which then looks for the signer by itself.
            if done.returncode != 130:
                self.assertEqual(done.returncode, 6, done.stderr)
            if done.returncode != 130 and "the signer does not answer" not in done.stderr:
                self.assertIn("no signed report was written", done.stderr)
                self.assertIn("What was checked", done.stdout)  # what was found is said all the same
            self.assertEqual([f for f in (pdf, text, archive.folder / "report.json.p7s") if f.exists()], [])

    def test_a_running_server_writes_the_report_where_the_caller_stands(self):
        with Archive("--tsa", "builtin") as archive:
            archive.serve()
            done = archive.call("--json", "verify", "--report", "here.json", cwd=archive.folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            made = json.loads(done.stdout)["signed_report"]
            self.assertEqual([name.rsplit("/", 1)[1] for name in made["files"]], ["here.json", "here.json.p7s"])
            self.assertEqual(cms(archive.folder / "here.json")[0], 0)

    def test_wrong_calls_are_refused_before_anything_is_read(self):
        for name in ("report.txt", "report", "report.PDF"):
            done = self.a.call("verify", "--report", self.a.folder / name)
            self.assertEqual(done.returncode, 2, name)
            self.assertIn("FILE.pdf or FILE.json", done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertEqual(kustos_verify("--html", self.a.folder / "x.html")[0], 2)
        self.assertEqual(kustos_verify(self.a.path, "--html", "/no/such/folder/x.html")[0], 6)

    def test_html_in_both_languages_beside_json(self):
        for language, words in (("en", ("<html lang=\"en\">", "What was checked", "Intact, origin open")),
                                ("de", ("<html lang=\"de\">", "Was geprüft wurde", "Unversehrt, Herkunft offen"))):
            for subject in (self.a.path, self.a.folder / "bundle.pdf", self.a.pdf):
                page = self.a.folder / "page.html"
                code, out, _ = kustos_verify(subject, "--json", "--html", page, "--lang", language)
                self.assertEqual(code, 0)
                self.assertTrue(json.loads(out)["ok"])
                html = page.read_text()
                for word in words:
                    self.assertIn(word, html)
                self.assertNotRegex(html, r"<script|<link|src=|href=|https?://|url\((?!#)")
                self.assertIn("default-src 'none'", html)
                self.assertEqual(html.count("<svg viewBox=\"0 0 700"), 2 if subject == self.a.path else 0)

    def test_a_hostile_file_name_does_not_leave_its_place_in_the_html(self):
        with Archive("--tsa", "builtin") as archive:
            evil = "<img src=x onerror=alert(1)>&\u202e.x"
            (archive.path / "ledger" / evil).write_text("x")
            page = archive.folder / "page.html"
            code, out, _ = kustos_verify(archive.path, "--json", "--html", page)
            self.assertEqual((code, json.loads(out)["problems"][0]["code"]), (1, "file.unreferenced"))
            html = page.read_text()
            self.assertIn("&lt;img src=x onerror=alert(1)&gt;&amp;?.x", html)
            self.assertNotIn("<img", html)


if __name__ == "__main__":
    unittest.main()
