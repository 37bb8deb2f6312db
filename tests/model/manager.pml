/* The view manager (frontend/views/) and the reads that its front-end passes on (frontend/router/router.c).
 *
 * It may be wrong about everybody: suspects the living, finds the dead well, picks any member as primary. What it does is
 * therefore more than the code does, and what holds here holds there. */

#define PRIMARY(m) primary_of[made[m]]
#define NORMAL(m) (made[m] != 0)
/* election.c assess_primary: RULE 6, the primary's process is not the one that entered the view. */
#define RESTARTED(m) (view[PRIMARY(m)] == made[m] && role[PRIMARY(m)] == FOLLOWS && (members_of[made[m]] & NAME(PRIMARY(m))))
#define WITHOUT(m, evicted) (members_of[made[m]] & \
  ~((evicted & 1 -> ANY_NAME(0) : 0) | (evicted & 2 -> ANY_NAME(1) : 0) THIRD(| (evicted & 4 -> ANY_NAME(2) : 0))))
#define ALL_DEAD(m, evicted) (GONE(members_of[made[m]]) != 0 && GONE(WITHOUT(m, evicted)) == 0)
#ifdef R03_LEARNER_PROMOTED
#define MAY_LEAD(m, p) true
#define ALSO(p) | NAME(p)
#else
#define MAY_LEAD(m, p) (members_of[made[m]] & NAME(p))   /* candidates.c vm_candidate_best: RULE 3 */
#define ALSO(p)
#endif
#ifdef SUSPICION_EVICTS_NOBODY
#define MAY_EVICT(evicted) ((evicted) == 0)
#else
#define MAY_EVICT(evicted) true
#endif
#ifdef R09_ADMISSION_OUTLIVES_VIEW
#define FORGET_ADMISSION(m) skip
#else
#define FORGET_ADMISSION(m) admission[m] = 0
#endif

/* view_change.c vm_view_propose, vm_view_stored, vm_view_adopt: RULE 2, durable before anybody hears of it. */
inline next_view(m, number, p, members, generation) {
  made[m] = VIEW(m, number);
  assert(!(spoken & (1 << made[m])));
  primary_of[made[m]] = p; members_of[made[m]] = members;
#if FORCES > 0
  generation_of[made[m]] = generation;
#endif
  assert(members_of[made[m]] != 0)
}

/* election.c vm_election_consider: evicts, and chooses a primary. RULE 10: from the latest durable view. */
#define ELECTION(p, evicted) :: d_step { NORMAL(id) && MAY_EVICT(evicted) && ANOTHER_NUMBER(made[id]) && MAY_LEAD(id, p) && \
  (IDS(members_of[made[id]]) & evicted) == evicted && (suspicions > 0 && FAULTS || RESTARTED(id) || ALL_DEAD(id, evicted)) && \
  (WITHOUT(id, evicted) ALSO(p)) != 0 -> \
  if :: RESTARTED(id) || ALL_DEAD(id, evicted) -> skip :: else -> suspicions-- fi; \
  m_ = WITHOUT(id, evicted) ALSO(p); n_ = NUMBER(made[id]) + 1; g_ = GENERATION(made[id]); \
  next_view(id, n_, p, m_, g_); FORGET_ADMISSION(id) }

