#!/bin/bash
# The operator's upgrade: nothing to do where all programs speak one format only; refused while a copy that should exist cannot
# be asked; and of no effect on the service.
source "$(dirname "$0")/lib.sh"

form 2
expect 0 '^already at format 3: nothing to upgrade$' upgrade
expect 0 placed order "DH1 3LE" pizza
try --json upgrade
jq -e '.outcome == "done" and .view > 0 and .primary > 0 and .error == null and (.text | test("nothing to upgrade"))' \
	<<<"$OUT" >/dev/null || fail "not the shape of an answer: $OUT"
expect 2 'too many arguments' upgrade now
expect 0 'Usage: justhungry upgrade' upgrade --help

kill9 2
expect 3 'replica 2 is expected and cannot be asked: start it, or remove it' upgrade
expect 0 placed order "DH1 3LE" fries
expect 0 'replica 2 is removed' remove 2
expect 0 'already at format 3' upgrade

# Both daemons name the format in their files.
jq -e '.in_use == 3 and .keeper.epoch == 1 and .keeper.uuid == .manager and .maker == .manager and .name == ""' \
	"$SCRATCH/frontend/view.json" >/dev/null || fail "view.json: $(<"$SCRATCH/frontend/view.json")"
kill9 frontend
expect 4 . --timeout 1 upgrade
