#!/usr/bin/env python3
"""A page without an example, an example without a test, and one that only another page's test names, are noticed."""
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import doc_examples

PAGE = "# A page\n```hex example row\n00\n```\n```text example part-7\nx\n```\n"
GOOD = 'Bytes a = doc_example("a.md", "row"); auto b = doc_text("a.md", std::string("part-") + number);\n'
CASES = [
    ("a sound page", PAGE, GOOD, []),
    ("no example", "# A page\n```hex\n00\n```\n", GOOD, ["has no worked example"]),
    ("an example that no test names", PAGE + "```json example more\n{}\n```\n", GOOD, ["reads the example more"]),
    ("the tests name another page", PAGE, GOOD.replace("a.md", "b.md"), ["reads the example row", "reads the example part-7"]),
    ("the tests do not read it", PAGE, 'std::string page = "a.md", name = "row", other = "part-7";\n', ["example row", "example part-7"]),
    ("a beginning that does not fit", PAGE, GOOD.replace("part-", "whole-"), ["example part-7"]),
    ("twice the same name", PAGE + "```hex example row\n01\n```\n", GOOD, ["has two examples called row"] * 2),
]
failures = 0
for name, page, test, expected in CASES:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "docs" / "format").mkdir(parents=True)
        (root / "tests" / "audit").mkdir(parents=True)
        (root / "docs" / "format" / "a.md").write_text(page)
        (root / "tests" / "audit" / "a_test.cpp").write_text(test)
        found = doc_examples.missing(root)
    if len(found) != len(expected) or any(words not in line for words, line in zip(expected, found)):
        failures += 1
        print(f"{name}: expected {expected}, got {found}")
sys.exit(1 if failures else 0)
