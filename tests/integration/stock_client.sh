#!/bin/bash
# A program made of rpc/*.x and stock libtirpc alone places an order, repeats it, and reads it back exactly once.
source "$(dirname "$0")/lib.sh"

form 1
"$JH_BUILD/tests/integration/stock_client" "$BASE"
expect 0 'Order [0-9]+ \(#4 for DH1 3LG\) placed' order "DH1 3LG" "after the stock client"
