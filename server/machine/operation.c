#include "server/machine/operation.h"

#include "rpc/base/format.h"

const struct operation *operation_of_kind(uint32_t kind)
{
	for (uint32_t i = 0; i < operation_table_size; i++)
		if (operation_table[i]->kind == kind)
			return operation_table[i];
	return NULL;
}

const struct operation *operation_of(const struct body *body)
{
	const struct operation *operation = operation_of_kind(body->kind);

	if (operation == NULL || body->format < operation->first_format || body->format > FORMAT_HIGH)
		return NULL;
	return operation->is_canonical(body->content, body->content_size) ? operation : NULL;
}

const struct operation *operation_parse(const void *bytes, size_t size, struct body *body)
{
	return body_parse(bytes, size, body) ? operation_of(body) : NULL;
}

bool operation_key(const void *bytes, size_t size, struct uuid *client, uint64_t *request, struct digest *content,
		   int64_t *time_us)
{
	struct body body;

	if (operation_parse(bytes, size, &body) == NULL)
		return false;
	if (client != NULL)
		*client = body.client;
	if (request != NULL)
		*request = body.request;
	if (content != NULL)
		*content = body_content_digest(&body);
	if (time_us != NULL)
		*time_us = body.time_us;
	return true;
}
