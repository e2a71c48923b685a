"""Opening the vault: passphrase, shares, a TPM (swtpm) and a token (softhsm2), for a time, and at a terminal."""
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from kustos import BIN, DEMO, Archive, free_port

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")


def sheets(folder, into):
    """The shares of the newest sheets in a folder, as files, as a holder would type them."""
    out = []
    for sheet in sorted(folder.glob("share-*.pdf")):
        text = subprocess.run(["pdftotext", "-layout", sheet, "-"], check=True, capture_output=True, text=True).stdout
        lines = re.findall(r"^ +[1-4] +((?:[0-9A-Z]{5} *){4})$", text, re.M)
        assert len(lines) == 4, text
        file = into / (sheet.stem + ".txt")
        file.write_text("\n".join(" ".join(line.split()) for line in lines) + "\n")
        out.append(file)
    return out


class Shares(Archive):
    """An archive of three shares of five, with something in it."""

    def __init__(self, kind="3/5"):
        super().__init__(create=False)
        self.made = self.json("init", self.path, "--unlock", "shares:" + kind, "--shares-out", self.folder / "sheets")
        self.shares = sheets(self.folder / "sheets", self.folder)
        self.run("source", "add", "mail", "--kind", "import")
        self.run("ingest", "--source", "mail", DEMO / "mail.mbox", *self.use(0, 1, 2))
        self.id = self.matter()

    def use(self, *numbers):
        return [word for n in numbers for word in ("--share-file", self.shares[n])]


def trail(archive, action):
    return [e["rows"] for e in archive.json("audit", "list", "--action", action)["entries"]]


