/* One replica: views, the commit point, its disk, requests. Beside each step stands the function of the code that does the
 * same (server/replica/ unless said otherwise). R.. and S5_.. are the mutations: a rule taken out. */

/* peers.c replica_peers_reset, forget_proof: what was proved is worth nothing in another view. */
inline forget_proofs(r) {
  for (i_ : 0 .. REPLICAS - 1) {
    acked[OF(r, i_)] = 0;
#ifdef BASES
    /* The connection stays; what is sent over it starts over from what the peer surely holds. */
    if :: sent[OF(r, i_)] > commit[r] + 1 -> sent[OF(r, i_)] = commit[r] + 1 :: else fi;
#else
    sent[OF(r, i_)] = 0;
#endif
    sent_commit[OF(r, i_)] = 0
  }
}

/* commit.c replica_commit_to: the one gate of the commit point. */
inline commit_to(r, c) {
  if
#ifdef BASES
  :: adopting[r] > 0 -> skip
#endif
  :: else ->
     if
     :: (c) > commit[r] ->
        assert(LENGTH(log[r]) >= (c));
        promise_commit(r, c);
        commit[r] = (c)
     :: else
     fi
  fi
}

/* commit.c lowest_acknowledged: RULE 7, over members and learners that count. Sets m_, and ok_ = 0 when somebody has proved
 * nothing in this view yet. */
inline lowest_acknowledged(r) {
  ok_ = 1;
#ifdef R01_COMMIT_WITHOUT_OWN_DISK
  m_ = LENGTH(log[r]);
#else
  if
  :: PREFIX(log[r], LENGTH(disk[r])) == disk[r] -> m_ = LENGTH(disk[r])
  :: else -> m_ = 0; ok_ = 0
  fi;
#endif
  k_ = members_of[view[r]] | joint[r];
  for (i_ : 0 .. REPLICAS - 1) {
    if
    :: i_ != (r) && (k_ & NAME(i_)) ->
#ifdef R10_PRIMARY_DROPS_MEMBER
       if :: acked[OF(r, i_)] == 0 -> skip :: else -> m_ = LOWER(m_, acked[OF(r, i_)] - 1) fi
#else
       if :: acked[OF(r, i_)] == 0 -> ok_ = 0; m_ = 0 :: else -> m_ = LOWER(m_, acked[OF(r, i_)] - 1) fi
#endif
    :: else
    fi;
    if :: k_ & ANY_NAME(i_) & ~NAME(i_) -> ok_ = 0; m_ = 0 :: else fi
  }
#ifdef R07_MAJORITY
  ok_ = 1; n_ = LENGTH(disk[r]);
  if :: PREFIX(log[r], n_) != disk[r] -> n_ = 0 :: else fi;
  m_ = 0;
  for (i_ : 0 .. REPLICAS - 1) {
    if
    :: i_ != (r) && (k_ & NAME(i_)) && acked[OF(r, i_)] > 0 -> m_ = HIGHER(m_, acked[OF(r, i_)] - 1)
    :: else
    fi
  };
  if :: (k_ & ~NAME(r)) == 0 -> m_ = n_ :: else -> m_ = LOWER(m_, n_) fi;
#endif
}

/* commit.c replica_advance */
inline advance(r) {
  lowest_acknowledged(r);
  if
  :: role[r] == SETTLES && ok_ && m_ >= LENGTH(log[r]) -> /* RULE 5 */
#ifdef BASES
     if
     :: adopting[r] > 0 -> skip
     :: else -> promise_serve(r); role[r] = SERVES; commit_to(r, m_)
     fi
#else
     promise_serve(r); role[r] = SERVES; commit_to(r, m_)
#endif
  :: role[r] == SERVES ->
#ifdef R07_COMMIT_FALLS
     if :: m_ < commit[r] -> commit[r] = m_ :: else fi;
#endif
     commit_to(r, m_)
  :: else
  fi
}

/* recv_push.c admissible, writes and answers of leave_view (view_change.c): what is older than the receiver's view is
 * refused. RULE 4. Dropped at once, which is the same as later. */
inline fence(r, v) {
#ifndef R04_NO_FENCE
  for (i_ : 1 .. TABLE - 1) {
    if :: NUMBER(i_) < NUMBER(v) -> push_log[SLOT(r, i_)] = 0; push_commit[SLOT(r, i_)] = 0; push_zero(r, i_) :: else fi
  };
  if :: NUMBER(late_view[r]) < NUMBER(v) -> late_log[r] = 0; late_view[r] = 0; late_commit[r] = 0; late_zero(r) :: else fi;
#endif
#ifndef R04_ACK_OF_OLD_VIEW
  /* send_push.c replica_recv_ack: acknowledgements of another view are ignored. */
  for (i_ : 1 .. TABLE - 1) {
    if
    :: NUMBER(i_) < NUMBER(v) && primary_of[i_] == (r) -> for (k_ : 0 .. REPLICAS - 1) { ack[SLOT(k_, i_)] = 0 }
    :: else
    fi
  };
#endif
}

