/* The journal's records: conversion from the core's types to the bytes of rpc/disk.x, and back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/replica/replica.h"

struct journal;

/* Appends the record of a DO_WRITE of the core. False: the journal's queue is full. */
bool disk_record_append(struct journal *journal, const struct replica *replica, uint32_t program_base,
			const struct replica_write *write);
/* Decodes a META record; false when the bytes are not one. */
bool disk_meta_decode(const void *payload, uint32_t size, struct replica_meta *meta, uint32_t *program_base);
