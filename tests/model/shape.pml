/* The shape of the modelled cluster: bounds, words and what everybody shares. Included first.
 *
 * A log is a packed integer, five bits an entry: the view's number * 4 + the body. (view, op) is the entry's name, the body
 * what the client asked for. Ops are 1 .. 3, views up to 6, so a log and the same + 1 fit in a short. */

/* Bounds; every one can be set with -D, see configurations. */
#ifndef REPLICAS
#define REPLICAS 2
#endif
#ifndef FRONTENDS
#define FRONTENDS 1
#endif
#ifndef WRITES
#define WRITES 2             /* different orders, bodies 1 .. WRITES */
#endif
#ifndef VIEWS
#define VIEWS 4              /* the highest number */
#endif
#ifndef CRASHES
#define CRASHES 1            /* of replicas, restart included */
#endif
#ifndef DEATHS
#define DEATHS 0             /* replicas that stop and never come back */
#endif
#ifndef WIPES
#define WIPES 0              /* of data directories */
#endif
#ifndef BREAKS
#define BREAKS 0             /* of connections between replicas */
#endif
#ifndef SUSPICIONS
#define SUSPICIONS 1         /* views made although everybody may be well */
#endif
#ifndef FRONTEND_CRASHES
#define FRONTEND_CRASHES 0
#endif
#ifndef FORCES
#define FORCES 0             /* promote --force */
#endif
#ifndef REPEATS
#define REPEATS 0            /* an order is submitted again although it is in the log */
#endif
#ifndef FIRST_MEMBERS
#define FIRST_MEMBERS 3      /* of view 1, a bit a replica; replica 0 is its primary */
#endif
#ifndef TOGETHER
#define TOGETHER 0           /* 1: order 2 may be placed before order 1 is answered */
#endif
#ifndef OPS
#define OPS 3
#endif
/* TAKE_OVER       front-end 1 begins with an empty directory beside front-end 0, which may be alive, slow or dead
 * BOTH_TAKE_OVER  front-ends 0 and 1 both begin with an empty directory; who made view 1 is dead
 * BASES           a push carries the entries after a base; PUSH_MOST bounds how many
 * PROGRESS        at any time the faults stop; then everything must get done
 * DEPOSED_FIRST   begins in view 2 = {1}; replica 0 does not know yet that it is deposed */
#ifndef PUSH_MOST
#define PUSH_MOST OPS
#endif

/* Views: a number and the manager that made it. Entry v of the view table is manager MANAGER(v)'s view NUMBER(v). */
#define PER (VIEWS + 1)
#define TABLE (PER * FRONTENDS)
#define VIEW(m, n) ((m) * PER + (n))
#define NUMBER(v) ((v) % PER)
#define MANAGER(v) ((v) / PER)
#define DEAD_MANAGER 2       /* who made view 1 when both front-ends begin empty */
#define UNBOUND 3

/* Logs. */
#define LENGTH(l) (((l) > 0) + ((l) > 31) + ((l) > 1023))
#define ENTRY(l, op) (((l) >> (5 * ((op) - 1))) & 31)
#define PREFIX(l, op) ((l) & ((1 << (5 * (op))) - 1))
#define BODY(e) ((e) & 3)
#define ENTRY_VIEW(e) ((e) >> 2)
#define HOLDS(l, w) (BODY(ENTRY(l, 1)) == (w) || BODY(ENTRY(l, 2)) == (w) || BODY(ENTRY(l, 3)) == (w))
#define LOWER(a, b) ((a) < (b) -> (a) : (b))
#define HIGHER(a, b) ((a) > (b) -> (a) : (b))

/* Replica uuids: a bit for each (replica, how often its directory was new). */
#if REPLICAS == 3
#define THIRD(x) x
#else
#define THIRD(x)
#endif
#if DEATHS > 0
#define NAME(r) (dead[(r) + 1] -> 0 : (1 << ((r) + REPLICAS * data[r])))
#else
#define NAME(r) (1 << ((r) + REPLICAS * data[r]))
#endif
#define ANY_NAME(r) ((1 << (r)) | (1 << ((r) + REPLICAS)))
#define GONE(m) ((m) & ~(NAME(0) | NAME(1) THIRD(| NAME(2))))
#define IDS(m) (((m) | ((m) >> REPLICAS)) & ((1 << REPLICAS) - 1))

#ifdef PROGRESS
bool quiet;
#define FAULTS !quiet
#else
#define FAULTS true
#endif

