#!/bin/bash
# A primary stopped with SIGSTOP is replaced; when it continues it answers nothing for the old view, becomes a backup
# again, and holds what was ordered meanwhile.
source "$(dirname "$0")/lib.sh"

form 3
start_load load 20
victim=$(primary)
view=$(status_get .view)
signal STOP "$victim"
wait_for 20 "another primary" status_is ".primary > 0 and .primary != $victim and .view > $view"
orders_flow 50 again
signal CONT "$victim"
wait_for 30 "the one that woke up to be a backup" role_is "$victim" backup
finish load
wait_for 20 "equal digests on all three" members_level 3
stop frontend 1 2 3
