#!/usr/bin/env python3
"""No key is made into text, logged or put into an error: what the compiler can't see (tests/base/secret_test.cpp sees the
rest). A call of a function that makes text, over the view() of something that is called a key, is named, unless it stands
below with the reason. --self-test: what must be found is."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["base", "audit", "vault", "access", "ingest", "search", "export", "web", "app"]
TEXT = r"(?:hex|to_hex|base64|base64url|as_text|to_text|to_string|std::string|std::string_view|log|Error|format)"
SECRET = r"(?:\w*(?:secret|seed|dek|password|passphrase|root_key|term_key|mac_key|private_key|keys?_)\w*|SecretBytes::random\([^;]*?\))"
VIEW = re.compile(TEXT + r"\s*\([^;]*?\b" + SECRET + r"(?:\.|->)view\(\)")
HEX = re.compile(SECRET + r"(?:\.|->)view\(\)(?:\.|->)hex\(")
STREAM = re.compile(r"<<[^;\"]*\b" + SECRET + r"(?:\.|->)view\(\)")
# (file, part of the statement): why it may.
ALLOWED = {
    ("access/src/accounts.cpp", "base64url(secret.view()"): "a push token is shown once to who asked for it, and stored as its hash",
    ("app/src/serve.cpp", "base64url(SecretBytes::random("): "the first password, shown once",
    ("app/src/commands.cpp", "to_text(password.view()"): "accounts take a login's text; the string is wiped when it is released",
    ("web/src/sessions.h", "base64url(SecretBytes::random("): "a session's cookie goes to its browser",
}


def findings(text):
    code = re.sub(r"//[^\n]*", "", text)
    for pattern in (VIEW, HEX, STREAM):
        for hit in pattern.finditer(code):
            yield re.sub(r"\s+", " ", hit.group(0))


def main():
    bad, used = [], set()
    for folder in FOLDERS:
        for file in sorted([*(ROOT / folder).rglob("*.cpp"), *(ROOT / folder).rglob("*.h")]):
            name = str(file.relative_to(ROOT))
            for found in findings(file.read_text()):
                reason = [key for key in ALLOWED if key[0] == name and key[1] in found]
                used.update(reason)
                if not reason:
                    bad.append(f"{name}: {found}")
    bad += [f"{name}: allowed, and not there: {part}" for name, part in set(ALLOWED) - used]
    print("\n".join(bad))
    return 1 if bad else 0


def self_test():
    must = ['log(LogLevel::info, "x", {{"k", term_key.view()}});', "out << hex(seed.view());", "return dek.view().hex();",
            'return Error(Code::corrupt, "no " + base64(page_key_.view()));', "std::string(as_text(passphrase->view()))",
            "std::cout << root_key_.view();", "const auto t = base64url(SecretBytes::random(random, 32).view());"]
    may = ["seal(dek.view(), header);", "text += base64(hash.view());", "hkdf_expand(term_key.view(), info, 32);",
           '// log("x", seed.view())', "to_string(n); f(seed.view());"]
    wrong = [line for line in must if not list(findings(line))] + [line for line in may if list(findings(line))]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(self_test() if "--self-test" in sys.argv else main())
