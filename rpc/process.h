/* What every daemon of ours asks of its process before it does anything else. */
#pragma once

/* As many descriptors as allowed, up to 8192; a peer that is gone and a full file are errors of write(2), not
 * signals. */
void process_set_limits(void);
