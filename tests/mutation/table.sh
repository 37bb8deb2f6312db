#!/bin/bash
# Each mutation's lines are in the sources exactly once, each of the 20 rules has a mutation, docs/testing.md shows them all, and
# the sources know of none.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
status=0
complain() {
	echo "mutations: $1" >&2
	status=1
}

listed=$(grep -o '^rule_[a-z0-9_]*' "$here/mutations" | sort)
[[ -z $(uniq -d <<<"$listed") ]] || complain "listed twice: $(uniq -d <<<"$listed")"
while read -r name file; do
	[[ -f $file ]] || { complain "$name: there is no $file"; continue; }
	awk -v name="$name" -v file="$file" -f "$here/mutate.awk" "$here/mutations" "$file" >/dev/null || status=1
done < <(awk '/^rule_/ { name = $1 } /^[a-z].*\.c$/ && !seen[name, $0]++ { print name, $0 }' "$here/mutations")
for name in $(comm -23 <(uniq <<<"$listed") <(awk '/^rule_/ { name = $1 } /^-/ { print name }' "$here/mutations" | sort -u)); do
	complain "$name changes nothing"
done
for rule in {01..20}; do
	grep -q "^rule_${rule}_" <<<"$listed" || complain "rule $rule has none"
done
# docs/testing.md lists them for people.
for name in $(uniq <<<"$listed"); do
	words=${name:8}
	grep -qE "^\| $((10#${name:5:2})) \| (.*, )?${words//_/ }[, ]" docs/testing.md || complain "docs/testing.md does not show $name"
done
if grep -rnEi --include='*.[chx]' '\brule_[0-9]{2}_|mutation' rpc server frontend client; then
	complain "the sources know nothing of what is taken out of them"
fi
exit "$status"
