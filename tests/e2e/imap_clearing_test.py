"""Mails are taken out of a real Dovecot's mailbox only when they are proven sealed."""
import time
import unittest

import dovecot
from imap_mailbox import Mailbox, large_mail, mail


@unittest.skipIf(dovecot.why_not(), dovecot.why_not())
class WithDovecot(Mailbox):
    def setUp(self):
        self.dovecot = dovecot.Dovecot()
        self.addCleanup(self.dovecot.stop)
        self.begin("127.0.0.1", self.dovecot.tls_port, ca_file=self.dovecot.certificate)

    def test_mails_are_deleted_only_when_proven_sealed_and_nobody_elses_deletions_are_carried_out(self):
        self.config(interval_seconds=3600)  # a checkpoint is published a second behind a start, and not again
        self.settings.update(after_proof="delete", keep_days=0)
        self.write()
        self.a.serve()
        time.sleep(2)
        self.dovecot.append([mail(1), large_mail(2, 1), b"\0\1\2"])
        self.dovecot.append([mail(3)], flags="\\Deleted")  # somebody else's mark
        self.a.until(lambda: self.records() == 4)
        time.sleep(2.5)  # rounds go by
        self.assertEqual(self.dovecot.count(), 4)
        self.assertEqual(self.entries("source_cleared"), [])
        self.a.kill()
        self.a.serve()
        self.a.until(lambda: self.dovecot.count() == 1)
        self.a.until(lambda: self.source()["stream"]["state"] == "running")
        self.assertIn(b"\1\2", self.dovecot.mails()[0][1])  # what could not be read stays
        self.dovecot.append([mail(4)], flags="\\Deleted")
        self.a.until(lambda: self.records() == 5)
        self.assertEqual(self.findings(), {})
        self.a.stop()  # a ledger that is written shows its newest entries a while later
        self.assertEqual(sum(int(e["rows"]["count"]) for e in self.entries("source_cleared")), 3)
        self.assertEqual(self.a.verify()[0], 0)

    def test_what_is_no_longer_on_our_disk_as_it_was_sealed_stays_in_the_mailbox(self):
        self.config(interval_seconds=3600)
        self.settings.update(after_proof="delete", keep_days=0)
        self.write()
        self.a.serve()
        time.sleep(2)
        self.dovecot.append(map(mail, range(3)))
        self.a.until(lambda: self.records() == 3)
        self.a.kill()
        for file in (self.a.path / "vault" / "segments").iterdir():
            content, at = bytearray(file.read_bytes()), 0
            while at + 8 <= len(content):
                size = int.from_bytes(content[at:at + 8], "big")
                if size > 0:
                    content[at + 8] ^= 1
                at += 8 + size
            file.write_bytes(content)
        self.a.serve()
        self.a.until(self.findings)
        self.assertEqual(self.findings(), {"imap:not-proven": 3})
        self.assertEqual(self.dovecot.count(), 3)
        self.assertEqual(self.entries("source_cleared"), [])

    def test_mails_are_moved_where_the_settings_say_so(self):
        with self.dovecot.client() as client:
            client.create("Archiviert")
        self.config(interval_seconds=1)
        self.settings.update(after_proof="move", move_to="Archiviert", keep_days=0)
        self.write()
        self.dovecot.append(map(mail, range(12)), flags="\\Flagged")
        self.a.serve()
        self.a.until(lambda: self.dovecot.count("Archiviert") == 12)
        self.assertEqual(self.dovecot.count(), 0)
        self.assertTrue(all(b"\\Flagged" in m[0] and b"\\Seen" not in m[0] for m in self.dovecot.mails("Archiviert")))
        self.assertEqual(self.records(), 12)


if __name__ == "__main__":
    unittest.main()
