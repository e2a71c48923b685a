"""Every page of docs/format has worked examples, and each of them is named by a test that reads it from the page.

Usage: doc_examples.py SOURCE_DIR. Prints what is missing; exit code 1 then."""
import re
import sys
from pathlib import Path

READERS = r"(?:doc_example|doc_text|page_example|page_bytes|example)\("
NO_EXAMPLES = {"README.md"}  # a list of pages


def examples(text):
    return re.findall(r"^```[a-z]+ example (.+)$", text, re.M)


def named_in(test, page, name):
    """The test reads from this page, and names the example itself or, put together, its beginning ("entry-" + number)."""
    if f'"{page}"' not in test or not re.search(READERS, test):
        return False
    beginnings = re.findall(READERS + r'[^;]*?"([^"\n]+)"\) \+', test)
    return f'"{name}"' in test or any(name.startswith(beginning) for beginning in beginnings)


def missing(source):
    tests = [path.read_text() for ending in ("cpp", "py") for path in (source / "tests").rglob(f"*_test.{ending}")]
    found = []
    for page in sorted((source / "docs" / "format").glob("*.md")):
        names = examples(page.read_text())
        if not names and page.name not in NO_EXAMPLES:
            found.append(f"docs/format/{page.name} has no worked example")
        for name in names:
            if names.count(name) > 1:
                found.append(f"docs/format/{page.name} has two examples called {name}")
            if not any(named_in(test, page.name, name) for test in tests):
                found.append(f"docs/format/{page.name}: no test reads the example {name}")
    return found


if __name__ == "__main__":
    problems = missing(Path(sys.argv[1]))
    print("\n".join(problems) or "every example is read by a test")
    sys.exit(1 if problems else 0)
