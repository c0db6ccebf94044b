/* Joins, draw and timeouts of coord/PROTOCOL.md with small numbers: seven validators of equal power, three epochs of
 * three blocks, a round that ends among them. Every choice (if, do, select) is one that the network, a crash, a slow
 * agent or the hash could make, and spin tries them all. check.py runs this; README.md says which sentence is where.
 *
 * Before block h every agent may crash and may send its pause; block h takes in what waits, or not; a join may stand
 * in any block. Validators are alike, so they are kept sorted: that saves states and means nothing. */
#ifndef N /* check.py runs other numbers too */
#define N 7 /* validators; all stand in V(h0), which the reference remembers to the end */
#define W 3 /* epoch_blocks, and k */
#define L 6 /* round_blocks */
#define R 0 /* reserve: as many may be lost on the way; without it one may be silent from the start */
#define PHI_NUM 2
#define PHI_DEN 3
#endif
#define LAST (3 * W) /* the last boundary that is drawn */
#define BOUNDARY ((h - 1) / W * W) /* the last one before block h */
#define drawn (h % W == 0 && h <= LAST)

/* The rule. A broken variant has another one of these lines; a limit lets more happen than the rule reckons with. */
#define TIMEOUT(boundary) ((boundary) + W)
#define MEMBER IN_1 /* V(E + 1) */
#define gone(i, view) has(i, GONE) /* view 1 knows the results of block E already, view 0 does not */
#define REFERENCE N
#define FLOOR_OF(n) ((n) * PHI_NUM / PHI_DEN + 1)
#define by_thirds(l) (n - 3 * (n - (l) + R) - 1)
#define room_of(l) min((l) - FLOOR_OF(REFERENCE) - R, by_thirds(l))
#define budget_of(l) (room_of(l) - x)
#define uses_up(i) has(i, PERMIT)
#define SPENT_BY_PAUSE PERMIT
#define IS_COPY false /* a pause sent twice has the same sequence number: it happens once */
#define LOST_BEFORE lost /* those lost before this epoch count against R like those of this epoch */
#define their_room_of(l) room_of(l) /* of the other charter: its floor is ours */
#include "broken.pml"

/* Properties; -DONLY=FLOOR checks one alone. */
#define FLOOR 1     /* permits never bring the live members below the floor */
#define THIRDS 2    /* nor to two thirds of the members or less */
#define IN_FLIGHT 3 /* of a validator's pauses in flight, only those of one boundary can still happen */
#define EPOCH 4     /* a pause by a permit of E happens in [E + 1, E + W] or never */
#define ONE_TURN 5  /* a join gives at most one permit */
#define STAYS 6     /* a join that had no permit is not used up */
#define SAME 7      /* everybody names the same permits */
#define ONE_PAUSE 8 /* a permit is good for one pause */
#ifndef ONLY
#define ONLY 0
#endif
#define check(property, holds) assert((ONLY != 0 && ONLY != property) || (holds))

/* What is true of a validator after block h: */
#define IN 1         /* it stands in V(h + 2) */
#define IN_1 2       /* in V(h + 1) */
#define IN_2 4       /* in V(h) */
#define LOST 8       /* silent since the last boundary: the next draw still sees signatures of it */
#define SILENT 16    /* silent for k blocks or more */
#define GONE 32      /* block h has a pause of its own, whatever the result */
#define JOINED 64    /* its latest join is of this round and not followed by a happened pause */
#define USED 128     /* that join is used up: what the rule says */
#define SERVED 256   /* that join has had a permit: what happened */
#define PERMIT 512   /* it holds a permit of the last boundary and has not spent it */
#define PAUSED 1024  /* it has paused since the last boundary */
#define FOREIGN 2048 /* it plays by another charter, with the same floor and boundaries of its own */
#define DUE 4096     /* and has a permit by that one */
#define WAITING 8192 /* during a draw: it stands in line */
#define SENT 16384   /* its agent remembers that it sent the pause of its permit; a crash makes it forget */
#define COPY 32768   /* its pause is in flight twice */
int v[N];
byte permit[N]; /* the boundary of its latest permit; 0: none. An agent may be late and act on an old one. */
byte flight[N]; /* the boundary of its pause in flight; 0: none */
byte h, lost, waiting;
short n, l0, l1, x, y, budget0, budget1; /* of a draw; l and B in views 0 and 1, x by our charter, y by the other */
hidden int swap;

#define has(i, flags) ((v[i] & (flags)) != 0)
#define set(i, flags) v[i] = v[i] | (flags)
#define clear(i, flags) v[i] = v[i] & ~(flags)
#define min(a, b) ((a) < (b) -> (a) : (b))
#define up(i) (!has(i, LOST | SILENT))
#define live(i, view) (has(i, MEMBER) && !has(i, SILENT) && !gone(i, view))
#define candidate(i, view) (live(i, view) && has(i, JOINED) && !has(i, USED | FOREIGN))

inline next_block(i) { /* what has timed out can no longer happen */
    v[i] = (v[i] & ~(IN_1 | IN_2)) | (v[i] & (IN | IN_1)) << 1;
    if :: TIMEOUT(flight[i]) < h -> flight[i] = 0; clear(i, COPY) :: else fi;
    if :: TIMEOUT(permit[i]) < h -> permit[i] = 0; clear(i, SENT) :: else fi
}

