/* For tests of the view manager that begin with three members, 1 being primary. One rig at a time. */
#pragma once

#include "tests/unit/support_views.h"

extern struct rig views_rig;

void three(void);
/* A request waits from the start. */
void three_in_demand(void);
/* Fails the test unless requests are routed to that primary, and its view has exactly these members. */
void serves(uint32_t primary, const char *members);

/* The connection to it ends; refused: and nobody listens there. */
void lost_event(uint32_t id, bool refused);
void report_of_disk(uint32_t id, uint32_t write_age_ms);
