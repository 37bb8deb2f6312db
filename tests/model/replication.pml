/* Just Hungry's replication protocol: rules 1 to 12, 18 and 20 of docs/replication.md and what a push carries, for spin. What
 * is modelled, what is not, and how to run it: README.md. */
#include "shape.pml"
#include "promises.pml"
#include "push.pml"
#include "replica.pml"
#include "manager.pml"

#ifdef PROGRESS
/* At any time the faults stop. When nothing is left to do, every order must be answered, and every member be level. */
proctype Calm() {
  quiet = 1;
  timeout ->
  d_step {
    if
    :: NUMBER(made[0]) >= VIEWS -> skip        /* the bound on numbers, not the protocol, may be what stops it */
    :: (members_of[made[0]] & (NAME(0) | NAME(1) THIRD(| NAME(2)))) == 0 -> skip /* all wiped: rule 3 waits for the operator */
    :: else ->
       assert(answered == (WRITES == 1 -> 2 : (WRITES == 2 -> 6 : 14)));
       for (i_ : 0 .. REPLICAS - 1) {
         if
         :: members_of[made[0]] & NAME(i_) -> assert(commit[i_] == LENGTH(history[now])); assert(view[i_] == made[0])
         :: else
         fi
       }
    fi;
    i_ = 0
  }
}
#endif

init {
  d_step {
    primary_of[1] = 0; members_of[1] = FIRST_MEMBERS; spoken = 2; serving = 2; named[1] = 2;
    for (i_ : 0 .. REPLICAS - 1) {
      bound[i_] = UNBOUND;
      if
      :: FIRST_MEMBERS & (1 << i_) -> view[i_] = 1; proved[i_] = 1; whole[i_] = 1; bound[i_] = 0
      :: else
      fi
    };
    role[0] = SERVES; proved[0] = 0; whole[0] = 0;
    made[0] = 1; floor_known[0] = 1;
#ifdef BOTH_TAKE_OVER
    made[0] = 0; floor_known[0] = 0;
    for (i_ : 0 .. REPLICAS - 1) { if :: bound[i_] == 0 -> bound[i_] = DEAD_MANAGER :: else fi };
#endif
#ifdef DEPOSED_FIRST
    made[0] = 2; primary_of[2] = 1; members_of[2] = 2; named[2] = 3; view[1] = 2; role[1] = SERVES; proved[1] = 0; whole[1] = 0;
    spoken = 6; serving = 6;
#endif
#ifdef R02_REPLICA_VIEW_NOT_DURABLE
    for (i_ : 0 .. REPLICAS - 1) { view_disk[i_] = view[i_] };
#endif
#ifdef R20_BINDING_NOT_DURABLE
    for (i_ : 0 .. REPLICAS - 1) { bound_disk[i_] = bound[i_] };
#endif
    i_ = 0
  }
  atomic {
    run Replica(0); run Replica(1);
#if REPLICAS == 3
    run Replica(2);
#endif
    run FrontEnd(0);
#if FRONTENDS > 1
    run FrontEnd(1);
#endif
#ifdef PROGRESS
    run Calm()
#endif
  }
}
