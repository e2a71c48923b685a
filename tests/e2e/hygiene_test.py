"""Keys and the disk: what a server says, and does, where its memory may be swapped; no core dumps; locked pages."""
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from kustos import BIN, Archive, free_port

SWAP = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/sda2                               partition\t4194300\t\t0\t\t-2\n"
TOOLS = ("unshare", "mount", "setpriv", "prlimit")


def can_pretend():
    """A machine with swap, for one process: another /proc/swaps in a mount namespace of its own."""
    if os.geteuid() != 0 or not all(map(shutil.which, TOOLS)):
        return False
    return subprocess.run(["unshare", "-m", "mount", "--bind", "/proc/version", "/proc/swaps"], capture_output=True,
                          check=False).returncode == 0


def pretending(swaps, command):
    """With swap, and with 64 KiB of locked memory at most: as a service of an ordinary user."""
    return ["unshare", "-m", "sh", "-c", f'mount --bind {swaps} /proc/swaps && exec "$@"', "sh", "setpriv",
            "--bounding-set=-ipc_lock,-sys_resource", "--inh-caps=-ipc_lock,-sys_resource", "prlimit",
            "--memlock=65536:65536", *command]


class Hygiene(unittest.TestCase):
    def test_keys_are_locked_and_there_are_no_core_dumps(self):
        with Archive("--tsa", "builtin") as a:
            a.serve()
            limits = Path(f"/proc/{a.server.pid}/limits").read_text()
            self.assertRegex(limits, r"Max core file size\s+0\s+0\s")
            status = Path(f"/proc/{a.server.pid}/status").read_text()
            if os.geteuid() == 0:
                locked = int(next(line for line in status.splitlines() if line.startswith("VmLck:")).split()[1])
                self.assertGreaterEqual(locked, 128)
            self.assertIn(a.json("status")["key_memory"], ("locked", "not locked, no swap"))

    @unittest.skipUnless(can_pretend(), "needs root and a mount namespace")
    def test_where_keys_may_be_swapped_status_says_so_and_strict_refuses(self):
        with Archive("--tsa", "builtin") as a:
            swaps = a.folder / "swaps"
            swaps.write_text(SWAP)
            environment = dict(os.environ, KUSTOS_ARCHIVE=str(a.path), KUSTOS_STATE=str(a.state), LC_ALL="en")

            def run(*arguments):
                return subprocess.run(pretending(swaps, [BIN / "kustos", *arguments]), env=environment, text=True,
                                      capture_output=True, check=False, timeout=60)

            said = run("--json", "status")
            self.assertEqual(said.returncode, 0, said.stderr)
            self.assertIn('"key_memory":"may be swapped"', said.stdout.replace(": ", ":"))
            self.assertIn("Keys may be swapped to disk", said.stdout)
            config = a.path / "config.yaml"
            config.write_text(config.read_text() + "harden: strict\n")
            refused = run("serve", "--port", str(free_port()))
            self.assertEqual(refused.returncode, 6, refused.stderr)
            self.assertIn("keys may be swapped", refused.stderr)
            # The same machine where the process may lock: it serves.
            a.serve()
            self.assertEqual(a.json("status")["key_memory"], "locked")
            a.stop()
            config.write_text(config.read_text().replace("harden: strict", "harden: very"))
            self.assertEqual(a.call("serve").returncode, 5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
