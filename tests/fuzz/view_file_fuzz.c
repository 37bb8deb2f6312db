/* The front-end's view.json, as a file system, an editor or a backup may leave it.
 *
 * Input: the text. It is read as it is and, when it is an object, with a valid digest, so that the code
 * behind that check is reached. A view that is read is written and read again to the same view. */
#include <jansson.h>
#include <string.h>

#include "frontend/keeper/view_file.h"
#include "fuzz.h"
#include "rpc/base/must.h"

static void read_text(const char *text, size_t size)
{
	struct views_stored stored, again;
	char why[256] = "";

	if (view_file_read(text, size, &stored, why, sizeof why) != VIEW_FILE_GOOD) {
		must(why[0] != '\0');
		return;
	}
	must(stored.view.members_count <= LIMIT_REPLICAS);
	must(stored.view.number == 0 || view_member_by_id(&stored.view, stored.view.primary) != NULL);

	char *written = view_file_write(&stored);

	must(view_file_read(written, strlen(written), &again, why, sizeof why) == VIEW_FILE_GOOD);
	must(view_equal(&stored.view, &again.view));
	must(uuid_equal(stored.manager, again.manager));
	free(written);
}

/* As view_file.c makes it: of the object without its digest, keys sorted. */
static char *with_digest(json_t *object)
{
	char digest[DIGEST_TEXT_SIZE];
	char *text;

	json_object_del(object, "digest");
	text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	if (text == NULL)
		return NULL;
	json_object_set_new(object, "digest", json_string(digest_format(digest_of(text, strlen(text)), digest)));
	free(text);
	return json_dumps(object, 0);
}

void fuzz_one(const uint8_t *bytes, size_t size)
{
	json_t *object = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);

	read_text((const char *)bytes, size);
	if (json_is_object(object)) {
		char *text = with_digest(object);

		if (text != NULL)
			read_text(text, strlen(text));
		free(text);
	}
	json_decref(object);
}
