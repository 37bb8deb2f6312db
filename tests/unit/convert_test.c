/* The converter: values survive the way to the wire and back, and invalid ones from the wire are refused before they
 * have any effect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/cluster/convert.h"

static struct uuid uuid_of(uint8_t byte)
{
	struct uuid uuid;

	memset(uuid.bytes, byte, sizeof uuid.bytes);
	return uuid;
}

static void make_view(struct view *view, uint32_t members)
{
	memset(view, 0, sizeof *view);
	view->number = 42;
	view->primary = 2;
	view->cluster = uuid_of(1);
	view->generation = uuid_of(2);
	view->manager = uuid_of(3);
	view->format = 5;
	snprintf(view->name, sizeof view->name, "caf\xc3\xa9 of the quay");
	view->keeper = (struct keeper){.epoch = 7, .uuid = uuid_of(4)};
	view->maker = uuid_of(5);
	view->members_count = members;
	for (uint32_t i = 0; i < members; i++) {
		view->members[i].id = i + 1;
		view->members[i].uuid = uuid_of((uint8_t)(10 + i));
		snprintf(view->members[i].address, sizeof view->members[i].address, "[::1]:%u", 40000 + i);
		view->expected[i] = (struct expected){.id = 2 * i + 1, .lost_us = i % 2 == 0 ? 0 : -1 - (int64_t)i};
	}
	view->expected_count = members;
}

/* Through bytes, as between two processes. */
static void through_the_wire(xdrproc_t code, void *from, void *to, size_t size)
{
	static char bytes[1 << 20];
	XDR xdr;

	xdrmem_create(&xdr, bytes, sizeof bytes, XDR_ENCODE);
	assert_true(code(&xdr, from, 0));
	memset(to, 0, size);
	xdrmem_create(&xdr, bytes, sizeof bytes, XDR_DECODE);
	assert_true(code(&xdr, to, 0));
}

/* A view survives the wire, the largest one too. */
static void views_come_back(void **state)
{
	static const uint32_t sizes[] = {2, 3, LIMIT_REPLICAS};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct view view, back;
		jh_view out, in;

		make_view(&view, sizes[i]);
		convert_view_to_wire(&view, &out);
		through_the_wire((xdrproc_t)xdr_jh_view, &out, &in, sizeof in);
		assert_true(convert_view_from_wire(&in, &back));
		assert_memory_equal(&view, &back, sizeof view);
		xdr_free((xdrproc_t)xdr_jh_view, &out);
		xdr_free((xdrproc_t)xdr_jh_view, &in);
	}
}

/* "None" is a view of nothing at all, and only that. */
static void no_view_comes_back(void **state)
{
	struct view view = {0}, back;
	jh_view out;

	(void)state;
	convert_view_to_wire(&view, &out);
	assert_true(convert_view_from_wire(&out, &back));
	assert_memory_equal(&view, &back, sizeof view);
	out.primary = 1;
	assert_false(convert_view_from_wire(&out, &back));
	out.primary = 0;
	out.format = 3;
	assert_false(convert_view_from_wire(&out, &back));
	out.format = 0;
	out.keeper.epoch = 1;
	assert_false(convert_view_from_wire(&out, &back));
	out.keeper.epoch = 0;
	out.maker.bytes[0] = 1;
	assert_false(convert_view_from_wire(&out, &back));
	out.maker.bytes[0] = 0;
	out.cluster.bytes[3] = 1;
	assert_false(convert_view_from_wire(&out, &back));
	xdr_free((xdrproc_t)xdr_jh_view, &out);
}

