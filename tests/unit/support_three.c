#include "tests/unit/support_three.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct rig views_rig;

void lost_event(uint32_t id, bool refused)
{
	struct views_event event = {.kind = VIEWS_LOST, .lost = {.id = id, .refused = refused}};

	views_rig.fakes[id].connected = false;
	rig_step(&views_rig, &event);
}

void three(void)
{
	rig_options(&views_rig);
	rig_cluster(&views_rig, 3);
	assert_true(rig_members(&views_rig, "1 2 3"));
}

void three_in_demand(void)
{
	three();
	rig_demand(&views_rig, 1);
}

void serves(uint32_t primary, const char *members)
{
	assert_true(views_rig.routed);
	assert_int_equal(views_rig.primary, primary);
	assert_true(rig_members(&views_rig, members));
}

void report_of_disk(uint32_t id, uint32_t write_age_ms)
{
	views_rig.fakes[id].report.write_age_ms = write_age_ms;
	rig_report(&views_rig, id);
}
