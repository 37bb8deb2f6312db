#include "frontend/keeper/view_file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base/digest.h"
#include "rpc/base/limits.h"
#include "rpc/base/shortage.h"
#include "rpc/base/utf8.h"

/* The digest of an object without its "digest", in one spelling. */
static struct digest digest_of_object(json_t *object)
{
	json_t *copy = json_copy(object);
	char *text;
	struct digest digest;

	json_object_del(copy, "digest");
	text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
	must_allocate(text);
	digest = digest_of(text, strlen(text));
	free(text);
	json_decref(copy);
	return digest;
}

static json_t *uuid_json(struct uuid uuid)
{
	char text[UUID_TEXT_SIZE];

	return json_string(uuid_format(uuid, text));
}

static json_t *members_json(const struct view *view)
{
	json_t *members = json_array();

	for (uint32_t i = 0; i < view->members_count; i++)
		json_array_append_new(members, json_pack("{s:i, s:o, s:s}", "id", (int)view->members[i].id, "uuid",
							 uuid_json(view->members[i].uuid), "address",
							 view->members[i].address));
	return members;
}

static json_t *expected_json(const struct view *view)
{
	json_t *expected = json_array();

	for (uint32_t i = 0; i < view->expected_count; i++)
		json_array_append_new(expected, json_pack("{s:i, s:I}", "id", (int)view->expected[i].id, "lost_us",
							  (json_int_t)view->expected[i].lost_us));
	return expected;
}

static json_t *marks_json(const struct fold_marks *marks)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < marks->count; i++)
		json_array_append_new(list, json_pack("{s:i, s:o, s:I, s:I}", "id", (int)marks->list[i].id, "uuid",
						      uuid_json(marks->list[i].uuid), "differs_op",
						      (json_int_t)marks->list[i].differs_op, "equal_op",
						      (json_int_t)marks->list[i].equal_op));
	return list;
}

char *view_file_write(const struct views_stored *stored)
{
	const struct view *view = &stored->view;
	char digest[DIGEST_TEXT_SIZE];
	json_t *object = json_pack("{s:i, s:o, s:o, s:o, s:s, s:I, s:i, s:o, s:o, s:i, s:o, s:o, s:o}", "format", VIEW_FILE_FORMAT,
				   "manager", uuid_json(stored->manager), "cluster", uuid_json(view->cluster),
				   "generation", uuid_json(view->generation), "name", view->name, "view",
				   (json_int_t)view->number, "in_use", (int)view->format, "keeper",
				   json_pack("{s:I, s:o}", "epoch", (json_int_t)view->keeper.epoch, "uuid",
					     uuid_json(view->keeper.uuid)),
				   "maker", uuid_json(view->maker), "primary", (int)view->primary, "members",
				   members_json(view), "expected", expected_json(view), "other_state",
				   marks_json(&stored->marks));

	must_allocate(object);
	json_object_set_new(object, "digest", json_string(digest_format(digest_of_object(object), digest)));

	char *text = json_dumps(object, JSON_INDENT(2));

	must_allocate(text);
	json_decref(object);
	return text;
}

static bool uuid_of(const json_t *object, const char *key, struct uuid *uuid)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL && uuid_parse(text, uuid);
}

static bool read_member(const json_t *object, struct view_member *member)
{
	json_int_t id = json_integer_value(json_object_get(object, "id"));
	const char *address = json_string_value(json_object_get(object, "address"));

	if (id < 1 || id > LIMIT_REPLICA_ID || address == NULL || strlen(address) >= sizeof member->address ||
	    !uuid_of(object, "uuid", &member->uuid) || uuid_is_nil(member->uuid))
		return false;
	member->id = (uint32_t)id;
	snprintf(member->address, sizeof member->address, "%s", address);
	return true;
}

static bool read_expected(const json_t *list, struct view *view)
{
	if (!json_is_array(list) || json_array_size(list) > LIMIT_REPLICAS)
		return false;
	view->expected_count = (uint32_t)json_array_size(list);
	for (uint32_t i = 0; i < view->expected_count; i++) {
		const json_t *object = json_array_get(list, i);
		json_int_t id = json_integer_value(json_object_get(object, "id"));

		if (id < 1 || id > LIMIT_REPLICA_ID || !json_is_integer(json_object_get(object, "lost_us")) ||
		    (i > 0 && id <= view->expected[i - 1].id))
			return false;
		view->expected[i].id = (uint32_t)id;
		view->expected[i].lost_us = json_integer_value(json_object_get(object, "lost_us"));
	}
	return true;
}

static bool read_marks(const json_t *list, struct fold_marks *marks)
{
	if (!json_is_array(list) || json_array_size(list) > LIMIT_REPLICAS)
		return false;
	marks->count = (uint32_t)json_array_size(list);
	for (uint32_t i = 0; i < marks->count; i++) {
		const json_t *object = json_array_get(list, i);
		json_int_t id = json_integer_value(json_object_get(object, "id"));
		json_int_t differs_op = json_integer_value(json_object_get(object, "differs_op"));
		json_int_t equal_op = json_integer_value(json_object_get(object, "equal_op"));
		struct fold_mark *mark = &marks->list[i];

		if (id < 1 || id > LIMIT_REPLICA_ID || (i > 0 && id <= marks->list[i - 1].id) || equal_op < 0 ||
		    differs_op <= equal_op || !uuid_of(object, "uuid", &mark->uuid) || uuid_is_nil(mark->uuid))
			return false;
		mark->id = (uint32_t)id;
		mark->differs_op = (uint64_t)differs_op;
		mark->equal_op = (uint64_t)equal_op;
	}
	return true;
}

