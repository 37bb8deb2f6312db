#!/bin/bash
# One seed is one run: the same seed twice gives the same hash of all that happened, also when every event is traced,
# and another seed gives another.
#
#   replays.sh SIM
set -euo pipefail

hash_of() {
	"$@" 2>/dev/null | sed -n 's/.*trace hash //p'
}

for seed in 1 7 42; do
	first=$(hash_of "$1" --seed "$seed")
	again=$(hash_of "$1" --seed "$seed")
	traced=$(hash_of "$1" --seed "$seed" --trace)
	other=$(hash_of "$1" --seed "$((seed + 1))")
	if [[ ${#first} -ne 16 || $first != "$again" || $first != "$traced" || $first == "$other" ]]; then
		echo "seed $seed: hashes '$first', '$again', traced '$traced', of the next seed '$other'" >&2
		exit 1
	fi
done
