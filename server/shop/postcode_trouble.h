/* The failures of a provider, and whether the log should mention them: the first failure, a change of the failure, and
 * once its end; never every failure. Pure: the caller passes the time and writes the line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum postcode_fault {
	POSTCODE_FAULT_NONE,
	POSTCODE_FAULT_NAME,        /* its name cannot be resolved */
	POSTCODE_FAULT_CONNECT,     /* refused, unreachable */
	POSTCODE_FAULT_TLS,         /* no TLS session, for another reason than its certificate */
	POSTCODE_FAULT_CERTIFICATE, /* not signed by an authority we trust, or issued for another name */
	POSTCODE_FAULT_PROXY,       /* the proxy is dead or will not connect us */
	POSTCODE_FAULT_BROKEN,      /* the connection broke before the answer was complete */
	POSTCODE_FAULT_TIMEOUT,
	POSTCODE_FAULT_TOO_LARGE,
	POSTCODE_FAULT_REDIRECT,
	POSTCODE_FAULT_STATUS,      /* an HTTP status that is no answer */
	POSTCODE_FAULT_ANSWER       /* a status that is an answer, with a body that is not */
};

#define POSTCODE_TROUBLE_LINES 8u                      /* lines that an unstable provider may cause at once, */
#define POSTCODE_TROUBLE_LINE_EVERY_MS UINT64_C(60000) /* and then one per minute */

/* All zero: no trouble. */
struct postcode_trouble {
	bool said;                 /* the log's last line about it says that the provider fails */
	enum postcode_fault fault; /* as logged */
	long status;
	uint64_t spent_until_ms;   /* each line moves it on by the above */
};

/* "refused", "timeout", "http-status", ...: for logs and for searching them. */
const char *postcode_fault_name(enum postcode_fault fault);

/* A question failed; status: HTTP's, if any. True: this is news, write the line. */
bool postcode_trouble_is_news(struct postcode_trouble *trouble, uint64_t now_ms, enum postcode_fault fault, long status);

/* A question was answered. True: the log's last line says that the provider fails, so write that this is over. */
bool postcode_trouble_is_over(struct postcode_trouble *trouble);
