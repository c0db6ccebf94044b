/* Joins, draw and timeouts of coord/PROTOCOL.md with small numbers: five validators of equal power, three epochs of
 * three blocks, a round that ends among them. Every choice (`if`, `do`, `select`) is one that the network, a crash, a
 * slow agent or the hash could make; spin tries them all. check.py runs it; README.md says which sentence is where.
 *
 * Before block h every agent may crash, read the last boundary and send its pause; block h takes in what waits, or
 * not. A join may stand in any block. Validators are alike: after each block they are sorted, which saves states. */
#ifndef N
#define N 5 /* validators; all stand in V(h0), which the reference remembers to the end */
#endif
#define W 3 /* epoch_blocks, and k */
#ifndef L
#define L 6 /* round_blocks */
#endif
#define LAST 9 /* the last boundary that is drawn */
#ifndef PHI_NUM
#define PHI_NUM 1 /* phi = 1/2, so that two of five may be out */
#define PHI_DEN 2
#endif
#ifndef R
#define R 0 /* reserve. With it as many may be lost on the way, without it one may be silent from the start */
#endif
#define BOUNDARY ((h - 1) / W * W) /* the last one before block h */

/* The rule, and what each broken variant makes of it. */
#define TIMEOUT(boundary) ((boundary) + W)
#define MEMBER IN_1                                /* V(E + 1) */
#define gone(i, view) has(i, GONE)                 /* view 1 knows the results of block E, view 0 does not */
#define REFERENCE N
#define F (REFERENCE * PHI_NUM / PHI_DEN + 1)
#define by_thirds(l) (n - 3 * (n - (l) + R) - 1)
#define room_of(l) min((l) - F - R, by_thirds(l))
#define budget_of(l) (room_of(l) - x)
#define uses_up(i) has(i, PERMIT)
#define SPENT_BY_PAUSE PERMIT
#ifdef BROKEN_NO_TIMEOUT
#undef TIMEOUT
#define TIMEOUT(boundary) 255
#elif defined(BROKEN_TIMEOUT_LATE)
#undef TIMEOUT
#define TIMEOUT(boundary) ((boundary) + W + 1)
#elif defined(BROKEN_GONE_IGNORED)
#undef gone
#define gone(i, view) false
#elif defined(BROKEN_SET_OF_E)
#undef MEMBER
#define MEMBER IN_2
#elif defined(BROKEN_RESULTS_OF_E)
#undef gone
#define gone(i, view) (has(i, GONE) && (view == 0 || !has(i, IN)))
#elif defined(BROKEN_BUDGET)
#undef budget_of
#define budget_of(l) (room_of(l) - x + 1)
#elif defined(BROKEN_FOREIGN_IGNORED)
#undef budget_of
#define budget_of(l) room_of(l)
#elif defined(BROKEN_NO_THIRDS)
#undef by_thirds
#define by_thirds(l) N
#elif defined(BROKEN_RATCHET)
#undef REFERENCE
#define REFERENCE n
#elif defined(BROKEN_NOT_USED_UP)
#undef uses_up
#define uses_up(i) false
#elif defined(BROKEN_USED_UP_UNSERVED)
#undef uses_up
#define uses_up(i) (has(i, PERMIT) || candidate(i, 0))
#elif defined(BROKEN_NOT_SPENT)
#undef SPENT_BY_PAUSE
#define SPENT_BY_PAUSE 0
#endif

/* Properties; -DONLY=FLOOR checks one alone. */
#define FLOOR 1     /* permits never bring the live members below the floor */
#define THIRDS 2    /* nor to two thirds of the members or less */
#define IN_FLIGHT 3 /* of the pauses of a validator in flight those of one boundary at most can still happen */
#define EPOCH 4     /* a pause by a permit of E happens in [E + 1, E + W] or never */
#define ONE_TURN 5  /* a join gives at most one permit */
#define STAYS 6     /* a join that had no permit is not used up */
#define SAME 7      /* whoever has the blocks names the same permits */
#define ONE_PAUSE 8 /* a permit is good for one pause */
#ifndef ONLY
#define ONLY 0
#endif
#define check(property, holds) assert((ONLY != 0 && ONLY != property) || (holds))

