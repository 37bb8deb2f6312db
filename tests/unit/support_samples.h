/* One value of each struct of the .x files, with every field set and no two alike, for the golden files. Static memory: each
 * call of the same function returns the same value. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rpc/disk.h"
#include "rpc/frontend.h"
#include "rpc/replica.h"

#define SAMPLE_BASE 540000000u

/* A uuid or digest of sixteen equal bytes, however rpcgen declares it. */
#define SAMPLE_FILL(field, byte) memset(&(field), byte, sizeof(field))

jh_operation sample_operation(void);
jh_query sample_query(void);
jh_body sample_body(void);
jh_view sample_view(void);
jh_identity sample_identity(uint32_t id);
jh_report sample_report(void);
jh_replica_row sample_row(void);
jh_cluster_status sample_status(void);
jh_order_placed sample_placed(void);
jh_read_done sample_history(void);
jh_problem sample_problem(jh_reason reason);
jh_basis sample_basis(bool final);
jh_touches sample_touches(void);
jh_text sample_text(const char *text);
jh_address sample_address(void);
/* Two of them. */
jh_peer *sample_peers(void);
jh_log_entry *sample_entries(void);
