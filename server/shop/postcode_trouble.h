/* What is wrong with a provider, and whether the log should say so: at the first failure, when the failure changes, and
 * once when it is over; never at every failure. Pure: the caller brings the time and writes the line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum postcode_fault {
	POSTCODE_FAULT_NONE,
	POSTCODE_FAULT_NAME,        /* its name cannot be resolved */
	POSTCODE_FAULT_CONNECT,     /* refused, unreachable */
	POSTCODE_FAULT_TLS,         /* no TLS session, for another reason than its certificate */
	POSTCODE_FAULT_CERTIFICATE, /* nobody we trust vouches for it, or for another name */
	POSTCODE_FAULT_PROXY,       /* the proxy is dead or will not connect us */
	POSTCODE_FAULT_BROKEN,      /* the connection broke before the answer was whole */
	POSTCODE_FAULT_TIMEOUT,
	POSTCODE_FAULT_TOO_LARGE,
	POSTCODE_FAULT_REDIRECT,
	POSTCODE_FAULT_STATUS,      /* HTTP's, and none that answers */
	POSTCODE_FAULT_ANSWER       /* a status that answers, and a body that does not */
};

#define POSTCODE_TROUBLE_LINES 8u                      /* that a provider which comes and goes may cause at once, */
#define POSTCODE_TROUBLE_LINE_EVERY_MS UINT64_C(60000) /* and then one a minute */

/* All zero: no trouble. */
struct postcode_trouble {
	bool said;                 /* a line that the provider fails is the last that the log has of it */
	enum postcode_fault fault; /* as said */
	long status;
	uint64_t spent_until_ms;   /* each line moves it on by the above */
};

/* "refused", "timeout", "http-status", ...: for logs and for who searches them. */
const char *postcode_fault_name(enum postcode_fault fault);

/* A question failed; status: HTTP's, where there was one. True: it is news, write the line. */
bool postcode_trouble_is_news(struct postcode_trouble *trouble, uint64_t now_ms, enum postcode_fault fault, long status);

/* A question was answered. True: the log's last word is that it fails, write that this is over. */
bool postcode_trouble_is_over(struct postcode_trouble *trouble);
