"""With the vault closed, what is sealed and indexed can't be opened by one who takes disk and memory; a crash loses
nothing, a power loss only defers. docs/threat-model.md, "The sealer's memory"."""
import array
import hashlib
import hmac
import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
import unittest

import attacker
from kustos import BIN, Archive, event, free_port

SYLLABLES = [a + b for a in "bdfghklmnprstvwz" for b in ("a", "e", "i", "o")] + ["au", "ei", "eu"]
DICTIONARY = ["".join(word) for word in itertools.product(SYLLABLES, repeat=3)]  # 300,763 words
KNOWN = DICTIONARY[1000::5003]  # 60 of them stand in records


class Closed(Archive):
    """Opened by a passphrase; the server never gets it."""

    def __init__(self):
        super().__init__(create=False)
        self.word = self.folder / "word"
        self.word.write_text("zwölf Boxkämpfer jagen\n")
        self.run("init", self.path, "--unlock", "passphrase", "--passphrase-file", self.word, "--tsa", "builtin")
        self.token = self.json("source", "add", "live", "--kind", "http")["token"]
        self.number = itertools.count()

    def __exit__(self, *_):
        super().__exit__()
        keeper = attacker.keeper_of(self.state)
        if keeper:
            os.kill(keeper, signal.SIGKILL)

    def send(self, count):
        lines = [event(n := next(self.number), f"Nachricht {KNOWN[n % len(KNOWN)]} Nummer {n}") for _ in range(count)]
        assert self.push("live", self.token, lines)[0] == 200

    def coverage(self):
        return self.json("status")["coverage"]

    def indexed(self):
        self.until(lambda: self.coverage()["deferred"] == 0, 90)

    def opened_by(self, states, disk):
        """Records that one of the copies of a forward state opens."""
        return {i for i in disk.records() for s in states
                if (dek := s.dek(*disk.leaf(i))) and disk.opens_with_dek(i, dek)}


def copies(area):
    return [attacker.ForwardState(area[:attacker.COPY]), attacker.ForwardState(area[attacker.COPY:])]


class Tools(unittest.TestCase):
    def test_the_attackers_primitives_are_the_standards(self):
        self.assertEqual(attacker.aes256_block(bytes(range(32)), bytes.fromhex("00112233445566778899aabbccddeeff")).hex(),
                         "8ea2b7ca516745bfeafc49904b496089")  # FIPS 197, C.3
        terms_key = attacker.expand(bytes(range(32)), b"kustos1/index/term", 16)
        self.assertEqual(attacker.siphash128(terms_key, b"\1vertrag")[:10].hex(), "bdc5bc2a0f125cfb6cb9")  # index.md
        self.assertEqual(len(set(DICTIONARY)), 67 ** 3)
        self.assertGreaterEqual(len(DICTIONARY), 300_000)