/* --- replicas --- */
#define FOLLOWS 0            /* or learns, or restarted: whatever is not one of the two below */
#define SETTLES 1
#define SERVES 2
byte view[REPLICAS];         /* entry of the view table, durable; 0: never in a view */
byte bound[REPLICAS];        /* view manager, durable with it */
byte role[REPLICAS];
short log[REPLICAS];           /* in memory */
short disk[REPLICAS];          /* durable */
byte commit[REPLICAS];
byte proved[REPLICAS];       /* equal to the primary's in this view up to proved - 1; 0: nothing yet */
bool whole[REPLICAS];
byte data[REPLICAS];         /* 1: the directory is not the first */
byte joint[REPLICAS];        /* names of learners that count */
byte joint_disk[REPLICAS];
#define OF(r, peer) ((r) * REPLICAS + (peer))
byte acked[REPLICAS * REPLICAS];       /* acked op + 1; 0: nothing proved in this view */
byte sent[REPLICAS * REPLICAS];        /* sent op + 1; 0: a new connection */
byte sent_commit[REPLICAS * REPLICAS];
#ifdef BASES
short staged[REPLICAS];        /* a replacement's log + 1 */
byte adopting[REPLICAS];     /* the replacement is being written; the commit point that came with it + 1 */
#endif
#if DEATHS > 0
byte deaths = DEATHS;
bool dead[REPLICAS + 3];
#endif
#ifdef R02_REPLICA_VIEW_NOT_DURABLE
byte view_disk[REPLICAS];
#endif
#ifdef R20_BINDING_NOT_DURABLE
byte bound_disk[REPLICAS];
#endif

/* --- the network: a push waits at its receiver, one for each view; one more that a broken connection had in its buffers --- */
#define SLOT(r, v) ((r) * TABLE + (v))
short push_log[REPLICAS * TABLE];        /* the log up to the push's end, + 1; 0: no push */
byte push_commit[REPLICAS * TABLE];
#ifdef BASES
byte push_base[REPLICAS * TABLE];
byte push_last[REPLICAS * TABLE];      /* the primary's last op */
bool push_state[REPLICAS * TABLE];
byte late_base[REPLICAS], late_last[REPLICAS];
bool late_state[REPLICAS];
#endif
short late_log[REPLICAS];
byte late_view[REPLICAS], late_commit[REPLICAS];
byte ack[REPLICAS * TABLE];            /* by r, in view v: op + 1 */
short installs[REPLICAS];              /* INSTALL_VIEW calls under way, a bit for each view */

/* --- front-ends --- */
byte made[FRONTENDS];        /* entry of the latest durable view; 0: taking over */
byte floor[FRONTENDS];
bool floor_known[FRONTENDS];
byte admission[FRONTENDS];   /* names that the current view's primary asks to admit */
byte primary_of[TABLE], members_of[TABLE];
#if FORCES > 0
bool generation_of[TABLE];
#define GENERATION(v) generation_of[v]
byte forces = FORCES;
#else
#define GENERATION(v) 0
#endif
/* The first number of the second generation: promote --force leaps over all that the first may reach. */
#if FORCES > 0 && !defined(R03_NUMBER_DOES_NOT_LEAP)
#define LEAP (VIEWS - 1)
#else
#define LEAP (VIEWS + 1)
#endif
#define ANOTHER_NUMBER(v) (NUMBER(v) < VIEWS && (GENERATION(v) == 1 || NUMBER(v) + 1 < LEAP))
#define AT(m, r) ((m) * REPLICAS + (r))
#if defined(TAKE_OVER) || defined(BOTH_TAKE_OVER)
#define TAKES_OVER 1
byte heard[FRONTENDS * REPLICAS];      /* entry of the view r told of last, + 1 */
byte heard_joint[FRONTENDS * REPLICAS];
byte binding[FRONTENDS * REPLICAS];    /* 0 no, 1 answered once, 2 answered again when all were bound */
bool linked[FRONTENDS * REPLICAS];     /* the connection on which r answered BIND is still open at r */
#endif

/* --- how often what may still happen --- */
byte crashes = CRASHES, wipes = WIPES, breaks = BREAKS, suspicions = SUSPICIONS, frontend_crashes = FRONTEND_CRASHES,
     repeats = REPEATS;

/* Scratch, meaningless between steps. */
#ifdef SHORTEST              /* breadth first search does not bear hidden variables */
#define SCRATCH
#else
#define SCRATCH hidden
#endif
SCRATCH int l_; SCRATCH int n_; SCRATCH int m_; SCRATCH int g_;
SCRATCH byte i_; SCRATCH byte k_; SCRATCH byte ok_; SCRATCH byte b_; SCRATCH byte e_;
