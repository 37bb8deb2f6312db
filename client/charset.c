#include "client/charset.h"

#include <langinfo.h>
#include <locale.h>
#include <stddef.h>
#include <string.h>

bool charset_is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void charset_begin(void)
{
	static const char *const names[] = {"", "C.UTF-8", "en_US.UTF-8"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (setlocale(LC_CTYPE, names[i]) && charset_is_utf8())
			return;
	setlocale(LC_CTYPE, "C");
}