static void spoil_order(jh_view *view)
{
	view->members.members_val[1].id = 1;
}
static void spoil_id_zero(jh_view *view)
{
	view->members.members_val[0].id = 0;
}
static void spoil_id_high(jh_view *view)
{
	view->members.members_val[2].id = 4096;
}
static void spoil_uuid(jh_view *view)
{
	memset(view->members.members_val[0].uuid.bytes, 0, 16);
}
static void spoil_twin(jh_view *view)
{
	view->members.members_val[2].uuid = view->members.members_val[0].uuid;
}
static void spoil_expected(jh_view *view)
{
	view->expected.expected_val[1].id = view->expected.expected_val[0].id;
}
static void spoil_expected_id(jh_view *view)
{
	view->expected.expected_val[2].id = 4096;
}
static void spoil_primary(jh_view *view)
{
	view->primary = 9;
}
static void spoil_cluster(jh_view *view)
{
	memset(view->cluster.bytes, 0, 16);
}
static void spoil_generation(jh_view *view)
{
	memset(view->generation.bytes, 0, 16);
}
static void spoil_manager(jh_view *view)
{
	memset(view->manager.bytes, 0, 16);
}
static void spoil_format(jh_view *view)
{
	view->format = 0;
}
static void spoil_format_high(jh_view *view)
{
	view->format = FORMAT_HIGHEST + 1;
}
static void spoil_name(jh_view *view)
{
	view->name.name_val[1] = '\n';
}
static void spoil_epoch(jh_view *view)
{
	view->keeper.epoch = 0;
}
static void spoil_epoch_high(jh_view *view)
{
	view->keeper.epoch = UINT64_MAX;
}
static void spoil_keeper(jh_view *view)
{
	memset(view->keeper.uuid.bytes, 0, 16);
}
static void spoil_maker(jh_view *view)
{
	memset(view->maker.bytes, 0, 16);
}
static void spoil_number(jh_view *view)
{
	view->number = 0;
}
static void spoil_number_high(jh_view *view)
{
	view->number = UINT64_MAX; /* the next one would be 0 */
}
static void spoil_address(jh_view *view)
{
	view->members.members_val[0].address.jh_address_val[2] = '\n';
}

/* Each invalid field of a view is detected. */
static void views_that_make_no_sense(void **state)
{
	static void (*const spoil[])(jh_view *) = {
		spoil_order, spoil_id_zero, spoil_id_high, spoil_uuid, spoil_twin, spoil_primary, spoil_cluster,
		spoil_generation, spoil_manager, spoil_number, spoil_number_high, spoil_address, spoil_expected,
		spoil_expected_id, spoil_format, spoil_format_high, spoil_name, spoil_epoch, spoil_epoch_high,
		spoil_keeper, spoil_maker};

	(void)state;
	for (size_t i = 0; i < sizeof spoil / sizeof spoil[0]; i++) {
		struct view view, back;
		jh_view wire;

		make_view(&view, 3);
		convert_view_to_wire(&view, &wire);
		spoil[i](&wire);
		assert_false(convert_view_from_wire(&wire, &back));
		xdr_free((xdrproc_t)xdr_jh_view, &wire);
	}
}

static void make_report(struct report *report)
{
	memset(report, 0, sizeof *report);
	report->news = 7;
	report->id = 3;
	report->uuid = uuid_of(12);
	make_view(&report->view, 3);
	report->role = ROLE_BACKUP;
	report->state = STATE_CATCHING_UP;
	report->entered = true;
	report->whole_view = 41;
	report->op = 1ull << 40;
	report->commit = (1ull << 40) - 1;
	report->digest_op = 17;
	report->digest = (struct digest){.low = 0x0123456789abcdef, .high = 0xfedcba9876543210};
	report->tail_cut = 5;
	report->pending = 6;
	report->write_age_ms = 8;
	report->disk_full = true;
	report->stopping = true;
	figures_set(&report->figures, FIGURE_ORDERS, 99);
	figures_set(&report->figures, "unheard_of", INT64_MIN);
	report->fold_differs_op = 15;
	report->fold_equal_op = 16;
	snprintf(report->version, sizeof report->version, "12.34.56-of-32-bytes-and-no-more");
	snprintf(report->push, sizeof report->push, "delta 640 B");
	snprintf(report->detail, sizeof report->detail, "a bit is wrong");
	report->joint_count = 1;
	report->joint[0] = (struct joint){.id = 9, .uuid = uuid_of(99)};
	report->needs_count = 2;
	report->needs[0] = (struct need){.kind = NEED_ADMIT, .view = 42, .id = 9, .uuid = uuid_of(99)};
	report->needs[1] = (struct need){.kind = NEED_LOST_DATA, .view = 42, .id = 1, .uuid = uuid_of(10)};
}

/* Every field of a report survives the wire. */
static void reports_come_back(void **state)
{
	struct report report, back;
	jh_report out, in;

	(void)state;
	make_report(&report);
	convert_report_to_wire(&report, &out);
	through_the_wire((xdrproc_t)xdr_jh_report, &out, &in, sizeof in);
	assert_true(convert_report_from_wire(&in, &back));
	assert_memory_equal(&report, &back, sizeof report);
	xdr_free((xdrproc_t)xdr_jh_report, &out);
	xdr_free((xdrproc_t)xdr_jh_report, &in);
}

