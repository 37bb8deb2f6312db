#!/bin/bash
# Sixteen replicas form one cluster on one machine, take orders, and survive the death of the primary.
source "$(dirname "$0")/lib.sh"

form 16
expect 0 'Order [0-9]+ \(#3 for DH1 3LE\) placed' order "DH1 3LE" soup
kill9 "$(primary)"
expect 0 'Order [0-9]+ \(#4 for DH1 3LE\) placed' --timeout 30 order "DH1 3LE" bread
wait_for 30 "equal digests on the fifteen" members_level 15