/* --- reads: router.c, and submit.c may_read, replica_query; RULE 8 --- */
#ifdef R08_FLOOR_IGNORED
#define ABOVE_FLOOR(r) true
#else
#define ABOVE_FLOOR(r) (floor_known[id] && commit[r] >= floor[id])
#endif
#ifdef BASES
#define NOT_ADOPTING(r) (adopting[r] == 0)
#else
#define NOT_ADOPTING(r) true
#endif
#ifdef R08_VIEW_IGNORED
#define IN_VIEW(r) (view[r] > 0)
#else
#define IN_VIEW(r) ((members_of[made[id]] & NAME(r)) && view[r] == made[id] && NOT_ADOPTING(r) && (role[r] == SERVES || whole[r]))
#endif
#ifdef R08_DIRTY_READ
#define SHOWN(r) LENGTH(log[r])
#define ONLY_COMMITTED(r) assert(log[r] == PREFIX(history[now], LENGTH(log[r])))
#else
#define SHOWN(r) commit[r]
#define ONLY_COMMITTED(r) skip
#endif
#ifdef R08_READS_RAISE_NO_FLOOR
#define RAISE_FLOOR skip
#else
#define RAISE_FLOOR floor[id] = HIGHER(floor[id], read_op)
#endif
#define READ(r) :: d_step { NORMAL(id) && IN_VIEW(r) && ABOVE_FLOOR(r) && OBEYS(r, id) && GENERATION(view[r]) == now && \
  (SHOWN(r) > read_op || SHOWN(r) < answered_op || SHOWN(r) < read_op) -> \
  assert(SHOWN(r) >= answered_op);  /* stale: an answered write is missing */ \
  assert(SHOWN(r) >= read_op);      /* a later read shows less than an earlier one */ \
  ONLY_COMMITTED(r); read_op = SHOWN(r); RAISE_FLOOR }

/* --- a front-end's own restart --- */
#ifdef R08_FLOOR_ZERO_AT_START
#define FORGET_FLOOR(m) floor[m] = 0; floor_known[m] = 1
#else
#define FORGET_FLOOR(m) floor[m] = 0; floor_known[m] = 0
#endif
#ifdef R02_MANAGER_VIEW_NOT_DURABLE
#define FORGET_VIEW(m) if :: NUMBER(made[m]) > 1 -> made[m] = made[m] - 1 :: else fi
#else
#define FORGET_VIEW(m) skip
#endif

#ifdef R09_ADMISSION_REFUSED
#define ADMITS && GONE(admission[id]) == 0 /* as if the manager might say no to a learner that it cannot reach */
#else
#define ADMITS
#endif

#ifdef TAKES_OVER
/* takeover.c: RULE 18, 20. */
#define TAKING_OVER(m) (made[m] == 0)

/* takeover.c look: n_ the highest view heard, m_ who must be bound, ok_ how often all of them were at least. */
inline look(m) {
  n_ = 0;
  for (i_ : 0 .. REPLICAS - 1) {
    if :: heard[AT(m, i_)] > 1 && (n_ == 0 || NUMBER(heard[AT(m, i_)] - 1) > NUMBER(n_)) -> n_ = heard[AT(m, i_)] - 1 :: else fi
  };
  m_ = members_of[n_];
  for (i_ : 0 .. REPLICAS - 1) {
    if :: n_ != 0 && (members_of[n_] & NAME(i_)) -> m_ = m_ | heard_joint[AT(m, i_)] :: else fi
  };
  ok_ = 2; l_ = 0;
  for (i_ : 0 .. REPLICAS - 1) {
    if :: (m_ & NAME(i_)) -> l_ = l_ | NAME(i_); ok_ = LOWER(ok_, binding[AT(m, i_)]) :: else fi
  };
  if :: l_ != m_ || m_ == 0 -> ok_ = 0 :: else fi
#ifdef R20_ONE_BOUND_IS_ENOUGH
  ; ok_ = 0;
  for (i_ : 0 .. REPLICAS - 1) { if :: (m_ & NAME(i_)) -> ok_ = HIGHER(ok_, binding[AT(m, i_)]) :: else fi }
#endif
}

/* BIND: server/service.c bind_manager_1_svc closes the other managers' connections, view_change.c replica_bind writes down
 * the new one. */
inline bind(m, r) {
  bound[r] = m;
  for (i_ : 0 .. FRONTENDS - 1) {
    if
    :: i_ != m -> linked[AT(i_, r)] = 0; installs[r] = installs[r] & ~(((1 << PER) - 1) << (PER * i_))
    :: else
    fi
  }
}