/* Enum values, ids and uuids that do not exist are detected. */
static void reports_that_make_no_sense(void **state)
{
	struct report report, back;
	jh_report wire;

	(void)state;
	make_report(&report);
	for (int i = 0; i < 10; i++) {
		convert_report_to_wire(&report, &wire);
		switch (i) {
		case 0: wire.role = (jh_role)4; break;
		case 1: wire.role = (jh_role)-1; break;
		case 2: wire.state = (jh_state)8; break;
		case 3: wire.id = 0; break;
		case 4: memset(wire.uuid.bytes, 0, 16); break;
		case 5: wire.joint.joint_val[0].id = 5000; break;
		case 6: wire.needs.needs_val[0].kind = (jh_need_kind)0; break;
		case 7: memset(wire.needs.needs_val[1].uuid.bytes, 0, 16); break;
		case 8: wire.figures.figures_val[1].name.name_val[0] = 'U'; break;
		default: wire.view.primary = 77; break;
		}
		assert_false(convert_report_from_wire(&wire, &back));
		xdr_free((xdrproc_t)xdr_jh_report, &wire);
	}
}

/* Peers and INSTALL_VIEW: survive the wire; a peer without an address or an incarnation, and view 0, are refused. */
static void installs_come_back(void **state)
{
	struct view view, view_back;
	struct peers peers = {.count = 2}, peers_back;
	jh_install_args out, in;

	(void)state;
	make_view(&view, 3);
	for (uint32_t i = 0; i < 2; i++) {
		peers.list[i] = (struct peer){.id = 4 + i, .uuid = uuid_of(30), .incarnation = uuid_of(31)};
		snprintf(peers.list[i].address, sizeof peers.list[i].address, "127.0.0.1:%u", 1000 + i);
	}
	convert_install_to_wire(&view, &peers, &out);
	through_the_wire((xdrproc_t)xdr_jh_install_args, &out, &in, sizeof in);
	assert_true(convert_install_from_wire(&in, &view_back, &peers_back));
	assert_memory_equal(&view, &view_back, sizeof view);
	assert_memory_equal(&peers, &peers_back, sizeof peers);
	in.peers.peers_val[0].id = 5;
	assert_false(convert_install_from_wire(&in, &view_back, &peers_back));
	in.peers.peers_val[0].id = 4;
	memset(in.peers.peers_val[0].incarnation.bytes, 0, 16);
	assert_false(convert_install_from_wire(&in, &view_back, &peers_back));
	out.peers.peers_val[1].address.jh_address_len = 0;
	assert_false(convert_install_from_wire(&out, &view_back, &peers_back));
	xdr_free((xdrproc_t)xdr_jh_install_args, &out);
	xdr_free((xdrproc_t)xdr_jh_install_args, &in);
}

static void identities_come_back(void **state)
{
	struct identity identity;
	struct identity back;
	jh_identity wire;

	(void)state;
	memset(&identity, 0, sizeof identity);
	identity.formats = (struct format_range){3, 5};
	identity.format = 4;
	identity.program_base = 540000000;
	identity.id = 4095;
	identity.frontend = 2;
	identity.purpose = PURPOSE_BACKUP;
	identity.uuid = uuid_of(1);
	identity.incarnation = uuid_of(2);
	identity.cluster = uuid_of(3);
	identity.generation = uuid_of(4);
	snprintf(identity.version, sizeof identity.version, "0.1.0");
	convert_identity_to_wire(&identity, &wire);
	assert_true(convert_identity_from_wire(&wire, &back));
	assert_memory_equal(&identity, &back, sizeof back);
	wire.id = 4096;
	assert_false(convert_identity_from_wire(&wire, &back));
	wire.id = 4095;
	wire.purpose = (jh_purpose)(JH_PURPOSE_BACKUP + 1);
	assert_false(convert_identity_from_wire(&wire, &back));
	wire.purpose = (jh_purpose)-1;
	assert_false(convert_identity_from_wire(&wire, &back));
	wire.purpose = JH_PURPOSE_PUSH;
	wire.format_low = 6;
	assert_false(convert_identity_from_wire(&wire, &back));
	wire.format_low = 0;
	assert_false(convert_identity_from_wire(&wire, &back));
	wire.format_high = 0; /* not known */
	assert_true(convert_identity_from_wire(&wire, &back));
	wire.format = FORMAT_HIGHEST + 1;
	assert_false(convert_identity_from_wire(&wire, &back));
	xdr_free((xdrproc_t)xdr_jh_identity, &wire);
}

