#!/bin/bash
# history.py computes the same as the servers' code from histories that are drawn from seeds.
#
#   random_history.sh RANDOM-HISTORY
set -euo pipefail

folder=$(dirname "${BASH_SOURCE[0]}")
seen=''
for seed in {1..8}; do
	history=$("$1" "$seed")
	said=$("$folder/history.py" <<<"$history") || { echo "random_history.sh: seed $seed" >&2; exit 1; }
	[[ $said == *"400 operations"* || $said == *"39"?" operations"* ]] || { echo "random_history.sh: seed $seed: $said" >&2; exit 1; }
	seen+=$history
done
# What is rare is there.
for result in "done" refused void passed; do
	[[ $seen == *"\"result\":\"$result\""* ]] || { echo "random_history.sh: no outcome is $result" >&2; exit 1; }
done
[[ $seen == *'"forgotten":true'* ]] || { echo "random_history.sh: nothing is forgotten" >&2; exit 1; }