static bool read_keeper(const json_t *object, struct view *view)
{
	const json_t *keeper = json_object_get(object, "keeper");
	json_int_t epoch = json_integer_value(json_object_get(keeper, "epoch"));

	view->keeper.epoch = (uint64_t)epoch;
	return epoch >= 0 && epoch <= LIMIT_VIEW_NUMBER && uuid_of(keeper, "uuid", &view->keeper.uuid) &&
	       uuid_of(object, "maker", &view->maker);
}

static bool read_properties(const json_t *object, struct view *view)
{
	const json_t *name = json_object_get(object, "name");
	json_int_t format = json_integer_value(json_object_get(object, "in_use"));

	if (!json_is_string(name) || json_string_length(name) > LIMIT_CLUSTER_NAME_BYTES || format < 0 ||
	    format > FORMAT_HIGHEST || !utf8_valid_text(json_string_value(name), json_string_length(name)))
		return false;
	memcpy(view->name, json_string_value(name), json_string_length(name));
	view->format = (uint32_t)format;
	return read_keeper(object, view);
}

static bool read_view(const json_t *object, struct view *view)
{
	json_int_t number = json_integer_value(json_object_get(object, "view"));
	json_int_t primary = json_integer_value(json_object_get(object, "primary"));
	const json_t *members = json_object_get(object, "members");

	if (number < 0 || primary < 0 || primary > LIMIT_REPLICA_ID || !json_is_array(members) ||
	    json_array_size(members) > LIMIT_REPLICAS || !uuid_of(object, "cluster", &view->cluster) ||
	    !uuid_of(object, "generation", &view->generation))
		return false;
	view->number = (uint64_t)number;
	view->primary = (uint32_t)primary;
	view->members_count = (uint32_t)json_array_size(members);
	for (uint32_t i = 0; i < view->members_count; i++) {
		if (!read_member(json_array_get(members, i), &view->members[i]))
			return false;
		if (i > 0 && view->members[i].id <= view->members[i - 1].id)
			return false;
	}
	if (!read_expected(json_object_get(object, "expected"), view) || !read_properties(object, view))
		return false;
	return number == 0 ? view->members_count == 0 && view->expected_count == 0 :
			     view_member_by_id(view, view->primary) != NULL && view->format > 0 && view->keeper.epoch > 0;
}

static bool digest_good(json_t *object)
{
	char right[DIGEST_TEXT_SIZE];
	const char *digest = json_string_value(json_object_get(object, "digest"));

	return digest != NULL && strcmp(digest, digest_format(digest_of_object(object), right)) == 0;
}

enum view_file_verdict view_file_read(const char *text, size_t size, struct views_stored *stored, char *why,
				      size_t why_size)
{
	json_error_t trouble;
	json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &trouble);
	enum view_file_verdict verdict = VIEW_FILE_DAMAGED;

	memset(stored, 0, sizeof *stored);
	if (!json_is_object(object)) {
		snprintf(why, why_size, "no JSON object: %.100s", object == NULL ? trouble.text : "another value");
		goto out;
	}

	json_int_t format = json_integer_value(json_object_get(object, "format"));

	if (format > VIEW_FILE_FORMAT) {
		snprintf(why, why_size, "format %lld, this version knows %d", (long long)format, VIEW_FILE_FORMAT);
		verdict = VIEW_FILE_NEWER;
	} else if (format > 0 && format < VIEW_FILE_FORMAT) {
		snprintf(why, why_size, "format %lld, this version reads format %d", (long long)format,
			 VIEW_FILE_FORMAT);
		verdict = VIEW_FILE_OLDER;
	} else if (!digest_good(object)) {
		snprintf(why, why_size, "its digest does not match");
	} else if (format != VIEW_FILE_FORMAT || !uuid_of(object, "manager", &stored->manager) ||
		   uuid_is_nil(stored->manager) || !read_view(object, &stored->view) ||
		   !read_marks(json_object_get(object, "other_state"), &stored->marks)) {
		snprintf(why, why_size, "a field is missing or out of range");
	} else if (!format_range_includes(FORMAT_RANGE_OWN, stored->view.format)) {
		snprintf(why, why_size, "its cluster uses format %u, this version speaks %d to %d", stored->view.format,
			 FORMAT_LOW, FORMAT_HIGH);
		verdict = stored->view.format > FORMAT_HIGH ? VIEW_FILE_NEWER : VIEW_FILE_OLDER;
	} else {
		stored->view.manager = stored->manager;
		verdict = VIEW_FILE_GOOD;
	}
out:
	json_decref(object);
	if (verdict != VIEW_FILE_GOOD)
		memset(stored, 0, sizeof *stored);
	return verdict;
}
