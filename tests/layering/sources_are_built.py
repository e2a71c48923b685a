#!/usr/bin/env python3
"""Every .cpp of the tree is compiled by the build, so that no test or source is forgotten.
Usage: sources_are_built.py SOURCE_DIR BUILD_DIR"""
import json
import sys
from pathlib import Path

root, build = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
built = {Path(c["file"]).resolve() for c in json.loads((build / "compile_commands.json").read_text())}
missing = [p for folder in ("base", "audit", "vault", "access", "ingest", "search", "export", "web", "app", "tests")
           for p in sorted((root / folder).rglob("*.cpp")) if p.resolve() not in built]
for path in missing:
    print("not built: " + path.relative_to(root).as_posix())
sys.exit(1 if missing else 0)
