#!/bin/bash
# What the table of mutations says and what the sources carry is the same, and each of the 20 rules has a mutation.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
status=0
complain() {
	echo "mutations: $1" >&2
	status=1
}

listed=$(grep -o '^rule_[a-z0-9_]*' "$here/mutations" | sort)
named=$(grep -rhoE --include='*.c' 'RULE_(HOLDS|FORBIDS|KEPT)\(rule_[a-z0-9_]+' rpc server frontend client |
	sed 's/.*(//' | sort -u)
[[ -z $(uniq -d <<<"$listed") ]] || complain "listed twice: $(uniq -d <<<"$listed")"
for name in $(comm -23 <(uniq <<<"$listed") <(echo "$named")); do
	complain "no source names $name"
done
for name in $(comm -13 <(uniq <<<"$listed") <(echo "$named")); do
	complain "$name is not in tests/mutation/mutations"
done
for rule in {01..20}; do
	grep -q "^rule_${rule}_" <<<"$listed" || complain "rule $rule has none"
done
# docs/testing.md shows them to people, in words.
for name in $(uniq <<<"$listed"); do
	words=${name:8}
	grep -qE "^\| $((10#${name:5:2})) \| (.*, )?${words//_/ }[, ]" docs/testing.md || complain "docs/testing.md does not show $name"
done
# In a header a mutation would reach files that are not compiled again.
if grep -rnE --include='*.h' 'RULE_(HOLDS|FORBIDS|KEPT)\(rule_' rpc server frontend client |
	grep -v '^rpc/base/rule.h:'; then
	complain "no header may name one"
fi
exit "$status"
