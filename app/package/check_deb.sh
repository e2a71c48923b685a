#!/usr/bin/env bash
# check_deb.sh FILE: lintian at its strictest; prints nothing and ends with 0 if there is nothing to say. Only the spelling of words in the
# program is left out: its German texts ("Programm", ...) would be taken for misspelt English.
exec env LC_ALL=C.UTF-8 lintian --allow-root --pedantic --display-info --suppress-tags spelling-error-in-binary \
  --fail-on error,warning,info,pedantic "$@"
