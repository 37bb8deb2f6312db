/* What was promised to whom: ghosts, which no process of the real cluster sees, and what is demanded of them. A promise is
 * broken when an assertion here, in push.pml or in replica.pml fails. */

#if FORCES > 0
#define GENERATIONS 2
#else
#define GENERATIONS 1
#endif
short history[GENERATIONS];   /* what is committed, of each generation */
short history_views[GENERATIONS]; /* the number of the view in which each of it was first committed, 5 bits each */
bool now;                    /* the newest generation that was entered */
byte answered;               /* orders answered as done, a bit each */
byte refused;                /* orders answered as refused */
byte answered_op, read_op;   /* highest op that any answer of a write, of a read, has shown */
short serving;               /* views that have had a serving primary */
short spoken;                /* views that were sent to anybody */
byte named[PER];             /* number -> entry + 1 of the view that somebody entered under it */

/* Rule 2: one number names one view. */
inline promise_one_view(v) {
  assert(named[NUMBER(v)] == 0 || named[NUMBER(v)] == (v) + 1);
  named[NUMBER(v)] = (v) + 1
}

/* The commit point of r moves to c. All replicas agree on what is committed; only a primary commits first; no order is
 * committed twice; what was refused never is. */
inline promise_commit(r, c) {
  g_ = GENERATION(view[r]);
  if
  :: (c) > LENGTH(history[g_]) ->
     assert(PREFIX(log[r], LENGTH(history[g_])) == history[g_]);
     assert(role[r] != FOLLOWS);
     for (i_ : 1 .. OPS) {
       if
       :: i_ > LENGTH(history[g_]) && i_ <= (c) -> history_views[g_] = history_views[g_] | (NUMBER(view[r]) << (5 * (i_ - 1)))
       :: else
       fi
     };
     history[g_] = PREFIX(log[r], (c))
  :: else -> assert(PREFIX(log[r], (c)) == PREFIX(history[g_], (c)))
  fi;
  for (i_ : 1 .. WRITES) {
    assert((BODY(ENTRY(history[g_], 1)) == i_) + (BODY(ENTRY(history[g_], 2)) == i_) + (BODY(ENTRY(history[g_], 3)) == i_) <= 1);
    assert(!((refused & (1 << i_)) && HOLDS(history[g_], i_)))
  }
}

/* r is about to serve: it is the only process that ever serves this view, and holds all that was committed before it. */
inline promise_serve(r) {
  g_ = GENERATION(view[r]);
  assert(!(serving & (1 << view[r])));
  serving = serving | (1 << view[r]);
  for (i_ : 1 .. OPS) {
    assert(ENTRY(history[g_], i_) == 0 || ENTRY(history_views[g_], i_) >= NUMBER(view[r]) ||
           ENTRY(log[r], i_) == ENTRY(history[g_], i_))
  };
  if
  :: commit[r] > LENGTH(history[g_]) -> history[g_] = PREFIX(log[r], commit[r]) /* committed in the generation before */
  :: else
  fi
}

#if FORCES > 0
/* promote --force: somebody enters the first view of a new generation. The answers given under the old one are void, as the
 * operator was told; what is left is what the forced primary holds when it serves. */
inline promise_anew(r, v) {
  if
  :: GENERATION(v) > now ->
     now = GENERATION(v); answered = 0; answered_op = 0; read_op = 0
  :: else
  fi
}
#else
#define promise_anew(r, v) skip
#endif
