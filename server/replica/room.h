/* What keeps new orders out of the log, and which replica causes it: too few members, capacities, full disks
 * (RULE 10, 13, 19). What follows from a disk that stays full is decided in joint.c. */
#pragma once

#include "server/replica/state.h"

struct refusal {
	enum replica_verdict verdict;  /* FULL, DISK_FULL, TOO_FEW */
	uint32_t id;                   /* whose capacity or disk */
	uint64_t limit;                /* FULL: it holds so many; TOO_FEW: members there are */
};

/* Whether so many more operations are to be kept out of the log: because of capacities alone. The last of the room is for those
 * that end a doubt: it must be possible with the log full for orders. */
bool replica_is_full(const struct replica *r, uint64_t operations, bool ends_doubt, struct refusal *refusal);
/* The same, or because of full disks or too few members. */
bool replica_refuses(const struct replica *r, uint64_t operations, bool ends_doubt, struct refusal *refusal);
void replica_peer_disk(struct replica *r, struct replica_peer *peer, bool full);
/* RULE 13: its disk has been full for so long that it is to leave the view. */
bool replica_full_too_long(const struct replica *r, const struct replica_peer *peer);
void replica_report_room(const struct replica *r, struct report *report);
/* Tells when the reason to refuse orders has changed. */
void replica_room_refresh(struct replica *r);
