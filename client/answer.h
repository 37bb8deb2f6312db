/* What a front-end's answer means for the request (rule 12): the only place where its outcome and reason become an
 * attempt of client/outcome.h. The decision depends on the enumerations alone, never on the text. */
#pragma once

#include "client/outcome.h"
#include "rpc/shop.h"

/* reason is read only where outcome is not JH_DONE. */
enum attempt answer_attempt(jh_outcome outcome, jh_reason reason, bool final);