#ifdef R20_VIEW_HEARD_BEFORE_BINDING
#define HEAR_AGAIN(m, r) skip
#else
#define HEAR_AGAIN(m, r) heard[AT(m, r)] = view[r] + 1
#endif
#ifdef R18_JOINT_FORGOTTEN
#define HEAR_JOINT(m, r) skip
#else
#define HEAR_JOINT(m, r) heard_joint[AT(m, r)] = joint_disk[r]
#endif
#ifdef R20_BOUND_ONCE
#define BOUND_ENOUGH 1
#else
#define BOUND_ENOUGH 2
#endif
#define TAKE_OVER_STEPS(r) \
  :: d_step { TAKING_OVER(id) && heard[AT(id, r)] > 0 && binding[AT(id, r)] == 0 -> look(id); \
     if \
     :: (m_ & NAME(r)) -> bind(id, r); binding[AT(id, r)] = 1; linked[AT(id, r)] = 1; HEAR_AGAIN(id, r); HEAR_JOINT(id, r) \
     :: else \
     fi; i_ = 0 } \
  :: d_step { TAKING_OVER(id) && binding[AT(id, r)] == 1 && linked[AT(id, r)] && BOUND_ENOUGH == 2 -> look(id); \
     if :: ok_ > 0 && (m_ & NAME(r)) -> binding[AT(id, r)] = 2 :: else fi; i_ = 0 } \
  :: d_step { TAKING_OVER(id) && binding[AT(id, r)] > 0 && !linked[AT(id, r)] -> \
     for (i_ : 0 .. REPLICAS - 1) { binding[AT(id, i_)] = LOWER(binding[AT(id, i_)], 1) }; binding[AT(id, r)] = 0 }

inline end_take_over(m) {
  for (i_ : 0 .. REPLICAS - 1) {
    heard[AT(m, i_)] = 0; heard_joint[AT(m, i_)] = 0; binding[AT(m, i_)] = 0; linked[AT(m, i_)] = 0
  }
}

/* takeover.c vm_takeover_consider: all are bound at one instant, each told its view after that. */
#define REFORM(p) :: d_step { TAKING_OVER(id) && heard[AT(id, p)] > 0 -> look(id); \
  if \
  :: n_ != 0 && ok_ >= BOUND_ENOUGH && ANOTHER_NUMBER(n_) && (members_of[n_] & NAME(p)) -> \
     m_ = members_of[n_]; g_ = GENERATION(n_); l_ = NUMBER(n_) + 1; next_view(id, l_, p, m_, g_); end_take_over(id) \
  :: else \
  fi; i_ = 0 }

/* takeover.c vm_takeover_watch: a replica that a predecessor left behind. Seeing a successor ends a front-end; here it may
 * stop at any time anyway, by never being scheduled again. */
#define LEFT_BEHIND(r) :: d_step { NORMAL(id) && bound[r] != id && bound[r] != UNBOUND && view[r] > 0 && \
  !(members_of[made[id]] & NAME(r)) && NUMBER(view[r]) < NUMBER(made[id]) -> bind(id, r); i_ = 0 }

#ifdef R18_FORMS_BESIDE_LIVING_CLUSTER /* formation.c may_form without its word and its waiting: whoever answers first is all */
#define FORM(p) :: d_step { TAKING_OVER(id) && view[p] == 0 && bound[p] == UNBOUND -> \
  bind(id, p); m_ = NAME(p); next_view(id, 1, p, m_, 0); end_take_over(id); enter_view(p, made[id]); role[p] = SERVES; i_ = 0 }
#else
#define FORM(p)
#endif
#else
#define bind(m, r) bound[r] = m
#define end_take_over(m) skip
#endif

#if FORCES > 0
/* operator.c vm_operator_promote, vm_operator_consider: RULE 3's way out. The old
 * primary may be alive and serving: only this front-end thinks that nobody serves.
 * The number leaps over whatever the old generation may have reached unheard. */
inline force(m, p) {
  bind(m, p);
#ifdef R03_NUMBER_DOES_NOT_LEAP
  n_ = HIGHER(NUMBER(view[p]), NUMBER(made[m])) + 1;
#else
  n_ = LEAP;
#endif
  if
  :: n_ <= VIEWS ->
     forces--; m_ = NAME(p); next_view(m, n_, p, m_, 1);
     floor[m] = 0; floor_known[m] = 0; admission[m] = 0; end_take_over(m)
  :: else
  fi
}
#define FORCE(p) :: d_step { forces > 0 && view[p] > 0 && NAME(p) != 0 -> force(id, p); i_ = 0 }
#endif

