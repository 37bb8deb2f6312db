/* What every cluster format keeps of a hello, so that two programs of different formats can still tell each other which is
 * older (docs/formats.md): the format is the first word of the arguments; the answer begins with the verdict, the text, and
 * the format of who answers. It refuses to look any further into a hello of another format. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc/net/channel.h"
#include "rpc/replica.h"

/* As an xdrproc_t: the format of a hello's arguments, which are left where they are. */
bool_t hello_format(XDR *xdr, uint32_t *format);

/* Decodes an answer into zeroed memory; of another format only what every format keeps, with status JH_HELLO_FORMAT. False
 * when it is no answer to a hello. Free with xdr_jh_hello_result. */
bool hello_decode(const struct rpc_reply *reply, jh_hello_result *result);

/* "speaks cluster format 3, the front-end 2: upgrade the front-end": said of `theirs` beside our own format. us, them: who
 * that is, in words. Returns text. */
const char *hello_name_formats(char *text, size_t size, uint32_t theirs, const char *them, const char *us);
