#!/usr/bin/env python3
"""Reads every #include of the source tree against the table of allowed edges.

The folder list is the architecture (docs/architecture.md). Each edge that is missing here is missing for a reason, which the
failure text gives. Weakening a rule needs a page in docs/decisions.
Usage: layering.py SOURCE_DIR
"""
import re
import sys
from pathlib import Path

# folder: (what it may include besides itself, why not more)
ALLOWED = {
    "base": ([], "base has no product words: it must be readable without knowing what Kustos is"),
    "audit": (["base"], "audit is what a court's expert has to trust: it knows no content and no keys"),
    "vault": (["audit", "base"], "vault has never heard of search, matters or formats: whoever needs it pulls"),
    "access": (["vault", "audit", "base"], "rules of access stand below all who ask for access"),
    "ingest": (["access", "vault", "audit", "base"], "ingest, search and export are peers and never include each other"),
    "search": (["access", "vault", "audit", "base"], "ingest, search and export are peers and never include each other"),
    "export": (["access", "vault", "audit", "base"], "ingest, search and export are peers and never include each other"),
    "web": (["ingest", "search", "export", "access", "vault", "audit", "base"], "nothing includes app: it wires everything"),
    "app": (["web", "ingest", "search", "export", "access", "vault", "audit", "base"], ""),
}
# library header pattern: (folders whose private code may use it, why)
LIBRARIES = [
    (r"sodium", ["base"], "libsodium is used through base/crypto.h"),
    (r"openssl/", ["base", "audit", "ingest", "export", "web"], "OpenSSL: base (ciphers), audit (CMS, time stamps), ingest (S/MIME), export, web (TLS)"),
    (r"sqlite3", ["base"], "SQLite is used through base/sqlite.h"),
    (r"unicode/", ["base"], "ICU is used through base/text.h"),
    (r"zstd", ["base"], "zstd is used through base/compress.h"),
    (r"pkcs11", ["base"], "tokens are used through base/pkcs11.h"),
    (r"tss2", ["base/tpm"], "the TPM is used through base/tpm.h"),
    (r"yaml-cpp", ["base"], "YAML is used through base/config.h"),
    (r"ldap\.h|lber\.h", ["access"], "libldap belongs to access"),
    (r"Poco/Util", ["app"], "Poco::Util belongs to app"),
    (r"Poco/", ["audit/net", "ingest", "web"], "Poco: audit_net (TSA client), ingest (streams), web"),
    (r"gmime|glib", ["ingest", "export"], "GMime belongs to ingest (glib comes with Pango in export)"),
    (r"simdjson", ["ingest"], "simdjson is for the hot path of ingest"),
    (r"archive(_entry)?\.h$", ["ingest/extractor"], "archives are unpacked in the sandbox only"),
    (r"poppler", ["ingest/extractor"], "documents are read in the sandbox only"),
    (r"seccomp", ["ingest/extractor", "app/walls"], "seccomp belongs to the sandboxes: the extractor, and the walls of the opener"),
    (r"xapian", ["search"], "Xapian belongs to search"),
    (r"hunspell", ["search"], "Hunspell belongs to search"),
    (r"cld2", ["search"], "CLD2 belongs to search"),
    (r"pango|cairo", ["export"], "Pango and Cairo belong to export"),
    (r"podofo|qpdf", ["export"], "PoDoFo and libqpdf belong to export"),
    (r"xlsxwriter", ["export"], "libxlsxwriter belongs to export"),
    (r"CLI11|CLI/", ["app"], "CLI11 stands in what parses the command line"),
    (r"doctest", ["tests"], "doctest is for tests"),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def check(root):
    problems = []
    for folder, (allowed, reason) in ALLOWED.items():
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            name = path.relative_to(root).as_posix()
            public = path.suffix == ".h" and "/src/" not in name and "extractor" not in name and "/net/" not in name \
                and not name.startswith("base/tpm/")
            for quote, target in INCLUDE.findall(path.read_text(encoding="utf-8")):
                first = target.split("/")[0]
                if first in ALLOWED or first == "tests":
                    if first != folder and first not in allowed:
                        problems.append(f"{name} includes {target}: {folder} may include {', '.join(allowed) or 'nothing'} ({reason})")
                    elif first != folder and "/src/" in target:
                        problems.append(f"{name} includes {target}: only the public headers of another folder (src/ is private)")
                    elif target == "base/tpm.h" and folder not in ("base", "vault"):
                        problems.append(f"{name} includes {target}: the TPM opens a slot of the vault; a verifier never links it")
                    elif target.startswith("base/tpm/") and not name.startswith("base/tpm/"):
                        problems.append(f"{name} includes {target}: only base/tpm.h is public")
                    elif first == "audit" and "/net/" in target and folder != "app" and not name.startswith("audit/net"):
                        problems.append(f"{name} includes {target}: only app wires what talks to the network")
                    continue
                if quote == '"':
                    continue
                if target.startswith("nlohmann/"):
                    if path.suffix == ".h":
                        problems.append(f"{name} includes {target}: JSON stays in .cpp files")
                    continue
                for pattern, owners, why in LIBRARIES:
                    if re.match(pattern, target):
                        if not any(name.startswith(o + "/") for o in owners):
                            problems.append(f"{name} includes <{target}>: {why}")
                        elif public:
                            problems.append(f"{name} includes <{target}>: a library never shows in a public header")
                        break
    # the verifier that a court's expert has to trust
    verify_main = root / "app" / "verify_main.cpp"
    if verify_main.exists():
        for quote, target in INCLUDE.findall(verify_main.read_text(encoding="utf-8")):
            if quote == '"' and target.split("/")[0] not in ("base", "audit", "app"):
                problems.append(f"app/verify_main.cpp includes {target}: kustos-verify links only base and audit")
    return problems


if __name__ == "__main__":
    found = check(Path(sys.argv[1]))
    for line in found:
        print("layering: " + line)
    sys.exit(1 if found else 0)