class Unlock(unittest.TestCase):
    def test_any_three_of_five_holders_open_and_every_wrong_share_is_named(self):
        with Shares() as a:
            for sheet in (a.folder / "sheets").iterdir():
                self.assertEqual(sheet.stat().st_mode & 0o777, 0o600)
            search = ("search", "--matter", a.id, "Fundamente")
            self.assertIn("kustos unlock --share-file", a.run(*search, code=4).stderr)
            self.assertIn("3 of the 5 holders", a.run("status").stdout)
            for numbers in ((0, 1, 2), (4, 2, 0), (1, 3, 4), (0, 1, 2, 3)):
                self.assertIn("Fundamente", a.run(*search, *a.use(*numbers)).stdout)
            self.assertIn("2 of 3", a.run(*search, *a.use(0, 1), code=2).stderr)
            self.assertIn("share 2 was given already", a.run(*search, *a.use(0, 1, 1), code=3).stderr)
            typo = a.folder / "typo"
            text = a.shares[3].read_text()
            typo.write_text(text[:37] + ("7" if text[37] != "7" else "8") + text[38:])
            said = a.run(*search, *a.use(0, 1), "--share-file", typo, code=3).stderr
            self.assertIn("line 2, group 3", said)
            self.assertNotIn(text[36:41], said)
            self.assertIn("Zeile 2, Gruppe 3", a.call("--lang", "de", *search, *a.use(0, 1), "--share-file", typo).stderr)
            with Shares() as other:
                said = a.run(*search, *a.use(0, 1), "--share-file", other.shares[2], code=3).stderr
                self.assertRegex(said, "share 3 is of the set [0-9a-f]{6}, which is not this archive's")
            # One too many, and one of them wrong: it opens, and says which one.
            done = a.run(*search, *a.use(0, 1, 2), "--share-file", typo)
            self.assertIn("Fundamente", done.stdout)
            self.assertIn("line 2, group 3", done.stderr)
            # A new set: the old sheets open nothing any more, and say what they are.
            a.run("key", "shares", "--out", a.folder / "new", code=4)
            old = a.use(0, 1, 2)
            self.assertEqual(len(a.json("key", "shares", "--out", a.folder / "new", *old)["sheets"]), 5)
            said = a.run(*search, *old, code=3).stderr
            for number in (1, 2, 3):
                self.assertRegex(said, f"share {number} is of the set [0-9a-f]{{6}}, which was replaced on 20")
            mixed = a.use(0) + ["--share-file", sheets(a.folder / "new", a.folder)[1]]
            self.assertIn("share 1 is of the set", a.run(*search, *mixed, code=3).stderr)
            a.shares = sheets(a.folder / "new", a.folder)
            self.assertIn("Fundamente", a.run(*search, *a.use(4, 3, 2)).stdout)
            self.assertEqual(trail(a, "slots_changed")[-1]["method"], "shares")
            self.assertEqual(trail(a, "slots_changed")[-1]["slots_hash"], a.json("key", "status")["slots_sha256"])
            self.assertEqual(trail(a, "vault_unlocked")[-1]["method"], "shares 3/5: 3 4 5")
            self.assertEqual(a.verify()[0], 0)

    def test_the_vault_of_a_server_opens_for_a_time_and_closes_by_itself(self):
        with Shares() as a:
            a.serve()
            search = ("search", "--matter", a.id, "Fundamente")
            a.run(*search, code=4)
            opened = json.loads(a.run("--json", "unlock", "--for", "3s", *a.use(0, 2, 4)).stdout)
            self.assertTrue(opened["open"])
            self.assertIn("Fundamente", a.run(*search).stdout)
            self.assertIn("until", a.json("status")["vault"])
            time.sleep(3.5)
            a.until(lambda: a.call(*search).returncode == 4)
            self.assertEqual(a.json("status")["vault"], "closed")
            a.until(lambda: [r["method"] for r in trail(a, "vault_locked")] == ["time"])
            self.assertEqual(trail(a, "vault_unlocked")[-1]["until"][:19], opened["until"][:19])
            # Closed by a key holder before its time; one command's own opening does not end a standing one.
            a.run("unlock", "--for", "1h", *a.use(0, 2, 4))
            a.run(*search, *a.use(0, 1, 2))
            a.run(*search)
            a.run("lock")
            a.run(*search, code=4)
            a.until(lambda: trail(a, "vault_locked")[-1]["method"] == "key holder")
            for bad in ("8", "0h", "8d", "-1h", "1.5h", "h"):
                self.assertIn("--for", a.run("unlock", "--for=" + bad, *a.use(0, 1, 2), code=2).stderr)
            # Open at the end of the server: closed with it, on record.
            a.run("unlock", *a.use(0, 2, 4))
            a.stop()
            self.assertEqual(trail(a, "vault_locked")[-1]["method"], "end")
            self.assertIn("no server runs", a.run("unlock", *a.use(0, 2, 4), code=2).stderr)
            self.assertEqual(a.verify()[0], 0)

    def test_holders_at_different_places_give_their_shares_one_by_one(self):
        with Shares("2/3") as a:
            a.serve()
            first = a.run("unlock", *a.use(2), code=4)
            self.assertIn("1 of 2", first.stdout)
            self.assertIn("1 of 2 shares are there", a.json("status")["vault"])
            self.assertIn("already", a.run("unlock", *a.use(2), code=3).stderr)
            self.assertIn("until", a.run("unlock", *a.use(0)).stdout)
            a.run("search", "--matter", a.id, "Fundamente")
            a.until(lambda: trail(a, "vault_unlocked")[-1]["method"] == "shares 2/3: 1 3")  # on the disk a moment later
            a.run("lock")
            a.run("unlock", *a.use(2), code=4)
            a.run("lock")  # forgets what waits, too
            self.assertEqual(a.json("status")["vault"], "closed")

    def test_a_ceremony_at_a_terminal_shows_nothing_of_what_is_typed(self):
        with Shares("2/3") as a:
            a.serve()
            environment = dict(os.environ, KUSTOS_ARCHIVE=str(a.path), KUSTOS_STATE=str(a.state), LC_ALL="de")
            child, terminal = pty.fork()
            if child == 0:
                os.execve(BIN / "kustos", ["kustos", "unlock", "--for", "1h"], environment)
            shown = b""

            def wait_for(text):
                nonlocal shown
                end = time.monotonic() + 30
                while text.encode() not in shown:
                    self.assertLess(time.monotonic(), end, shown.decode("utf-8", "replace"))
                    if select.select([terminal], [], [], 0.2)[0]:
                        shown += os.read(terminal, 4096)
            wait_for("2 von 3 Inhabern")
            good, other = (a.shares[n].read_text().splitlines() for n in (1, 0))
            typo = [good[0], good[1][:-1] + ("7" if good[1][-1] != "7" else "8"), *good[2:]]
            for attempt, (lines, heard) in enumerate(((typo, "Zeile 2, Gruppe 4"), (good, "Anteil 2 ist richtig – 1 von 2"),
                                                      (good, "Anteil 2 wurde schon gegeben"), (other, "Anteil 1 ist richtig"))):
                for number, line in enumerate(lines, 1):
                    wait_for(f"Zeile {number}: ")
                    shown = shown[shown.rindex(f"Zeile {number}: ".encode()):].replace(b"Zeile", b"zeile", 1)
                    time.sleep(0.05)
                    os.write(terminal, line.lower().encode() + b"\n")
                wait_for(heard)
            wait_for("Der Tresor ist offen bis")
            everything = shown.decode("utf-8", "replace").upper()
            _, status = os.waitpid(child, 0)
            os.close(terminal)
            self.assertEqual(os.waitstatus_to_exitcode(status), 0)
            for line in good + other:
                for group in line.split():
                    self.assertNotIn(group, everything)
            a.run("search", "--matter", a.id, "Fundamente")

    def test_a_passphrase_is_changed_and_ways_are_added_and_removed_but_never_the_last(self):
        with Archive(create=False) as a:
            one, two = a.folder / "one", a.folder / "two"
            one.write_text("erstes Kennwort, lang\n")
            two.write_text("zweites Kennwort, lang\n")
            short = a.folder / "short"
            short.write_text("kurz\n")
            self.assertIn("12 characters", self.refuse(a, "init", a.path, "--unlock", "passphrase", "--passphrase-file", short))
            a.run("init", a.path, "--unlock", "passphrase", "--passphrase-file", one)
            self.assertIn("last slot", self.refuse(a, "key", "rekey", "--remove", "passphrase", "--passphrase-file", one))
            a.run("key", "rekey", "--add", "passphrase", "--new-passphrase-file", two, "--passphrase-file", one)
            self.assertIn("passphrase is wrong", self.refuse(a, "key", "rekey", "--remove", "shares", "--passphrase-file", one))
            a.run("key", "rekey", "--add", "shares:2/2", "--shares-out", a.folder / "sheets", "--passphrase-file", two)
            a.run("key", "rekey", "--remove", "passphrase", "--passphrase-file", two)
            self.assertEqual([s["kind"] for s in a.json("key", "status")["slots"]], ["shares"])
            self.assertIn("no slot of the kind passphrase", self.refuse(a, "source", "list", "--passphrase-file", two))
            shares = [w for f in sheets(a.folder / "sheets", a.folder) for w in ("--share-file", f)]
            a.run("key", "rekey", "--add", "auto", *shares)
            self.assertIn("open (auto)", a.json("status")["vault"])
            a.serve()
            self.assertIn("auto", self.refuse(a, "lock"))
            a.stop()
            a.run("key", "rekey", "--remove", "auto")
            self.assertFalse((a.path / "keys" / "auto.key").exists())
            self.assertEqual(a.json("status")["vault"], "closed")
            self.assertEqual([r["method"] for r in trail(a, "slots_changed")],
                             ["passphrase", "passphrase, shares", "shares", "shares, auto", "shares"])
            self.assertEqual(a.verify()[0], 0)

    def refuse(self, archive, *arguments):
        done = archive.call(*arguments)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    def test_bad_orders_leave_nothing_behind(self):
        with Archive(create=False) as a:
            for order in ("shares:1/3", "shares:4/3", "shares:3/17", "shares", "tpm:cmd:id", "yubikey"):
                self.refuse(a, "init", a.path, "--unlock", order, "--shares-out", a.folder / "sheets")
            self.refuse(a, "init", a.path, "--unlock", "shares:2/3")
            self.assertFalse(a.path.exists() and any(a.path.iterdir()))
            self.assertFalse((a.folder / "sheets").exists())