proctype FrontEnd(byte id) {
  do
  ELECTION(0, 0) ELECTION(0, 2) ELECTION(1, 0) ELECTION(1, 1)
#if REPLICAS == 3
  ELECTION(0, 4) ELECTION(0, 6) ELECTION(1, 4) ELECTION(1, 5) ELECTION(2, 0) ELECTION(2, 1) ELECTION(2, 2) ELECTION(2, 3)
#endif
  /* serving.c vm_serving_install: to the primary only. */
  :: d_step { NORMAL(id) && NUMBER(made[id]) > 1 && NUMBER(view[PRIMARY(id)]) < NUMBER(made[id]) &&
     !(installs[PRIMARY(id)] & (1 << made[id])) && (members_of[made[id]] & NAME(PRIMARY(id))) && OBEYS(PRIMARY(id), id) ->
     installs[PRIMARY(id)] = installs[PRIMARY(id)] | (1 << made[id]); spoken = spoken | (1 << made[id]) }
#ifdef R06_ENTERED_BY_ANOTHER_PROCESS
  :: d_step { NORMAL(id) && NUMBER(made[id]) > 1 && view[PRIMARY(id)] == made[id] && role[PRIMARY(id)] == FOLLOWS &&
     !(installs[PRIMARY(id)] & (1 << made[id])) && (members_of[made[id]] & NAME(PRIMARY(id))) ->
     installs[PRIMARY(id)] = installs[PRIMARY(id)] | (1 << made[id]) }
#endif
  /* admission.c vm_needs_admit: RULE 3, a view holds each id once; RULE 9, never no. */
  :: d_step { NORMAL(id) && admission[id] ADMITS && ANOTHER_NUMBER(made[id]) ->
     m_ = members_of[made[id]];
     for (i_ : 0 .. REPLICAS - 1) { if :: admission[id] & ANY_NAME(i_) -> m_ = m_ & ~ANY_NAME(i_) :: else fi };
     m_ = m_ | admission[id]; k_ = PRIMARY(id); n_ = NUMBER(made[id]) + 1; g_ = GENERATION(made[id]);
     next_view(id, n_, k_, m_, g_); admission[id] = 0 }
  /* serving.c vm_serving_route: the commit point of the serving primary is the floor to begin with. */
  :: d_step { NORMAL(id) && !floor_known[id] && role[PRIMARY(id)] == SERVES && view[PRIMARY(id)] == made[id] && OBEYS(PRIMARY(id), id) ->
     floor_known[id] = 1; floor[id] = commit[PRIMARY(id)] }
  READ(0) READ(1)
#if REPLICAS == 3
  READ(2)
#endif
#if FRONTEND_CRASHES > 0
  :: d_step { FAULTS && frontend_crashes > 0 && NORMAL(id) -> frontend_crashes--; FORGET_FLOOR(id); admission[id] = 0; FORGET_VIEW(id) }
#endif
#ifdef TAKES_OVER
  /* takeover.c look: nobody is bound before all who are registered have told their view. */
  :: d_step { TAKING_OVER(id) && heard[AT(id, 0)] == 0 ->
     for (i_ : 0 .. REPLICAS - 1) { heard[AT(id, i_)] = view[i_] + 1; HEAR_JOINT(id, i_) };
     i_ = 0 }
  TAKE_OVER_STEPS(0) TAKE_OVER_STEPS(1) REFORM(0) REFORM(1) LEFT_BEHIND(0) LEFT_BEHIND(1) FORM(0) FORM(1)
#if REPLICAS == 3
  TAKE_OVER_STEPS(2) REFORM(2) LEFT_BEHIND(2) FORM(2)
#endif
#endif
#if FORCES > 0
  FORCE(0) FORCE(1)
#if REPLICAS == 3
  FORCE(2)
#endif
#endif
#ifdef R12_REFUSED_AFTER_SUBMIT /* below --min-members: as if what was submitted once might still be refused */
  :: d_step { NORMAL(id) && (members_of[made[id]] & (members_of[made[id]] - 1)) == 0 && !(answered & 2) && !(refused & 2) &&
     HOLDS(log[0], 1) -> refused = refused | 2 }
#endif
  od
}
