#include "rpc/cluster/format_range.h"

bool format_range_valid(struct format_range range)
{
	return range.low > 0 && range.low <= range.high && range.high <= FORMAT_HIGHEST;
}

bool format_range_overlaps(struct format_range a, struct format_range b)
{
	return a.low <= b.high && b.low <= a.high;
}

bool format_range_includes(struct format_range range, uint32_t format)
{
	return format == 0 || (range.low <= format && format <= range.high);
}