class SoftTpm:
    def __init__(self):
        self.state = tempfile.mkdtemp(prefix="kustos-tpm-")
        while True:
            self.port = free_port()
            try:
                with socket.socket() as s:
                    s.bind(("127.0.0.1", self.port + 1))
                break
            except OSError:
                continue
        self.address = f"swtpm:host=127.0.0.1,port={self.port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.state, "--server",
                                         f"type=tcp,port={self.port}", "--ctrl", f"type=tcp,port={self.port + 1}", "--flags",
                                         "not-need-init,startup-clear"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port + 1), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("swtpm does not start")

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.state, ignore_errors=True)


@unittest.skipUnless(shutil.which("swtpm"), "swtpm is not installed (./run installs it)")
class Chip(unittest.TestCase):
    def test_one_machine_alone_opens_what_its_tpm_sealed(self):
        with Archive(create=False) as a, SoftTpm() as chip:
            a.run("init", a.path, "--unlock", "tpm:" + chip.address)
            a.run("source", "add", "mail", "--kind", "import")
            a.run("ingest", "--source", "mail", DEMO / "mail.mbox", "--tpm")
            search = ("search", "--matter", a.matter(), "Fundamente")
            self.assertIn("kustos unlock --tpm", a.run(*search, code=4).stderr)
            self.assertIn("Fundamente", a.run(*search, "--tpm").stdout)
            chip.stop()
            self.assertIn("none answers at", a.run(*search, "--tpm", code=6).stderr)
            chip.start()
            a.serve()
            a.run("unlock", "--for", "1h")  # the one way that there is
            self.assertIn("Fundamente", a.run(*search).stdout)
            a.run("lock")
            # The disk in another machine, at the same address.
            chip.stop()
            mine, other = chip.state, tempfile.mkdtemp(prefix="kustos-tpm-", dir=a.folder)
            chip.state = other
            chip.start()
            said = a.run("unlock", code=6).stderr
            self.assertIn("sealed by another chip", said)
            self.assertIn("kustos key status", said)
            chip.stop()
            chip.state = mine
            chip.start()
            a.run("unlock")
            a.stop()

    def test_a_pin_is_asked_for_beside_the_chip(self):
        with Archive(create=False) as a, SoftTpm() as chip:
            pin, wrong = a.folder / "pin", a.folder / "wrong"
            pin.write_text("4711\n")
            wrong.write_text("4712\n")
            a.run("init", a.path, "--unlock", "tpm:" + chip.address, "--pin-file", pin)
            search = ("search", "--matter", a.matter(), "nichts")
            self.assertIn("PIN", a.run(*search, "--tpm", code=2).stderr)
            self.assertIn("does not accept the PIN", a.run(*search, "--tpm", "--pin-file", wrong, code=3).stderr)
            a.run(*search, "--tpm", "--pin-file", pin)
            status = a.json("key", "status")["slots"][0]
            self.assertTrue(status["pin"])
            # Another PIN, by a new seal.
            a.run("key", "rekey", "--add", "tpm:" + chip.address, "--new-pin-file", wrong, "--tpm", "--pin-file", pin)
            a.run(*search, "--tpm", "--pin-file", wrong)
            a.run(*search, "--tpm", "--pin-file", pin, code=3)


