#include "tests/unit/support_samples.h"

#define TIME_US 1700000000000000

static char customer[] = "Zo\xc3\xab", postcode[] = "DH1 3LE", address[] = "127.0.0.1:40001", version[] = "0.1.0";
static jh_item items[] = {{10, (char[]){"margherita"}}, {15, (char[]){"cr\xc3\xa8me br\xc3\xbbl\xc3\xa9"
								      "e"}}};

static jh_figure replica_figures[] = {{{6, (char[]){"orders"}}, 37}, {{8, (char[]){"drift_us"}}, -3}};
static jh_figure frontend_figures[] = {{{6, (char[]){"queued"}}, 4}};

jh_text sample_text(const char *text)
{
	return (jh_text){.jh_text_len = (u_int)strlen(text), .jh_text_val = (char *)(uintptr_t)text};
}

jh_address sample_address(void)
{
	return (jh_address){.jh_address_len = sizeof address - 1, .jh_address_val = address};
}

jh_operation sample_operation(void)
{
	jh_operation operation = {.kind = JH_OPERATION_ORDER};

	operation.jh_operation_u.order = (jh_order){.customer = {sizeof customer - 1, customer},
						    .postcode = {sizeof postcode - 1, postcode},
						    .items = {2, items}};
	return operation;
}

jh_query sample_query(void)
{
	jh_query query = {.kind = JH_QUERY_HISTORY};

	query.jh_query_u.history =
		(jh_history_query){.postcode = {sizeof postcode - 1, postcode}, .before = 17, .limit = 10};
	return query;
}

jh_body sample_body(void)
{
	static char actor[] = "kay", note[] = "ring twice";
	static quad_t values[] = {3, 4};
	static jh_forgotten forgotten = {.outcome = {.result = JH_ENTRY_REFUSED, .reason = JH_REASON_FULL, .values = {2, values}}};
	static jh_body_extra extra = {.actor = {sizeof actor - 1, actor}, .note = {sizeof note - 1, note},
				      .forgotten = &forgotten};
	jh_body body = {.format = 3, .extra = &extra, .request = 7, .time_us = TIME_US, .check = JH_CHECK_FORMAT_ONLY,
			.operation = sample_operation()};

	SAMPLE_FILL(forgotten.content, 0xdd);
	SAMPLE_FILL(body.client, 0xcc);
	return body;
}

jh_view sample_view(void)
{
	static jh_member members[2];
	static jh_expected expected[] = {{1, 0}, {2, 0}, {3, TIME_US}};
	static char name[] = "caf\xc3\xa9";
	jh_view view = {.number = 12, .format = 3, .primary = 2, .name = {sizeof name - 1, name}, .keeper = {.epoch = 2},
			.members = {2, members}, .expected = {3, expected}};

	for (unsigned int i = 0; i < 2; i++) {
		members[i] = (jh_member){.id = i + 1, .address = sample_address()};
		SAMPLE_FILL(members[i].uuid, (int)i + 1);
	}
	SAMPLE_FILL(view.cluster, 0xc1);
	SAMPLE_FILL(view.generation, 0x6e);
	SAMPLE_FILL(view.manager, 0x3a);
	SAMPLE_FILL(view.keeper.uuid, 0x3b);
	SAMPLE_FILL(view.maker, 0x3c);
	return view;
}

jh_identity sample_identity(uint32_t id)
{
	jh_identity identity = {.format_low = JH_CLUSTER_FORMAT, .format_high = JH_CLUSTER_FORMAT + 1, .format = 3,
				.program_base = SAMPLE_BASE, .id = id, .frontend = 5, .purpose = JH_PURPOSE_GOSSIP,
				.program_version = {sizeof version - 1, version}};

	SAMPLE_FILL(identity.uuid, (int)id + 1);
	SAMPLE_FILL(identity.incarnation, 0xa1);
	SAMPLE_FILL(identity.cluster, 0xc1);
	SAMPLE_FILL(identity.generation, 0x6e);
	return identity;
}

jh_report sample_report(void)
{
	static jh_joint joint;
	static jh_need need;
	jh_report report = {.news = 101, .id = 2, .view = sample_view(), .role = JH_ROLE_PRIMARY,
			    .state = JH_STATE_SERVING, .entered = TRUE, .whole_view = 12, .op = 33, .commit = 32,
			    .digest_op = 31, .tail_cut = 30, .pending = 4, .write_age_ms = 5, .disk_full = TRUE,
			    .stopping = TRUE, .orders_max = 1000000, .refusing = JH_REASON_DISK_FULL,
			    .refusing_id = 3, .clock_us = TIME_US + 1, .time_suspect_op = 29, .fold_differs_op = 28,
			    .fold_equal_op = 27, .program_version = {sizeof version - 1, version},
			    .push = sample_text("delta 640 B"),
			    .detail = sample_text("a bit is wrong"), .frontend = sample_address(),
			    .frontend_age_ms = 25, .managed = TRUE, .joint = {1, &joint}, .needs = {1, &need},
			    .figures = {2, replica_figures}};

	joint.id = 4;
	SAMPLE_FILL(joint.uuid, 4);
	need = (jh_need){.kind = JH_NEED_ADMIT, .view = 12, .id = 4};
	SAMPLE_FILL(need.uuid, 4);
	SAMPLE_FILL(report.uuid, 2);
	SAMPLE_FILL(report.digest, 0xd1);
	return report;
}

