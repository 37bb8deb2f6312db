/* A push and its acknowledgement: send_push.c and recv_push.c of server/replica/.
 *
 * Without BASES a push carries everything (base 0). With BASES it names a base, what the backup is known to hold; the digest at
 * the base is the log up to there itself, since a digest covers all before it. */
#ifdef BASES
#define push_zero(r, v) push_base[SLOT(r, v)] = 0; push_last[SLOT(r, v)] = 0; push_state[SLOT(r, v)] = 0
#define late_zero(r) late_base[r] = 0; late_last[r] = 0; late_state[r] = 0
#define late_take(r, v) late_base[r] = push_base[SLOT(r, v)]; late_last[r] = push_last[SLOT(r, v)]; late_state[r] = push_state[SLOT(r, v)]
#else
#define push_zero(r, v) skip
#define late_zero(r) skip
#define late_take(r, v) skip
#endif

/* Mutations that undo what was durable end in a cut below the commit point, which the code itself refuses as damage; they
 * are run with CUTS_UNCHECKED to see what would become of the orders. */
#ifdef CUTS_UNCHECKED
#define not_damaged(x) skip
#else
#define not_damaged(x) assert(x)
#endif

/* RULE 20: a replica obeys one manager, and any as long as it was never bound. */
#ifdef R20_UNBOUND_ACCEPTED
#define OBEYS(r, m) true
#else
#define OBEYS(r, m) (bound[r] == (m) || bound[r] == UNBOUND)
#endif

/* recv_push.c admissible: RULE 4, 17, 20. */
#ifdef R04_NO_FENCE
#define FENCE_PASSES(r, v) true
#else
#define FENCE_PASSES(r, v) (NUMBER(v) > NUMBER(view[r]) || (v) == view[r])
#endif
#if FORCES > 0 && !defined(R03_GENERATION_IGNORED)
#define SAME_GENERATION(r, v) (view[r] == 0 || GENERATION(view[r]) == GENERATION(v))
#else
#define SAME_GENERATION(r, v) true
#endif
#define ADMISSIBLE(r, v) (FENCE_PASSES(r, v) && ((v) == view[r] || (OBEYS(r, MANAGER(v)) && SAME_GENERATION(r, v))))

/* recv_push.c take_delta, take_entries, made_whole: b the base, e the push's end, last the primary's last op. */
inline take_delta(r, v, b, e, last) {
  k_ = b;
  do
  :: k_ < e && k_ < LENGTH(log[r]) && ENTRY_VIEW(ENTRY(log[r], k_ + 1)) == ENTRY_VIEW(ENTRY(l_, k_ + 1)) -> k_++
  :: else -> break
  od;
#ifndef S5_BASE_DIGEST_IGNORED
  assert(PREFIX(log[r], k_) == PREFIX(l_, k_)); /* RULE 6: (view, op) names one body */
#endif
  if
#ifdef R05_TAIL_STAYS
  :: k_ == e -> skip
#endif
#ifdef R05_LATE_PUSH_CUTS     /* every push makes the log equal, late ones too */
  :: else -> log[r] = PREFIX(l_, e)
#else
  :: else ->
     if
     :: k_ < e && k_ < LENGTH(log[r]) -> /* RULE 5: an entry that differs goes, and what is after it */
#ifndef S5_BASE_DIGEST_IGNORED
        not_damaged(!whole[r] && k_ >= LOWER(commit[r], LENGTH(log[r])));
#endif
        log[r] = PREFIX(log[r], k_)
     :: else
     fi;
#ifdef R05_CUT_FIRST_WRITE_LATER
     if :: !whole[r] && e > 0 -> disk[r] = 0 :: else fi;
#endif
#ifdef S5_BASE_DIGEST_IGNORED
     /* entries after the base join whatever is there */
     if :: LENGTH(log[r]) >= k_ -> log[r] = log[r] | (PREFIX(l_, e) & ~((1 << (5 * k_)) - 1)) :: else fi;
#else
     if :: k_ < e -> log[r] = PREFIX(log[r], k_) | (PREFIX(l_, e) & ~((1 << (5 * k_)) - 1)) :: else fi;
#endif
#ifdef S5_EVERY_PUSH_CUTS
     if :: !whole[r] && LENGTH(log[r]) > e -> /* also a push that does not reach the end */
#else
     if :: !whole[r] && e == last && LENGTH(log[r]) > e -> /* what the primary does not have goes */
#endif
        not_damaged(e >= commit[r]);
        log[r] = PREFIX(log[r], e)
     :: else
     fi
#endif
  fi;
#ifdef S5_PROVED_TO_THE_END  /* as if what was not sent yet had been compared too */
  proved[r] = HIGHER(proved[r], LENGTH(log[r]) + 1);
#else
  proved[r] = HIGHER(proved[r], e + 1);
#endif
#ifdef S5_PART_IS_WHOLE
  whole[r] = 1
#else
  if :: e == last -> whole[r] = 1 :: else fi
#endif
}