inline agent(i) { /* who read the boundary takes its permit as spent when it has paused since */
    if :: has(i, SENT) -> clear(i, SENT) /* a crash */ :: true fi;
    if
    :: permit[i] != 0 && !has(i, SENT) && up(i) && (has(i, PERMIT) || permit[i] < BOUNDARY) -> d_step {
        check(IN_FLIGHT, flight[i] == 0 || flight[i] == permit[i]);
        if :: IS_COPY -> set(i, COPY) :: else fi;
        set(i, SENT); flight[i] = permit[i] }
    :: true
    fi
}

inline land(i) { set(i, GONE); if :: has(i, COPY) -> clear(i, COPY) :: else -> flight[i] = 0 fi }

inline inclusion(i) {
    if
    :: flight[i] != 0 && has(i, IN) -> d_step { /* a pause with code 0 */
        check(EPOCH, flight[i] < h && h <= flight[i] + W);
        check(ONE_PAUSE, !has(i, PAUSED));
        clear(i, IN | JOINED | USED | SERVED | SPENT_BY_PAUSE); set(i, PAUSED); land(i) }
    :: flight[i] != 0 -> d_step { land(i) } /* with another code */
    :: has(i, DUE) && has(i, IN) -> d_step { clear(i, IN | JOINED | DUE); land(i) }
    :: !has(i, IN) && up(i) -> set(i, IN) /* an unpause */
    :: lost < R && up(i) -> d_step { lost++; set(i, LOST) }
    :: true
    fi
}

inline draw() { /* section 2. The joins of block h come after it. The other charter may draw at any block. */
    d_step {
        for (i : 0 .. N - 1) {
            if :: drawn -> clear(i, PERMIT | PAUSED) :: else fi;
            n = n + has(i, MEMBER); l0 = l0 + live(i, 0); l1 = l1 + live(i, 1);
            x = x + (has(i, MEMBER) && has(i, FOREIGN) && has(i, JOINED | GONE));
            y = y + (has(i, MEMBER) && !has(i, FOREIGN) && has(i, JOINED | PERMIT | GONE));
            if :: drawn && (candidate(i, 0) || candidate(i, 1)) -> set(i, WAITING); waiting++ :: else fi;
            check(STAYS, !has(i, USED) || has(i, SERVED))
        }
        budget0 = budget_of(l0); budget1 = budget_of(l1)
    }
    do
    :: waiting > 0 && (budget0 > 0 || budget1 > 0) -> /* the next in line, for everybody */
        select(i : 0 .. N - 1);
        if
        :: has(i, WAITING) -> d_step {
            check(SAME, (budget0 > 0 && candidate(i, 0)) == (budget1 > 0 && candidate(i, 1)));
            check(ONE_TURN, !has(i, SERVED));
            budget0 = budget0 - candidate(i, 0); budget1 = budget1 - candidate(i, 1);
            waiting--; clear(i, WAITING | SENT); set(i, PERMIT | SERVED); permit[i] = h }
        :: else /* not in line: another choice */
        fi
    :: else -> break
    od;
    skip; /* here and below: no loop may end at a d_step */
    d_step {
        for (i : 0 .. N - 1) {
            if :: drawn && uses_up(i) -> set(i, USED) :: else fi;
            if :: drawn && has(i, LOST) -> set(i, SILENT); clear(i, LOST) :: else fi;
            if :: has(i, FOREIGN) && has(i, JOINED) && live(i, 0) && their_room_of(l0) > y -> set(i, DUE) :: else fi;
            clear(i, WAITING)
        }
        for (i : 0 .. N - 1) { clear(i, GONE) }
        if :: drawn -> lost = LOST_BEFORE :: else fi;
        n = 0; l0 = 0; l1 = 0; x = 0; y = 0; waiting = 0; budget0 = 0; budget1 = 0
    }
}

inline judge() { /* V(h + 2), V(h + 1) and V(h), by who is up now */
    for (i : 0 .. 2) {
        for (j : 0 .. N - 1) { n = n + has(j, IN << i); l0 = l0 + (has(j, IN << i) && up(j)) }
        check(FLOOR, l0 >= FLOOR_OF(N));
        check(THIRDS, 3 * l0 > 2 * n);
        n = 0; l0 = 0
    }
}

#include "sort.pml"

active proctype chain() {
    byte i, j, k;
    d_step { for (i : 0 .. N - 1) { set(i, IN | IN_1 | IN_2) } set(0, FOREIGN) }
    if :: R == 0 -> set(1, SILENT) :: true fi;
    do
    :: h == LAST + W -> break
    :: else ->
        h++;
        for (i : 0 .. N - 1) { d_step { next_block(i) } agent(i); inclusion(i); d_step { sort(i) } }
        skip;
        draw();
        for (i : 0 .. N - 1) { /* the joins of block h; a round that begins with it ends the older ones */
            if :: h % L == 0 && !has(i, FOREIGN) -> clear(i, JOINED | USED | SERVED) :: else fi;
            if :: h < LAST -> set(i, JOINED); clear(i, USED | SERVED) :: true fi;
            d_step { sort(i) }
        }
        skip;
        d_step { judge(); for (i : 0 .. N - 1) { clear(i, IN_2) } i = 0; j = 0 }
    od
}
