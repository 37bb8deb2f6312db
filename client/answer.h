/* What a front-end's answer means for the request (rule 12): the one place where its outcome and reason become an
 * attempt of client/outcome.h. It decides by the enumerations alone, never by the text. */
#pragma once

#include "client/outcome.h"
#include "rpc/shop.h"

/* reason is looked at only where outcome is not JH_DONE. */
enum attempt answer_attempt(jh_outcome outcome, jh_reason reason);
