/* The formats that this program speaks: of what is stored and sent, and of the rules by which operations are applied. The view
 * says which one a cluster uses; every entry of the log says which one it was made in, and is applied by that one's rules
 * forever (docs/formats.md). Overridden only by builds for tests of an upgrade. */
#pragma once

#ifndef FORMAT_LOW
#define FORMAT_LOW 3
#endif
#ifndef FORMAT_HIGH
#define FORMAT_HIGH 3
#endif