static const char *text_of(const char *bytes, size_t size)
{
	static char text[8];

	return convert_text(text, sizeof text, bytes, (u_int)size);
}

/* Texts from the wire never break a line, a terminal or a character. */
static void texts_are_printable(void **state)
{
	(void)state;
	assert_string_equal(text_of("abc", 3), "abc");
	assert_string_equal(text_of(NULL, 0), "");
	assert_string_equal(text_of("a\0\nb\x1b", 5), "a\\x00");
	assert_string_equal(text_of("0123456789", 10), "0123456");
	assert_string_equal(text_of("caf\xc3\xa9", 5), "caf\xc3\xa9");
	assert_string_equal(text_of("abcdef\xc3\xa9", 8), "abcdef"); /* cut before the character, not in it */
	assert_string_equal(text_of("\xc3", 1), "\\xc3");
	assert_string_equal(text_of("\xc0\x80", 2), "\\xc0");
	assert_string_equal(text_of("\xed\xa0", 2), "\\xed");
	assert_string_equal(text_of("\xc2\x9b", 2), "\\u{9b}"); /* a terminal's escape in eight bits */
}

/* A status row has the facts that a reader needs. */
static void rows_speak(void **state)
{
	struct report report;
	jh_replica_row row;
	char text[64];

	(void)state;
	make_report(&report);
	convert_row(3, &report, ROLE_BACKUP, true, "127.0.0.1:7", 5, "", &row);
	assert_string_equal(convert_text(text, sizeof text, row.state.jh_text_val, row.state.jh_text_len),
			    "catching up, computes another state (op 15)");
	assert_int_equal(row.op, report.op);
	assert_int_equal(row.view, 42);
	assert_int_equal(row.push.jh_text_len, 0); /* a primary's; it may have been one */
	assert_int_equal(row.figures.figures_len, 2);
	assert_memory_equal(row.figures.figures_val[1].name.name_val, "unheard_of", 10);
	xdr_free((xdrproc_t)xdr_jh_replica_row, &row);
	convert_row(3, &report, ROLE_PRIMARY, true, "127.0.0.1:7", 5, "", &row);
	assert_string_equal(convert_text(text, sizeof text, row.push.jh_text_val, row.push.jh_text_len), report.push);
	xdr_free((xdrproc_t)xdr_jh_replica_row, &row);
	report.fold_differs_op = 0;
	convert_row(3, &report, ROLE_BACKUP, true, "127.0.0.1:7", 5, "", &row);
	assert_string_equal(convert_text(text, sizeof text, row.state.jh_text_val, row.state.jh_text_len), "catching up");
	xdr_free((xdrproc_t)xdr_jh_replica_row, &row);
	report.state = STATE_DAMAGED;
	convert_row(3, &report, ROLE_LEARNER, true, "127.0.0.1:7", 5, "", &row);
	assert_string_equal(convert_text(text, sizeof text, row.state.jh_text_val, row.state.jh_text_len),
			    "damaged: a bit is wrong");
	xdr_free((xdrproc_t)xdr_jh_replica_row, &row);
	convert_row(3, &report, ROLE_DOWN, true, "", 5, "nobody listens there", &row);
	assert_string_equal(convert_text(text, sizeof text, row.state.jh_text_val, row.state.jh_text_len),
			    "nobody listens there");
	xdr_free((xdrproc_t)xdr_jh_replica_row, &row);
	convert_row(8, NULL, ROLE_NONE, false, "127.0.0.1:7", UINT64_MAX, "", &row);
	assert_int_equal(row.id, 8);
	assert_int_equal(row.op, 0);
	xdr_free((xdrproc_t)xdr_jh_replica_row, &row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(views_come_back),	      cmocka_unit_test(no_view_comes_back),
		cmocka_unit_test(views_that_make_no_sense),   cmocka_unit_test(reports_come_back),
		cmocka_unit_test(reports_that_make_no_sense), cmocka_unit_test(installs_come_back),
		cmocka_unit_test(identities_come_back),	      cmocka_unit_test(texts_are_printable),
		cmocka_unit_test(rows_speak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