@unittest.skipUnless(os.geteuid() == 0, "reading a hardened process's memory needs root")
class WriteOnly(unittest.TestCase):
    def test_who_takes_disk_and_memory_opens_what_waits_and_searches_the_open_shard_and_nothing_else(self):
        with Closed() as a:
            a.serve()
            a.send(60)
            a.indexed()
            a.stop()  # closes the shard
            self.assertIsNotNone(attacker.keeper_of(a.state))
            a.serve()
            a.send(40)
            a.indexed()
            time.sleep(1)  # what was committed is punctured
            area = attacker.forward_memory(a.server.pid)
            self.assertIsNotNone(area)
            states, secrets = copies(area), attacker.locked_secrets(a.server.pid)
            self.assertTrue(all(s.whole and s.nodes for s in states))
            self.assertGreater(len(secrets), 10)
            copy = a.folder / "stolen"
            a.copy_to(copy)
            disk = attacker.Disk(copy)
            self.assertEqual(len(disk.records()), 100)
            # Records: nothing that is indexed opens, by its place or by trying every secret as any of its keys.
            self.assertEqual(a.opened_by(states, disk), set())
            for i in (disk.records()[0], disk.records()[-1]):
                tree, leaf = disk.leaf(i)
                for secret in secrets:
                    for dek in (secret, attacker.mac(secret, b"kustos1/leaf" + attacker.struct.pack(">II", tree, leaf))):
                        self.assertFalse(disk.opens_with_dek(i, dek))
                    self.assertFalse(disk.opens_with_enc(i, secret))
            # The index: of the open shard every word of the dictionary that is there; of the closed one none.
            closed, opened = attacker.Shard(copy / "index", 1), attacker.Shard(copy / "index", 2)
            self.assertTrue(closed.closed)
            self.assertFalse(opened.closed)
            candidates = secrets | {key for s in states for key in s.shards.values()}
            self.assertEqual([c for c in candidates if closed.is_key(c)], [])
            keys = [c for c in candidates if opened.is_key(c)]
            self.assertEqual(len(keys), 1)
            self.assertEqual({tuple(sorted(s.shards)) for s in states}, {(2,)})
            terms = attacker.keyed_terms(keys[0], DICTIONARY)
            self.assertEqual(closed.attack(terms), set())
            found = opened.attack(terms)
            sent = {KNOWN[n % len(KNOWN)] for n in range(60, 100)}
            self.assertLessEqual(found, sent)
            self.assertGreaterEqual(len(found), len(sent) * 8 // 10)  # a term with a zero byte is stored otherwise
            # With the passphrase the same disk opens everything: the attack failed for want of keys alone.
            a.stop()
            self.assertEqual(a.json("search", "--matter", a.matter(), KNOWN[3], "--passphrase-file", a.word)["total"], 2)

    def test_a_killed_servers_state_survives_in_its_keeper_and_nothing_is_deferred(self):
        with Closed() as a:
            a.serve()
            a.send(30)
            a.indexed()
            trees = None
            for _ in range(3):
                a.send(1500)
                a.kill()
                disk = attacker.Disk(a.path)
                opened = a.opened_by(copies(attacker.forward_memory(attacker.keeper_of(a.state))), disk)
                coverage = a.coverage()
                trees = trees or attacker.Disk(a.path).trees()  # by now what was in staging/ is in the tiles, too
                self.assertGreater(coverage["deferred"], 0, "the indexer was too quick for this test")
                # Exactly what is not indexed yet: all behind those that are. (The last batch may still be in staging/.)
                self.assertEqual(opened, set(disk.records()[coverage["sealed"] - coverage["deferred"]:]))
                a.serve()
                self.assertIn(a.json("status")["forward_memory"], ("memfd_secret", "memfd"))
                a.send(10)
                a.indexed()
                self.assertEqual(a.json("status")["vault"], "closed")
            self.assertEqual(attacker.Disk(a.path).trees(), trees)
            self.assertEqual(a.verify()[0], 0)

    def test_after_a_power_loss_new_trees_begin_and_what_was_not_indexed_waits_for_a_key_holder(self):
        with Closed() as a:
            a.serve()
            a.send(1500)
            a.kill()
            os.kill(attacker.keeper_of(a.state), signal.SIGKILL)
            trees = attacker.Disk(a.path).trees()
            deferred = a.coverage()["deferred"]
            self.assertGreater(deferred, 0)
            a.serve()
            a.send(10)
            a.until(lambda: a.coverage()["deferred"] == deferred)
            a.until(lambda: len(attacker.Disk(a.path).trees()) > len(trees))  # what is in staging/ comes to the tiles soon
            matter = a.matter()
            a.json("search", "--matter", matter, "Nachricht", "--passphrase-file", a.word)
            a.until(lambda: a.json("search", "--matter", matter, "Nachricht", "--passphrase-file", a.word)["coverage"]["deferred"] == 0, 120)
            self.assertEqual(a.json("search", "--matter", matter, "Nachricht", "--passphrase-file", a.word)["total"], 1510)

    def test_the_keeper_ends_when_it_is_told_and_when_its_folder_is_gone(self):
        for end in ("signal", "folder"):
            with Closed() as a:
                a.serve()
                keeper = attacker.keeper_of(a.state)
                self.assertIsNotNone(keeper)
                a.stop()
                if end == "signal":
                    os.kill(keeper, signal.SIGTERM)
                else:
                    shutil.rmtree(a.state)
                a.until(lambda: attacker.keeper_of(a.state) is None, 10)

    def test_systemd_keeps_it_where_systemd_is(self):
        with Closed() as a:
            notify = a.folder / "notify"
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
                listening.bind(str(notify))
                listening.settimeout(20)
                os.environ["NOTIFY_SOCKET"] = str(notify)
                try:
                    a.serve()
                finally:
                    del os.environ["NOTIFY_SOCKET"]
                text, control, _, _ = listening.recvmsg(4096, socket.CMSG_SPACE(4))
            self.assertEqual(text, b"FDSTORE=1\nFDPOLL=0\nFDNAME=kustos-forward")
            stored = array.array("i", control[0][2])[0]
            self.assertIsNone(attacker.keeper_of(a.state))
            a.send(1500)
            a.kill()
            trees = attacker.Disk(a.path).trees()
            # As sd_listen_fds(3) says: descriptor 3, with the process's own number.
            a.port = free_port()
            server = subprocess.Popen(["bash", "-c", f'exec 3<&{stored}; LISTEN_PID=$$ exec "$@"', "bash", BIN / "kustos", "serve", "--port", str(a.port)],
                                      env=dict(os.environ, KUSTOS_ARCHIVE=str(a.path), KUSTOS_STATE=str(a.state), LC_ALL="en",
                                               LISTEN_FDS="1", LISTEN_FDNAMES="kustos-forward"),
                                      pass_fds=(stored,), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            a.server = server
            os.close(stored)
            self.assertIn(b"localhost", server.stdout.readline())
            server.stdout.close()
            a.indexed()
            self.assertEqual(attacker.Disk(a.path).trees(), trees)

    def test_with_auto_nothing_is_kept_and_status_says_what_auto_means(self):
        with Archive("--tsa", "builtin") as a:
            a.serve()
            self.assertIsNone(attacker.keeper_of(a.state))
            status = a.json("status")
            self.assertEqual(status["forward_memory"], "")
            self.assertTrue(any("whoever has the disk can read everything" in step for step in status["next_steps"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
