/* Translates libcurl's results for the readers of the log. */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "server/shop/postcode_trouble.h"

#define POSTCODE_WHY_BYTES 300

/* easy has ended with result, and error is its buffer. why: the same as text; empty for NONE. */
enum postcode_fault postcode_fetch_fault(CURL *easy, CURLcode result, const char *error, bool proxied,
					 char why[static POSTCODE_WHY_BYTES]);