/* RULE 7: the lower of the push's commit point and what the push proved equal. */
inline take_commit(r, c, e) {
#ifdef R07_BACKUP_COMMITS_UNPROVED
  m_ = LOWER(LENGTH(log[r]), (c) + 1); commit_to(r, m_)
#else
  m_ = LOWER((c), e); commit_to(r, m_)
#endif
}

inline maybe_ack(r, v) {
#ifdef R01_ACK_BEFORE_DISK
  send_ack(r, v)
#else
  if :: log[r] == disk[r] -> send_ack(r, v) :: else fi
#endif
}

#ifndef BASES
#define adopt(r) skip
inline receive(r, v, l, c) {
  l_ = (l);
  if
  :: ADMISSIBLE(r, v) ->
     if :: NUMBER(v) > NUMBER(view[r]) -> enter_view(r, v) :: else fi;
     b_ = 0; e_ = LENGTH(l_);
     take_delta(r, v, b_, e_, e_);
     maybe_ack(r, v);
     take_commit(r, c, e_)
  :: else
  fi
}
#define RECEIVED(v) :: d_step { push_log[SLOT(id, v)] > 0 -> receive(id, v, push_log[SLOT(id, v)] - 1, push_commit[SLOT(id, v)]); \
  push_log[SLOT(id, v)] = 0; push_commit[SLOT(id, v)] = 0 }
#define RECEIVED_LATE :: d_step { late_log[id] > 0 -> receive(id, late_view[id], late_log[id] - 1, late_commit[id]); \
  late_log[id] = 0; late_view[id] = 0; late_commit[id] = 0 }

#else
/* recv_push.c replace_when_whole, writes.c replica_write_replacement: all of it becomes ours in one step. */
inline replace(r, c, last) {
  log[r] = staged[r] - 1; staged[r] = 0;
  if
  :: log[r] == disk[r] -> skip
  :: else -> adopting[r] = LOWER((c), last) + 1
  fi;
  proved[r] = HIGHER(proved[r], last + 1); whole[r] = 1
}

/* writes.c adopt, and commit_heard of durable.c replica_durable. */
inline adopt(r) {
  if
  :: adopting[r] > 0 -> m_ = adopting[r] - 1; adopting[r] = 0; commit_to(r, m_)
  :: else
  fi
}

#ifdef S5_BASE_DIGEST_IGNORED
#define SAME_BASE(l, b) (LENGTH(l) >= (b))
#else
#define SAME_BASE(l, b) (LENGTH(l) >= (b) && PREFIX(l, b) == PREFIX(l_, b))
#endif
#define STATE_IS_OLD(r, b) ((b) < commit[r])
/* PUSH_NEED_BASE and its answer, peers.c replica_peer_base: as good as a new connection. */
#define need_base(r, v) sent[OF(primary_of[v], r)] = 0; sent_commit[OF(primary_of[v], r)] = 0

/* recv_push.c replica_recv_push */
inline receive(r, v, l, c, b, last, state) {
  l_ = (l); b_ = (b); e_ = LENGTH(l_); n_ = (last);
  if
  :: ADMISSIBLE(r, v) ->
     if :: NUMBER(v) > NUMBER(view[r]) -> enter_view(r, v) :: else fi;
     l_ = (l); n_ = (last);
     if
     :: SAME_BASE(log[r], b_) ->
        take_delta(r, v, b_, e_, n_);
        maybe_ack(r, v);
        take_commit(r, c, e_)
     :: else ->
        not_damaged(b_ > commit[r]);                          /* RULE 14: at or below the commit point a mismatch is damage */
        not_damaged(!(whole[r] && b_ < proved[r]));           /* and within one view */
        if
        :: state -> /* take_state, replica_staged */
           if
           :: STATE_IS_OLD(r, b_) || adopting[r] > 0 -> need_base(r, v)
           :: else ->
              staged[r] = l_ + 1;
              if :: e_ == n_ -> replace(r, c, n_); maybe_ack(r, v) :: else fi
           fi
        :: else ->
           if
           :: staged[r] > 0 && adopting[r] == 0 && SAME_BASE(staged[r] - 1, b_) -> /* extend_staged */
              k_ = b_;
              do
              :: k_ < e_ && k_ < LENGTH((staged[r] - 1)) && ENTRY((staged[r] - 1), k_ + 1) == ENTRY(l_, k_ + 1) -> k_++
              :: else -> break
              od;
              if :: k_ < e_ -> staged[r] = (PREFIX((staged[r] - 1), k_) | (l_ & ~((1 << (5 * k_)) - 1))) + 1 :: else fi;
              if
              :: LENGTH((staged[r] - 1)) == n_ && n_ >= commit[r] -> replace(r, c, n_); maybe_ack(r, v)
              :: else
              fi
           :: else -> need_base(r, v)
           fi
        fi
     fi
  :: else
  fi
}
#define RECEIVED(v) :: d_step { push_log[SLOT(id, v)] > 0 -> receive(id, v, push_log[SLOT(id, v)] - 1, push_commit[SLOT(id, v)], \
  push_base[SLOT(id, v)], push_last[SLOT(id, v)], push_state[SLOT(id, v)]); \
  push_log[SLOT(id, v)] = 0; push_commit[SLOT(id, v)] = 0; push_zero(id, v) }