/* view_change.c replica_enter_view: the one gate of view and role. Durable at once; R02_REPLICA_VIEW_NOT_DURABLE has it later. */
inline enter_view(r, v) {
#if FORCES > 0
  /* RULE 3, 17: nobody takes the history of one generation into another. */
  assert(view[r] == 0 || GENERATION(view[r]) == GENERATION(v) || (members_of[v] & NAME(r)));
#endif
  promise_one_view(v);
  promise_anew(r, v);
  view[r] = (v); bound[r] = MANAGER(v); /* RULE 20: bound with its view */
  proved[r] = 0; whole[r] = 0; joint[r] = 0; joint_disk[r] = 0; role[r] = FOLLOWS;
  forget_proofs(r);
  fence(r, v)
}

/* recv_push.c replica_answer_acks, ack_proved: RULE 1, 4. */
inline send_ack(r, v) {
  if
  :: primary_of[v] != (r) && view[primary_of[v]] != 0 && NUMBER(view[primary_of[v]]) <= NUMBER(v) ->
     ack[SLOT(r, v)] = HIGHER(ack[SLOT(r, v)], proved[r])
  :: else
  fi
}

#ifdef R00_NO_RESEND
#define NEW_CONNECTION(a, b) skip
#else
#define NEW_CONNECTION(a, b) sent[OF(a, b)] = 0; sent_commit[OF(a, b)] = 0
#endif

/* kill -9 and start again: recover.c, view_change.c replica_start. */
inline crash(r) {
  log[r] = disk[r]; commit[r] = 0; proved[r] = 0; whole[r] = 0; role[r] = FOLLOWS; joint[r] = 0; installs[r] = 0;
#ifdef BASES
  staged[r] = 0; adopting[r] = 0;
#endif
  for (i_ : 0 .. REPLICAS - 1) { acked[OF(r, i_)] = 0; sent[OF(r, i_)] = 0; sent_commit[OF(r, i_)] = 0 };
#ifdef R07_REPLAY_ALL
  commit[r] = LENGTH(disk[r]);
#endif
#ifdef R02_REPLICA_VIEW_NOT_DURABLE
  view[r] = view_disk[r];
#endif
#ifdef R02_LEARNER_VIEW_NOT_DURABLE
  if :: view[r] > 0 && !(members_of[view[r]] & NAME(r)) -> view[r] = 0 :: else fi;
#endif
#ifdef R20_BINDING_NOT_DURABLE
  bound[r] = bound_disk[r];
#endif
  late_log[r] = 0; late_view[r] = 0; late_commit[r] = 0; late_zero(r);
  for (i_ : 1 .. TABLE - 1) {
    push_log[SLOT(r, i_)] = 0; push_commit[SLOT(r, i_)] = 0; push_zero(r, i_);
    if :: primary_of[i_] == (r) -> for (k_ : 0 .. REPLICAS - 1) { ack[SLOT(k_, i_)] = 0 } :: else fi
  };
#ifdef TAKES_OVER
  for (i_ : 0 .. FRONTENDS - 1) { linked[AT(i_, r)] = 0 };
#endif
  for (i_ : 0 .. REPLICAS - 1) { NEW_CONNECTION(i_, r) }
}

/* A wiped directory, or data given up (DO_RETIRE, server/disk/recovery.c): a new uuid, never in a view, bound to nobody. */
#ifdef R03_UUID_IGNORED
#define NEW_NAME(r) skip
#else
#define NEW_NAME(r) data[r] = 1
#endif
#ifdef R04_ACK_UUID_IGNORED
#define OLD_ACKS(r) skip
#else
#define OLD_ACKS(r) for (i_ : 1 .. TABLE - 1) { ack[SLOT(r, i_)] = 0 }; for (i_ : 0 .. REPLICAS - 1) { acked[OF(i_, r)] = 0 }
#endif
inline lose_directory(r) {
  disk[r] = 0; crash(r); view[r] = 0; joint_disk[r] = 0; bound[r] = UNBOUND;
#ifdef R02_REPLICA_VIEW_NOT_DURABLE
  view_disk[r] = 0;
#endif
#ifdef R20_BINDING_NOT_DURABLE
  bound_disk[r] = UNBOUND;
#endif
  NEW_NAME(r); OLD_ACKS(r)
}

/* INSTALL_VIEW: view_change.c replica_install. Only from the manager it is bound to (RULE 20; server/service.c manager_of),
 * only a higher view (RULE 6: this process entered it). */
