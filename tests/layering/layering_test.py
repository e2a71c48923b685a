#!/usr/bin/env python3
"""A forbidden include makes the layering test fail, with the reason."""
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import layering

CASES = [
    ("audit/src/x.cpp", '#include "vault/message.h"\n', "audit is what a court's expert has to trust"),
    ("search/src/x.cpp", '#include "ingest/format.h"\n', "peers"),
    ("vault/src/x.cpp", "#include <openssl/evp.h>\n", "OpenSSL"),
    ("search/index.h", "#include <xapian.h>\n", "public header"),
    ("web/x.cpp", '#include "vault/src/seal.h"\n', "src/ is private"),
    ("vault/x.h", "#include <nlohmann/json.hpp>\n", "JSON"),
    ("ingest/src/x.cpp", "#include <archive.h>\n", "sandbox"),
    ("base/src/x.cpp", '#include "audit/entry.h"\n', "no product words"),
    ("audit/src/x.cpp", '#include "base/tpm.h"\n', "a verifier never links it"),
    ("vault/src/x.cpp", "#include <tss2/tss2_esys.h>\n", "through base/tpm.h"),
    ("vault/src/x.cpp", '#include "base/tpm/tpm_state.h"\n', "only base/tpm.h is public"),
]
failures = 0
for name, text, reason in CASES:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        found = layering.check(Path(folder))
        if len(found) != 1 or reason not in found[0]:
            failures += 1
            print(f"{name}: expected one problem with {reason!r}, got {found}")
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "vault" / "src" / "good.cpp"
    path.parent.mkdir(parents=True)
    path.write_text('#include <vector>\n#include "audit/entry.h"\n#include "base/fs.h"\n')
    if layering.check(Path(folder)):
        failures += 1
        print("a good file is refused")
sys.exit(1 if failures else 0)
