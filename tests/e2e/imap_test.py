"""A journal mailbox, live: a real Dovecot, kills, new numbers, and mails that somebody removed."""
import os
import random
import re
import threading
import time
import unittest

import dovecot
from imap_mailbox import Mailbox, large_mail, mail, report

ROUNDS = int(os.environ.get("KUSTOS_KILL_ROUNDS", "6"))


@unittest.skipIf(dovecot.why_not(), dovecot.why_not())
class WithDovecot(Mailbox):
    def setUp(self):
        self.dovecot = dovecot.Dovecot()
        self.addCleanup(self.dovecot.stop)
        self.begin("127.0.0.1", self.dovecot.tls_port, ca_file=self.dovecot.certificate)

    def test_mails_are_sealed_once_and_the_mailbox_stays_as_it_is(self):
        self.dovecot.append(map(mail, range(30)))
        self.dovecot.append([mail(30), report(31)], flags="\\Seen \\Flagged")
        self.dovecot.append([large_mail(40, 9), b"\0\1\2"])
        (self.dovecot.mail / "cur" / "1772500000.empty:2,").touch()
        before = self.dovecot.mails()
        self.a.serve()
        self.a.until(lambda: self.records() == 36)  # the report is two
        self.dovecot.append([mail(1), mail(50)])  # one that is known
        self.a.until(lambda: self.records() == 37)
        counts = self.source()["counts"]
        self.assertEqual((counts["kind:mail"], counts["kind:envelope"], counts["kind:unreadable"]), (34, 1, 2))
        self.assertEqual(counts["duplicate"], 1)
        after = self.dovecot.mails()
        self.assertEqual(after[:len(before)], before)
        self.assertEqual([m for m in after if b"\\Seen" in m[0]][2:], [])
        self.assertEqual(self.findings(), {})
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)

    def test_starttls_is_a_must_and_only_a_trusted_certificate_will_do(self):
        self.dovecot.append([mail(1)])
        self.settings.update(port=self.dovecot.port, tls="starttls")
        self.write()
        self.a.serve()
        self.a.until(lambda: self.records() == 1)
        self.a.stop()
        other = dovecot.Dovecot()
        self.addCleanup(other.stop)
        for problem, change in (("shows a certificate that is not trusted", {"ca_file": other.certificate}),
                                ("refuses the login", {"ca_file": self.dovecot.certificate, "user": "stranger"})):
            self.settings.update(change)
            self.write()
            self.a.serve()
            self.a.until(lambda: self.problem() == "the mail server " + problem)  # pylint: disable=cell-var-from-loop
            self.a.stop()

    def test_kills_in_the_middle_lose_nothing_and_seal_nothing_twice(self):
        self.settings["batch"] = 7
        self.write()
        self.a.serve()
        sent, middle = 0, 0
        for _ in range(ROUNDS):
            sender = threading.Thread(target=self.dovecot.append, args=([mail(n) for n in range(sent, sent + 40)],))
            sender.start()
            sent += 40
            time.sleep(random.uniform(0, 0.5))
            middle += self.sealed_so_far() < sent
            self.a.kill()
            sender.join()
            self.a.serve()
        self.a.until(lambda: self.records() == sent, 60)
        self.a.stop()
        print(f"{ROUNDS} kills, {middle} of them with mails on their way, {sent} mails")
        self.assertGreater(middle, 0)
        self.assertEqual((self.records(), self.findings()), (sent, {}))
        self.assertEqual(len(self.dovecot.mails()), sent)
        self.assertEqual(self.a.verify()[0], 0)

    def sealed_so_far(self):
        done = self.a.call("--json", "status")
        return int(re.search(r'"records":(\d+)', done.stdout).group(1)) if done.returncode == 0 else 0

    def test_a_mailbox_that_is_numbered_anew_is_read_anew_and_nothing_is_sealed_twice(self):
        self.dovecot.append(map(mail, range(25)))
        self.a.serve()
        self.a.until(lambda: self.records() == 25)
        self.a.stop()
        time.sleep(1.1)  # Dovecot's UIDVALIDITY is the second
        self.dovecot.number_anew()
        self.dovecot.append([mail(100)])
        self.a.serve()
        self.a.until(lambda: self.records() == 26)
        self.a.until(lambda: self.source()["counts"].get("duplicate") == 25)
        self.assertEqual(self.findings(), {})
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)

    def test_mails_that_somebody_removed_before_they_were_fetched_are_found(self):
        self.dovecot.append(map(mail, range(5)))
        self.dovecot.remove([2])
        self.a.serve()
        self.a.until(lambda: self.records() == 4)
        self.assertEqual(self.findings(), {})  # what was before the first look proves nothing
        self.a.stop()
        self.dovecot.append(map(mail, range(10, 16)))
        self.dovecot.remove([6, 7, 10])
        self.a.serve()
        self.a.until(lambda: self.records() == 7)
        self.a.until(lambda: self.findings() == {"imap:uid-gap": 3})
        self.a.stop()
        self.assertEqual(self.a.verify()[0], 0)


if __name__ == "__main__":
    unittest.main()
