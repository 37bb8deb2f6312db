/* What a journal says of itself last, read without recovering it: who may not read a directory must know before anything in it
 * is changed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Passes each META record of the newest segment that has one, in order, borrowed for the call. Changes nothing, and says nothing
 * of damage, which is for recovery to find. */
void journal_newest_metas(int directory, void (*meta)(void *context, const void *payload, uint32_t size), void *context);
