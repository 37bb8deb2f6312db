/* Whether our program base cuts into the numbers of another cluster on this host: looked at once, and only said. */
#pragma once

struct node;

/* Not before registering: until then nobody knows whether rpcbind answers. */
void neighbours_look(struct node *node);