#ifdef R06_ENTERED_BY_ANOTHER_PROCESS
#define MAY_INSTALL(v) (NUMBER(v) > NUMBER(view[id]) || (v == view[id] && role[id] == FOLLOWS))
#else
#define MAY_INSTALL(v) (NUMBER(v) > NUMBER(view[id]))
#endif
#ifdef R05_NO_SETTLING
#define LEAD(r) role[r] = SERVES
#else
#define LEAD(r) role[r] = SETTLES
#endif
#define INSTALLED(v) :: d_step { (installs[id] & (1 << (v))) -> installs[id] = installs[id] & ~(1 << (v)); \
  if \
  :: MAY_INSTALL(v) && OBEYS(id, MANAGER(v)) && (members_of[v] & NAME(id)) -> enter_view(id, v); LEAD(id); advance(id) \
  :: else \
  fi }

/* Requests. submit.c known: RULE 11, the log not yet applied and the history. */
#ifdef R11_TABLE_EVICTS
#define KNOWN(w) (LENGTH(log[id]) > 0 && BODY(ENTRY(log[id], LENGTH(log[id]))) == w)
#else
#ifdef R11_LOG_NOT_ASKED
#define KNOWN(w) HOLDS(PREFIX(log[id], commit[id]), w)
#else
#ifdef R11_NO_TABLE
#define KNOWN(w) false
#else
#define KNOWN(w) HOLDS(log[id], w)
#endif
#endif
#endif
#define PLACED(w) ((w) <= 1 || TOGETHER || (answered & (1 << ((w) - 1))))
/* submit.c replica_submit, replica_propose. Submitted to anybody who thinks that he serves: more than rule 4 allows. */
#define SUBMITTED(w) :: d_step { role[id] == SERVES && w <= WRITES && PLACED(w) && !KNOWN(w) && LENGTH(log[id]) < OPS && \
  (!HOLDS(log[id], w) || repeats > 0) -> \
  if :: HOLDS(log[id], w) -> repeats-- :: else fi; \
  log[id] = log[id] | ((NUMBER(view[id]) * 4 + w) << (5 * LENGTH(log[id]))) }
/* submit.c answer_done; frontend/router/router.c raises the floor before it passes the answer on (RULE 8). */
#define ANSWERED(w) :: d_step { role[id] == SERVES && w <= WRITES && !(answered & (1 << w)) && GENERATION(view[id]) == now && \
  HOLDS(PREFIX(log[id], commit[id]), w) -> \
  answered = answered | (1 << w); \
  k_ = (BODY(ENTRY(log[id], 1)) == w -> 1 : (BODY(ENTRY(log[id], 2)) == w -> 2 : 3)); \
  answered_op = HIGHER(answered_op, k_); floor[MANAGER(view[id])] = HIGHER(floor[MANAGER(view[id])], k_) }

/* Learners. joint.c replica_joint_consider, replica_joint_durable: RULE 9, written down, then counted, then proposed
 * (replica_needs_refresh). */
#ifdef R09_JOINT_BEFORE_LEVEL
#define LEVEL(r) (acked[OF(id, r)] > 0)
#else
#define LEVEL(r) (acked[OF(id, r)] > commit[id])
#endif
#ifdef R09_NOT_JOINT
#define COUNT(r) skip
#else
#define COUNT(r) joint[id] = joint[id] | NAME(r); joint_disk[id] = joint[id]
#endif
/* A report reaches only the manager that the replica is bound to; what it told another before was bound with it (rule 18). */
#define HEARS_NEEDS(r) (bound[r] == MANAGER(view[r]) && made[MANAGER(view[r])] == view[r] && ANOTHER_NUMBER(view[r]))
#define CONSIDER_JOINT(r) :: d_step { r != id && NAME(r) != 0 && role[id] == SERVES && HEARS_NEEDS(id) && \
  !((members_of[view[id]] | joint[id] | admission[MANAGER(view[id])]) & NAME(r)) && LEVEL(r) -> \
  COUNT(r); admission[MANAGER(view[id])] = admission[MANAGER(view[id])] | NAME(r); advance(id) }

/* A connection breaks: what it had in its buffers may be read late, or the acknowledgement is lost.
 * connections.c replica_peer_down, replica_peer_up. */
#define BROKEN(r) \
  :: d_step { FAULTS && breaks > 0 && r != id && role[id] != FOLLOWS && push_log[SLOT(r, view[id])] > 0 && late_log[r] == 0 -> \
     breaks--; late_log[r] = push_log[SLOT(r, view[id])]; late_view[r] = view[id]; late_commit[r] = push_commit[SLOT(r, view[id])]; \
     late_take(r, view[id]); \
     push_log[SLOT(r, view[id])] = 0; push_commit[SLOT(r, view[id])] = 0; push_zero(r, view[id]); NEW_CONNECTION(id, r) } \
  :: d_step { FAULTS && breaks > 0 && r != id && role[id] != FOLLOWS && ack[SLOT(r, view[id])] > 0 -> \
     breaks--; ack[SLOT(r, view[id])] = 0; NEW_CONNECTION(id, r) }

