#!/bin/sh
# usage: Tests/run.sh FILTER...     from the folder of the package, after 'swift build --build-tests'
# Runs the tests of each filter, one after the other, to the first that fails. What failed is said
# once more at the very end: of a long log often only that is kept, and the tests run side by side.
set -u
log=.build/tests.log
status=.build/tests.status
: >"$log"
for filter; do
  rm -f "$status"
  { swift test --skip-build --filter "$filter" 2>&1; echo $? >"$status"; } | tee -a "$log"
  result=$(cat "$status" 2>/dev/null)
  result=${result:-1}
  if [ "$result" != 0 ]; then
    echo "what failed (the whole log is in $log):"
    grep -aE -A 12 ' recorded an issue|error: |Fatal error' "$log" |
      grep -avE '^(✔|◇|--|  \|)' | cut -c 1-1000 | tail -n 200
    grep -aE '^  \| ' "$log" | cut -c 1-500 | tail -n 200
    grep -aE '^✘ ' "$log" | grep -avE ' recorded an issue' | tail -n 50
    exit "$result"
  fi
done
