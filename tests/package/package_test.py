"""The Debian package of kustos-verify: lintian has nothing to say, the program in it works, and two builds are the same bytes."""
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from kustos import BIN, DEMO, ROOT, Archive  # noqa: E402

BUILD = ROOT / "app" / "package" / "build_verify_deb.sh"
CHECK = ROOT / "app" / "package" / "check_deb.sh"
PROGRAM = BIN / "kustos-verify"

# What a library leaves in a program that has parts of it, and the file that the copyright names for it.
MARKS = {r" T OPENSSL_cleanse$": "libcrypto.a", r" T sodium_init$": "libsodium.a", r" nlohmann::": "nlohmann", r" T __libc_start_main": "libc.a",
         r" T std::terminate\(\)$": "libstdc++.a", r" T ZSTD_": "libzstd.a", r" T sqlite3_": "libsqlite3.a", r" T (icu_|u_\w+_\d\d$)": "libicuuc.a",
         r" T YAML::": "libyaml-cpp.a", r" T SSL_": "libssl.a"}


def run(*command, **more):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=200, **more)
    return done.returncode, done.stdout + done.stderr


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for tool in ("lintian", "dpkg-deb", "man", "nm", "readelf"):
            if not shutil.which(tool):
                raise AssertionError(f"{tool} is missing: ./run test installs it")
        cls.folder = Path(tempfile.mkdtemp(prefix="kustos-package-"))
        cls.deb = cls.build("one")
        cls.root = cls.folder / "root"
        assert run("dpkg-deb", "-x", cls.deb, cls.root)[0] == 0

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def build(cls, name, **environment):
        out = cls.folder / name
        out.mkdir()
        code, text = run(BUILD, PROGRAM, out, env={**os.environ, **environment})
        if code != 0:
            raise AssertionError(text)
        return next(out.glob("kustos-verify_*.deb"))

    def read(self, name):
        data = (self.root / name).read_bytes()
        return (gzip.decompress(data) if name.endswith(".gz") else data).decode()

    def test_lintian_prints_nothing(self):
        self.assertEqual(run(CHECK, self.deb), (0, ""))

    def test_lintian_is_asked_in_a_way_that_it_does_complain(self):
        bare, tree = self.folder / "bare.deb", self.folder / "bare"
        self.assertEqual(run("dpkg-deb", "-R", self.deb, tree)[0], 0)
        shutil.rmtree(tree / "usr" / "share" / "lintian")
        self.assertEqual(run("dpkg-deb", "--root-owner-group", "-b", tree, bare)[0], 0)
        code, text = run(CHECK, bare)
        self.assertEqual(code, 2)
        self.assertIn("statically-linked-binary", text)

    def test_each_override_is_needed_and_has_a_reason_above_it(self):
        before = ""
        for line in self.read("usr/share/lintian/overrides/kustos-verify").splitlines():
            if not line.startswith("#"):
                self.assertTrue(before.startswith("# ") and len(before) > 40, line)
            before = line
        _, text = run(CHECK, "--show-overrides", self.deb)
        self.assertEqual(len(re.findall(r"^O: ", text, re.M)), 2, text)
        self.assertNotIn("unused-override", text)

    def test_two_builds_are_the_same_bytes(self):
        mask = os.umask(0o077)
        try:
            other = self.build("two", TZ="Asia/Tokyo", LC_ALL="C", HOME="/")
        finally:
            os.umask(mask)
        self.assertEqual(self.deb.read_bytes(), other.read_bytes())
        self.assertEqual(self.deb.name, other.name)

    def test_everything_in_it_belongs_to_root_and_has_the_time_of_the_changelog(self):
        _, listing = run("dpkg-deb", "-c", self.deb, env={**os.environ, "TZ": "UTC"})
        self.assertEqual({line.split()[1] for line in listing.splitlines()}, {"root/root"})
        self.assertEqual(len({tuple(line.split()[3:5]) for line in listing.splitlines()}), 1)
        self.assertEqual({line.split()[0] for line in listing.splitlines()}, {"drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--"})
        _, control = run("dpkg-deb", "-I", self.deb)
        self.assertIn("Built-Using:", control)
        self.assertNotIn("Depends:", control)

    def test_the_unpacked_program_checks_a_bundle(self):
        program = self.root / "usr" / "bin" / "kustos-verify"
        self.assertIn("no dynamic section", run("readelf", "-d", program)[1])
        self.assertIn("no symbols", run("nm", program)[1])
        with Archive("--tsa", "builtin") as a:
            a.run("source", "add", "mail", "--kind", "import")
            a.run("ingest", "--source", "mail", DEMO / "mail.mbox")
            bundle = a.folder / "bundle.pdf"
            a.run("export", "--matter", a.matter(), "--query", "Fundamente", "--out", bundle)
            code, text = run(program, bundle, "--trust", a.trust, "--lang", "en", env={})
            self.assertEqual(code, 0, text)
            self.assertIn("It comes from the archive that the trust file names", text)
            bad = bytearray(bundle.read_bytes())
            bad[len(bad) // 2] ^= 1
            bundle.write_bytes(bad)
            self.assertEqual(run(program, bundle, env={})[0], 1)
            self.assertEqual(run(program, a.path, env={})[0], 0)

    def test_versions_agree(self):
        version = re.match(r"kustos-verify \((.*)-\d+\)", self.read("usr/share/doc/kustos-verify/changelog.Debian.gz"))[1]
        self.assertEqual(version, re.search(r"project\(kustos VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1])
        self.assertTrue(self.deb.name.startswith(f"kustos-verify_{version}-"))

    def test_both_man_pages_name_every_option_and_render_without_a_warning(self):
        options = set(re.findall(r"--[a-z-]+", run(PROGRAM, "--help")[1])) | {"--help", "--version"}
        self.assertIn("--trust", options)
        for page in ("usr/share/man/man1/kustos-verify.1.gz", "usr/share/man/de/man1/kustos-verify.1.gz"):
            text = self.read(page).replace("\\-", "-")
            self.assertEqual(set(re.findall(r"--[a-z-]+", text)), options, page)
            self.assertNotIn("@", text)
            code, rendered = run("man", "--warnings=all", "-E", "UTF-8", "-l", self.root / page,
                                 env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100", "MAN_DISABLE_SECCOMP": "1"})
            self.assertEqual(code, 0)
            self.assertNotRegex(rendered, "warning|error:")
            self.assertIn("RFC 4998", " ".join(rendered.split()))

    def test_the_copyright_names_the_libraries_that_are_in_the_program_and_no_other(self):
        symbols = run("nm", "-C", PROGRAM)[1]
        text = self.read("usr/share/doc/kustos-verify/copyright")
        for mark, file in MARKS.items():
            self.assertEqual(re.search(mark, symbols, re.M) is not None, re.search(rf"^(Files:| ).*{re.escape(file)}", text, re.M) is not None, file)

    def test_the_copyright_has_every_licence_that_it_names_and_the_whole_eupl(self):
        text = self.read("usr/share/doc/kustos-verify/copyright")
        paragraphs = text.split("\n\n")
        named = {re.search(r"^License: (.*)$", p, re.M)[1] for p in paragraphs if p.startswith("Files:")}
        given = {re.match(r"License: (.*)", p)[1] for p in paragraphs if p.startswith("License:")}
        self.assertEqual(named, given)
        self.assertEqual(paragraphs[0].splitlines()[0], "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/")
        licence = " ".join((ROOT / "LICENSE").read_text().split())
        self.assertIn(licence, " ".join(w for w in text.split() if w != "."))


if __name__ == "__main__":
    unittest.main(verbosity=2)