/* What is true of a validator: */
#define IN 1         /* stands in V(h + 2), seen from behind block h */
#define IN_1 2       /* in V(h + 1) */
#define IN_2 4       /* in V(h) */
#define LOST 8       /* silent since the last boundary: the next draw still sees its signatures */
#define SILENT 16    /* silent for k blocks or more */
#define GONE 32      /* block h has a pause of its own, whatever the result */
#define JOINED 64    /* its latest join is of this round and not followed by a happened pause */
#define USED 128     /* that join is used up: what the rule says */
#define SERVED 256   /* that join has had a permit: what happened */
#define PERMIT 512   /* it holds a permit of the last boundary and has not spent it */
#define PAUSED 1024  /* it has paused since the last boundary */
#define FOREIGN 2048 /* it plays by another charter, with the same floor and boundaries of its own */
#define DUE 4096     /* and has a permit by that one */
#define WAITING 8192 /* while a draw goes on: it has no rank yet */
#define SENT 16384   /* its agent knows that it sent the pause of its ticket; a crash makes it forget */
#define COPY 32768   /* a pause in flight twice (LIMIT_COPIES) */
int v[N];
byte ticket[N]; /* the boundary whose permit its agent acts on, which may be an old one; 0: none */
byte flight[N]; /* the boundary of its pause in flight; 0: none */
byte h, lost, waiting;
short n, x, l0, l1, budget0, budget1; /* of a draw; l and B as views 0 and 1 have them */
hidden int swap;

#define has(i, flags) ((v[i] & (flags)) != 0)
#define set(i, flags) v[i] = v[i] | (flags)
#define clear(i, flags) v[i] = v[i] & ~(flags)
#define min(a, b) ((a) < (b) -> (a) : (b))
#define up(i) (!has(i, LOST | SILENT))
#define live(i, view) (has(i, MEMBER) && !has(i, SILENT) && !gone(i, view))
#define candidate(i, view) (live(i, view) && has(i, JOINED) && !has(i, USED | FOREIGN))

inline agent(i) {
    if
    :: has(i, SENT) -> clear(i, SENT) /* a crash */
    :: true
    fi;
    if
    :: ticket[i] != 0 && !has(i, SENT) && up(i) && (has(i, PERMIT) || ticket[i] < BOUNDARY) -> d_step {
        check(IN_FLIGHT, flight[i] == 0 || flight[i] == ticket[i]);
#ifdef LIMIT_COPIES
        if :: flight[i] == ticket[i] -> set(i, COPY) :: else fi;
#endif
        set(i, SENT);
        flight[i] = ticket[i]
    }
    :: true
    fi
}

inline land(i) { /* its pause stands in block h; a copy of it may still come */
    set(i, GONE);
    if :: has(i, COPY) -> clear(i, COPY) :: else -> flight[i] = 0 fi
}

inline inclusion(i) {
    if
    :: flight[i] != 0 && has(i, IN) -> d_step { /* with code 0 */
        check(EPOCH, flight[i] < h && h <= flight[i] + W);
        check(ONE_PAUSE, !has(i, PAUSED));
        clear(i, IN | JOINED | USED | SERVED | SPENT_BY_PAUSE);
        set(i, PAUSED);
        land(i)
    }
    :: flight[i] != 0 -> d_step { land(i) } /* with another code */
    :: has(i, DUE) && has(i, IN) -> d_step { clear(i, IN | JOINED | DUE); land(i) }
    :: !has(i, IN) && up(i) -> set(i, IN) /* unpause */
    :: lost < R && up(i) -> d_step { lost++; set(i, LOST) }
    :: true
    fi
}

