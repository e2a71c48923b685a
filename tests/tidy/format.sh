#!/usr/bin/env bash
# Every source is as clang-format 14 writes it.
set -euo pipefail
cd "$(dirname "$0")/../.."
find base audit vault access ingest search export web app tests -name '*.cpp' -o -name '*.h' | sort |
  xargs clang-format-14 --dry-run -Werror