#define RECEIVED_LATE :: d_step { late_log[id] > 0 -> receive(id, late_view[id], late_log[id] - 1, late_commit[id], late_base[id], \
  late_last[id], late_state[id]); late_log[id] = 0; late_view[id] = 0; late_commit[id] = 0; late_zero(id) }
#endif

/* --- the primary's half ---------------------------------------------------------------------------------------------- */

#ifdef R08_IDLE_COMMIT_KEPT
#define COMMIT_IS_NEWS(r) false
#else
#define COMMIT_IS_NEWS(r) (sent_commit[OF(id, r)] < commit[id]) /* RULE 8: announced when no push is about to carry it */
#endif
#define MAY_PUSH(r) (r != id && role[id] != FOLLOWS && push_log[SLOT(r, view[id])] == 0 && \
  (view[r] == view[id] || NUMBER(view[r]) < NUMBER(view[id])))
#ifdef BASES
/* send_push.c push_to, fresh: in a new view the base may be all there is, and still it must be proved equal. */
#define UNPROVED(r) (acked[OF(id, r)] == 0 && ack[SLOT(r, view[id])] == 0)
#else
#define UNPROVED(r) false    /* without bases a new view begins with a push of everything */
#endif
#define HAS_NEWS(r) (sent[OF(id, r)] < LENGTH(log[id]) + 1 || UNPROVED(r) || COMMIT_IS_NEWS(r))
#ifndef BASES
/* send_push.c push_to */
#define SEND(r) :: d_step { MAY_PUSH(r) && HAS_NEWS(r) -> \
  push_log[SLOT(r, view[id])] = log[id] + 1; push_commit[SLOT(r, view[id])] = commit[id]; \
  sent[OF(id, r)] = LENGTH(log[id]) + 1; sent_commit[OF(id, r)] = commit[id] }
#else
/* send_push.c push_to, send; the base of a new connection is what the hello said is applied: connections.c replica_peer_up. The
 * second is send_state: to one that is new, and now and then to anybody (too far behind, or --push=full). */
#define PUT(r) \
  push_base[SLOT(r, view[id])] = b_; push_last[SLOT(r, view[id])] = LENGTH(log[id]); \
  e_ = LOWER(b_ + PUSH_MOST, LENGTH(log[id])); \
  push_log[SLOT(r, view[id])] = PREFIX(log[id], e_) + 1; push_commit[SLOT(r, view[id])] = commit[id]; \
  sent[OF(id, r)] = e_ + 1; sent_commit[OF(id, r)] = commit[id]
#define SEND(r) :: d_step { MAY_PUSH(r) && HAS_NEWS(r) && (view[r] != 0 || sent[OF(id, r)] > 0) && \
  GENERATION(view[r]) == GENERATION(view[id]) -> \
  if \
  :: sent[OF(id, r)] > 0 -> b_ = sent[OF(id, r)] - 1 \
  :: else -> b_ = commit[r]; \
     not_damaged(b_ <= LENGTH(log[id]) && PREFIX(log[r], b_) == PREFIX(log[id], b_)); /* replica_peer_base: RULE 3 */ \
     b_ = LOWER(b_, LENGTH(log[id])) \
  fi; \
  PUT(r) } \
  :: d_step { MAY_PUSH(r) && sent[OF(id, r)] == 0 -> b_ = commit[id]; push_state[SLOT(r, view[id])] = 1; \
  e_ = b_; push_base[SLOT(r, view[id])] = b_; push_last[SLOT(r, view[id])] = LENGTH(log[id]); \
  push_log[SLOT(r, view[id])] = PREFIX(log[id], e_) + 1; push_commit[SLOT(r, view[id])] = commit[id]; \
  sent[OF(id, r)] = e_ + 1; sent_commit[OF(id, r)] = commit[id] }
#endif

/* send_push.c replica_recv_ack, take_proof: RULE 4, of this view and this uuid. */
#define ACKED(r) :: d_step { r != id && role[id] != FOLLOWS && ack[SLOT(r, view[id])] > 0 -> \
  acked[OF(id, r)] = HIGHER(acked[OF(id, r)], ack[SLOT(r, view[id])]); ack[SLOT(r, view[id])] = 0; advance(id) }
#define ACKED_OLD(r, v) :: d_step { r != id && role[id] != FOLLOWS && primary_of[v] == id && \
  NUMBER(view[id]) > NUMBER(v) && ack[SLOT(r, v)] > 0 -> \
  acked[OF(id, r)] = HIGHER(acked[OF(id, r)], LOWER(ack[SLOT(r, v)], LENGTH(log[id]) + 1)); ack[SLOT(r, v)] = 0; advance(id) }