inline draw() { /* section 2, at block h = E. Joins up to E - 1 count: those of block E come afterwards. */
    d_step {
        for (i : 0 .. N - 1) {
            clear(i, PERMIT | PAUSED);
            n = n + has(i, MEMBER);
            l0 = l0 + live(i, 0); l1 = l1 + live(i, 1);
            x = x + (has(i, MEMBER) && has(i, FOREIGN) && has(i, JOINED | GONE));
            if :: candidate(i, 0) || candidate(i, 1) -> set(i, WAITING); waiting++ :: else fi;
            check(STAYS, !has(i, USED) || has(i, SERVED))
        }
        budget0 = budget_of(l0); budget1 = budget_of(l1)
    }
    do
    :: waiting > 0 && (budget0 > 0 || budget1 > 0) -> /* the next in line, for everybody */
        select(i : 0 .. N - 1);
        if
        :: has(i, WAITING) ->
            check(SAME, (budget0 > 0 && candidate(i, 0)) == (budget1 > 0 && candidate(i, 1)));
            waiting--; clear(i, WAITING);
            budget0 = budget0 - candidate(i, 0); budget1 = budget1 - candidate(i, 1);
            check(ONE_TURN, !has(i, SERVED));
            set(i, PERMIT | SERVED); ticket[i] = h; clear(i, SENT)
        :: else
        fi
    :: else -> break
    od;
    skip; /* a d_step cannot be where a loop ends */
    d_step {
        for (i : 0 .. N - 1) {
            if :: uses_up(i) -> set(i, USED) :: else fi;
            if :: has(i, LOST) -> set(i, SILENT) :: else fi;
            clear(i, WAITING | LOST)
        }
        waiting = 0; n = 0; x = 0; l0 = 0; l1 = 0; budget0 = 0; budget1 = 0
    }
}

inline foreign_draw() { /* by the other charter, every join of ours is a foreign one; it may draw at any block */
    d_step {
        for (i : 0 .. N - 1) {
            n = n + has(i, IN_1);
            l0 = l0 + (has(i, IN_1) && !has(i, SILENT | GONE));
            x = x + (has(i, IN_1) && !has(i, FOREIGN) && has(i, JOINED | PERMIT | GONE))
        }
        for (i : 0 .. N - 1) {
            if
            :: has(i, FOREIGN) && has(i, JOINED) && has(i, IN_1) && !has(i, GONE) && room_of(l0) > x -> set(i, DUE)
            :: else
            fi;
            clear(i, GONE)
        }
        n = 0; l0 = 0; x = 0
    }
}

inline judge() { /* V(h), V(h + 1) and V(h + 2), by who is up now */
    for (i : 0 .. 2) {
        for (j : 0 .. N - 1) {
            n = n + has(j, IN << i);
            l0 = l0 + (has(j, IN << i) && up(j))
        }
        check(FLOOR, l0 >= N * PHI_NUM / PHI_DEN + 1);
        check(THIRDS, 3 * l0 > 2 * n);
        n = 0; l0 = 0
    }
}

#define exchange(a) swap = a[k]; a[k] = a[k - 1]; a[k - 1] = swap
#define key(i) ((v[i] * 16 + ticket[i]) * 16 + flight[i])

inline sort(last) { /* of 0 to last */
    for (j : 0 .. last) {
        for (k : 1 .. last) {
            if :: key(k - 1) > key(k) -> exchange(v); exchange(ticket); exchange(flight) :: else fi
        }
    }
}

active proctype chain() {
    byte i, j, k;
    d_step { for (i : 0 .. N - 1) { set(i, IN | IN_1 | IN_2) } set(0, FOREIGN) }
    if :: R == 0 -> set(1, SILENT) :: true fi;
    do
    :: h == LAST + W -> break
    :: else ->
        h++;
        for (i : 0 .. N - 1) {
            d_step {
                v[i] = (v[i] & ~(IN_1 | IN_2)) | (v[i] & (IN | IN_1)) << 1;
                if :: TIMEOUT(flight[i]) < h -> flight[i] = 0; clear(i, COPY) :: else fi;
                if :: TIMEOUT(ticket[i]) < h -> ticket[i] = 0; clear(i, SENT) :: else fi
            }
            agent(i);
            inclusion(i);
            d_step { sort(i); j = 0; k = 0 }
        }
        if :: h % W == 0 && h <= LAST -> draw() :: else fi;
        skip;
        foreign_draw();
#ifdef LIMIT_UNSEEN_LOSSES
        if :: h % W == 0 -> lost = 0 :: else fi;
#endif
        for (i : 0 .. N - 1) {
            if :: h % L == 0 && !has(i, FOREIGN) -> clear(i, JOINED | USED | SERVED) :: else fi;
            if :: h < LAST -> set(i, JOINED); clear(i, USED | SERVED) :: true fi;
            d_step { sort(i); j = 0; k = 0 }
        }
        skip;
        d_step {
            judge();
            for (i : 0 .. N - 1) { clear(i, IN_2) }
            i = 0; j = 0 
        }
    od
}