jh_replica_row sample_row(void)
{
	static jh_expected expects[] = {{1, 0}, {3, TIME_US}};
	jh_replica_row row = {.id = 2, .role = JH_ROLE_BACKUP, .state = sample_text("following"), .member = TRUE,
			      .view = 12, .op = 33, .commit = 32, .digest_op = 31, .address = sample_address(),
			      .age_ms = 6, .push = sample_text("full 4 KiB"), .expected = TRUE,
			      .lost_us = TIME_US + 2, .frontend = sample_address(), .frontend_age_ms = 25,
			      .managed = TRUE, .expects = {2, expects},
			      .figures = {2, replica_figures}};

	SAMPLE_FILL(row.uuid, 2);
	SAMPLE_FILL(row.digest, 0xd1);
	return row;
}

jh_cluster_status sample_status(void)
{
	static jh_replica_row row;
	jh_cluster_status status = {.health = JH_HEALTH_DEGRADED, .summary = sample_text("degraded: 1 copy"),
				    .view = 12, .primary = 2, .floor = 32, .address = sample_address(), .accepts_orders = TRUE,
				    .why_not = sample_text("disk full on replica 3"), .copies = 1, .expected = 3,
				    .replicas = {1, &row}, .figures = {1, frontend_figures}};

	row = sample_row();
	SAMPLE_FILL(status.cluster, 0xc1);
	return status;
}

jh_order_placed sample_placed(void)
{
	return (jh_order_placed){.postcode = {sizeof postcode - 1, postcode}, .number = 3, .op = 33,
				 .time_us = TIME_US, .check = JH_CHECK_EXISTS};
}

jh_read_done sample_history(void)
{
	static jh_history_order order;
	jh_read_done done = {.basis = sample_basis(false), .answer = {.kind = JH_QUERY_HISTORY}};

	order = (jh_history_order){.number = 3, .op = 33, .time_us = TIME_US, .check = JH_CHECK_EXISTS, .request = 7,
				   .customer = {sizeof customer - 1, customer}, .items = {2, items}};
	SAMPLE_FILL(order.client, 0xcc);
	done.answer.jh_query_answer_u.history =
		(jh_history){.postcode = {sizeof postcode - 1, postcode}, .total = 4, .orders = {1, &order}};
	return done;
}

jh_basis sample_basis(bool final)
{
	jh_basis basis = {.op = 33, .final = final};

	SAMPLE_FILL(basis.generation, 0xc2);
	return basis;
}

jh_touches sample_touches(void)
{
	static jh_touch touched[] = {{.op = 32, .key = 0x0102030405060708}, {.op = 33, .key = 9}};

	return (jh_touches){.from = 31, .to = 33, .list = {2, touched}};
}

jh_problem sample_problem(jh_reason reason)
{
	static jh_became became = {.kind = JH_OPERATION_ORDER, .op = 12, .result = JH_ENTRY_DONE};
	static quad_t values[] = {5, 6};
	bool decided = reason == JH_REASON_KEY_REUSED || reason == JH_REASON_VOID;

	return (jh_problem){.basis = sample_basis(decided), .reason = reason, .values = {decided ? 2 : 0, values},
			    .became = reason == JH_REASON_KEY_REUSED ? &became : NULL,
			    .error = sample_text("what, where, what to do")};
}

jh_peer *sample_peers(void)
{
	static jh_peer peers[2];

	for (unsigned int i = 0; i < 2; i++) {
		peers[i] = (jh_peer){.id = i + 1, .address = sample_address()};
		SAMPLE_FILL(peers[i].uuid, (int)i + 1);
		SAMPLE_FILL(peers[i].incarnation, 0xa0 + (int)i);
	}
	return peers;
}

jh_log_entry *sample_entries(void)
{
	static jh_log_entry entries[2];
	static char bytes[2][8192];

	for (unsigned int i = 0; i < 2; i++) {
		jh_body body = sample_body();
		XDR xdr;

		body.request += i;
		if (i > 0)
			body.extra = NULL;
		xdrmem_create(&xdr, bytes[i], sizeof bytes[i], XDR_ENCODE);
		if (!xdr_jh_body(&xdr, &body))
			return NULL;
		entries[i] = (jh_log_entry){.view = 11 + i, .body = {xdr_getpos(&xdr), bytes[i]}};
	}
	return entries;
}
