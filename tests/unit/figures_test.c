/* Figures by name: set, found, carried over the wire with names that nobody here knows, and refused there when they make no
 * sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rpc/cluster/figures_wire.h"

static void set_and_get(void **state)
{
	struct figures figures = {.count = 0};
	int64_t value = 5;

	(void)state;
	assert_false(figures_get(&figures, FIGURE_ORDERS, &value));
	assert_int_equal(value, 5);
	figures_set(&figures, FIGURE_ORDERS, 1);
	figures_set(&figures, FIGURE_QUEUED, INT64_MIN);
	figures_set(&figures, FIGURE_ORDERS, 2); /* the same one */
	assert_int_equal(figures.count, 2);
	assert_true(figures_get(&figures, FIGURE_ORDERS, &value));
	assert_int_equal(value, 2);
	assert_true(figures_get(&figures, FIGURE_QUEUED, &value));
	assert_true(value == INT64_MIN);
	assert_false(figures_get(&figures, "order", &value));
	assert_false(figures_get(&figures, "orders_", &value));
}

static bool good(const char *name)
{
	return figure_name_good(name, strlen(name));
}

static void names(void **state)
{
	(void)state;
	assert_true(good("a"));
	assert_true(good("az_09"));
	assert_true(good("a_name_of_thirty_two_characters_"));
	assert_false(good("a_name_of_thirty_three_characters"));
	assert_false(good(""));
	assert_false(good("Orders"));
	assert_false(good("or-ders"));
	assert_false(good("or ders"));
	assert_false(good("`"));
	assert_false(good("{"));
	assert_false(good("/"));
	assert_false(good(":"));
	assert_false(good("\xc3\xa9"));
	assert_false(figure_name_good("or\0ers", 6));
}

static void fill(struct figures *figures, uint32_t count)
{
	memset(figures, 0, sizeof *figures);
	for (uint32_t i = 0; i < count; i++) {
		char name[FIGURE_NAME_SIZE];

		snprintf(name, sizeof name, "figure_%u", i);
		figures_set(figures, name, i == 0 ? -1 : (int64_t)i << 40);
	}
}

static void through_the_wire(void **state)
{
	static const uint32_t counts[] = {0, 1, FIGURES_MAX};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct figures figures, back;
		jh_cluster_status out = {0}, in = {0};
		char bytes[8192];
		XDR xdr;

		fill(&figures, counts[i]);
		figures_to_wire(&figures, &out.figures.figures_len, &out.figures.figures_val);
		xdrmem_create(&xdr, bytes, sizeof bytes, XDR_ENCODE);
		assert_true(xdr_jh_cluster_status(&xdr, &out));
		xdrmem_create(&xdr, bytes, sizeof bytes, XDR_DECODE);
		assert_true(xdr_jh_cluster_status(&xdr, &in));
		assert_true(figures_from_wire(in.figures.figures_val, in.figures.figures_len, &back));
		assert_memory_equal(&back, &figures, sizeof back);
		xdr_free((xdrproc_t)xdr_jh_cluster_status, &out);
		xdr_free((xdrproc_t)xdr_jh_cluster_status, &in);
	}
}

static bool reads(jh_figure *list, u_int length)
{
	struct figures figures;

	return figures_from_wire(list, length, &figures);
}

static void what_makes_no_sense(void **state)
{
	static char a[] = "a", b[] = "b", capital[] = "B", lengthy[] = "a_name_of_thirty_three_characters";
	jh_figure list[FIGURES_MAX + 1] = {{{1, a}, 1}, {{1, b}, 2}};
	char name[FIGURES_MAX + 1][FIGURE_NAME_SIZE];

	(void)state;
	assert_true(reads(list, 2));
	list[1].name.name_val = a; /* twice */
	assert_false(reads(list, 2));
	list[1].name.name_val = capital;
	assert_false(reads(list, 2));
	list[1].name.name_len = 0;
	assert_false(reads(list, 2));
	list[1].name.name_val = lengthy;
	list[1].name.name_len = sizeof lengthy - 1;
	assert_false(reads(list, 2));
	for (int i = 0; i <= FIGURES_MAX; i++) {
		list[i].name.name_val = name[i];
		list[i].name.name_len = (u_int)snprintf(name[i], sizeof name[i], "figure_%d", i);
	}
	assert_true(reads(list, FIGURES_MAX));
	assert_false(reads(list, FIGURES_MAX + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_and_get),
		cmocka_unit_test(names),
		cmocka_unit_test(through_the_wire),
		cmocka_unit_test(what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