@unittest.skipUnless(SOFTHSM.exists(), "softhsm2 is not installed (./run installs it)")
class Token(unittest.TestCase):
    def test_a_token_opens_and_its_key_goes_with_its_slot(self):
        with Archive(create=False) as a:
            (a.folder / "tokens").mkdir()
            config = a.folder / "softhsm2.conf"
            config.write_text(f"directories.tokendir = {a.folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
            os.environ["SOFTHSM2_CONF"] = str(config)
            try:
                subprocess.run(["softhsm2-util", "--init-token", "--free", "--label", "haus", "--pin", "4711-0815", "--so-pin",
                                "12345678"], check=True, capture_output=True)
                pin, wrong = a.folder / "pin", a.folder / "wrong"
                pin.write_text("4711-0815\n")
                wrong.write_text("0000\n")
                uri = f"pkcs11:token=haus?module-path={SOFTHSM}&pin-source=file:{pin}"
                a.run("init", a.path, "--unlock", uri)
                search = ("search", "--matter", a.matter(), "nichts")
                self.assertIn("--token", a.run(*search, code=4).stderr)
                a.run(*search, "--token")
                self.assertIn("PIN", a.run(*search, "--token", "--pin-file", wrong, code=6).stderr)
                self.assertRegex(a.json("key", "status")["slots"][0]["where"], "^token haus, key kustos-slot-[0-9a-f]{8}$")
                # A slot that names a module which others could change is not followed.
                module = a.folder / "module.so"
                shutil.copy(SOFTHSM, module)
                said = a.call("key", "rekey", "--add", uri.replace(str(SOFTHSM), str(module)), "--token").stderr
                self.assertIn("others than root could change", said)
                phrase = a.folder / "phrase"
                phrase.write_text("ein langes Kennwort\n")
                a.run("key", "rekey", "--add", "passphrase", "--new-passphrase-file", phrase, "--remove", "pkcs11", "--token")
                a.run(*search, "--token", code=2)
                a.run(*search, "--passphrase-file", phrase)
                listed = subprocess.run(["softhsm2-util", "--show-slots"], check=True, capture_output=True, text=True).stdout
                self.assertIn("haus", listed)
                left = [f for f in (a.folder / "tokens").rglob("*.object") if b"kustos-slot-" in f.read_bytes()]
                self.assertEqual(left, [])
            finally:
                del os.environ["SOFTHSM2_CONF"]


if __name__ == "__main__":
    unittest.main()