proctype Replica(byte id)
#if DEATHS > 0
  provided (!dead[_pid])
#endif
{
  do
  RECEIVED(1) RECEIVED(2)
#if VIEWS > 2
  RECEIVED(3)
#endif
#if VIEWS > 3
  RECEIVED(4)
#endif
#if VIEWS > 4
  RECEIVED(5)
#endif
#if VIEWS > 5
  RECEIVED(6)
#endif
#if FRONTENDS > 1
  RECEIVED(VIEW(1, 2))
#if VIEWS > 2
  RECEIVED(VIEW(1, 3))
#endif
#if VIEWS > 3
  RECEIVED(VIEW(1, 4))
#endif
#if VIEWS > 4
  RECEIVED(VIEW(1, 5))
#endif
#endif
  RECEIVED_LATE
  /* The disk has done it: durable.c replica_durable. */
  :: d_step { log[id] != disk[id] -> disk[id] = log[id]; adopt(id);
     if
     :: role[id] != FOLLOWS -> advance(id)
     :: role[id] == FOLLOWS && proved[id] > 0 -> send_ack(id, view[id])
     :: else
     fi }
#ifdef R02_REPLICA_VIEW_NOT_DURABLE
  :: d_step { view[id] != view_disk[id] -> view_disk[id] = view[id] }
#endif
#ifdef R20_BINDING_NOT_DURABLE
  :: d_step { bound[id] != bound_disk[id] -> bound_disk[id] = bound[id] }
#endif
  INSTALLED(2)
#if VIEWS > 2
  INSTALLED(3)
#endif
#if VIEWS > 3
  INSTALLED(4)
#endif
#if VIEWS > 4
  INSTALLED(5)
#endif
#if VIEWS > 5
  INSTALLED(6)
#endif
#if FRONTENDS > 1
  INSTALLED(VIEW(1, 2))
#if VIEWS > 2
  INSTALLED(VIEW(1, 3))
#endif
#if VIEWS > 3
  INSTALLED(VIEW(1, 4))
#endif
#if VIEWS > 4
  INSTALLED(VIEW(1, 5))
#endif
#endif
  SEND(0) SEND(1) ACKED(0) ACKED(1) CONSIDER_JOINT(0) CONSIDER_JOINT(1)
#if BREAKS > 0
  BROKEN(0) BROKEN(1)
#endif
#if REPLICAS == 3
  SEND(2) ACKED(2) CONSIDER_JOINT(2)
#if BREAKS > 0
  BROKEN(2)
#endif
#endif
#ifdef R04_ACK_OF_OLD_VIEW
  ACKED_OLD(0, 1) ACKED_OLD(1, 1) ACKED_OLD(0, 2) ACKED_OLD(1, 2)
#if REPLICAS == 3
  ACKED_OLD(2, 1) ACKED_OLD(2, 2)
#endif
#endif
#ifdef R09_STOPS_COUNTING
  :: d_step { role[id] == SERVES && joint[id] -> joint[id] = 0; joint_disk[id] = 0; advance(id) }
#endif
  /* A need is a level: joint.c replica_needs_refresh tells of it with every report. */
  :: d_step { role[id] == SERVES && joint[id] && HEARS_NEEDS(id) && admission[MANAGER(view[id])] == 0 ->
     admission[MANAGER(view[id])] = joint[id] }
  SUBMITTED(1) SUBMITTED(2) SUBMITTED(3) ANSWERED(1) ANSWERED(2) ANSWERED(3)
#if DEATHS > 0
  :: d_step { FAULTS && deaths > 0 -> deaths--; crash(id); dead[id + 1] = 1; i_ = 0 }
#endif
  :: d_step { FAULTS && crashes > 0 -> crashes--; crash(id); i_ = 0 }
#if WIPES > 0
  :: d_step { FAULTS && wipes > 0 && data[id] == 0 -> wipes--; lose_directory(id); i_ = 0 }
#endif
#if FORCES > 0
  /* frontend/views/connection.c should_retire: what is of an old generation gives its data up once another member serves. */
  :: d_step { view[id] > 0 && data[id] == 0 && GENERATION(view[id]) < now && bound[id] < FRONTENDS && made[bound[id]] != 0 &&
     GENERATION(made[bound[id]]) == now && role[primary_of[made[bound[id]]]] == SERVES &&
     view[primary_of[made[bound[id]]]] == made[bound[id]] -> lose_directory(id); i_ = 0 }
#endif
  od
}
