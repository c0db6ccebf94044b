/* Joins, draw and timeouts of coord/PROTOCOL.md, section by section and with small numbers: five validators of equal
 * power, three epochs of three blocks, a round that ends among them. Every choice (`if`, `do`) is one that the network,
 * a crash or a slow agent could make; spin tries them all. check.py runs it, README.md says what stands for what.
 *
 * Between block h - 1 and block h every agent may crash, read the last boundary and send its pause; block h then takes
 * in what waits, or not. Validators are alike, so after a block they are sorted: that is all that `sort` is for. */
#define N 5 /* validators, all in V(h0), so N is the reference too */
#define W 3 /* epoch_blocks; k is as long */
#ifndef L
#define L 6 /* round_blocks */
#endif
#define LAST (3 * W) /* the third boundary */
#ifndef PHI
#define PHI(n) ((n) / 2) /* floor(phi * n): 1/2, so that two of five may be out */
#endif
#ifndef R
#define R 0 /* the reserve, and how many validators may be lost on the way */
#endif

/* Properties. -DONLY=FLOOR checks one alone. */
#define FLOOR 1     /* no permit brings the live members below the floor */
#define THIRDS 2    /* nor to two thirds of the members or less */
#define IN_FLIGHT 3 /* at most one pause of a validator is in flight and can still happen */
#define EPOCH 4     /* a pause of E happens in [E + 1, E + W] or never */
#define ONE_TURN 5  /* a join gives at most one permit */
#define STAYS 6     /* a join without a permit is not used up */
#define SAME 7      /* everybody names the same permits */
#define SPENT 8     /* a permit is good for one pause */
#ifndef ONLY
#define ONLY 0
#endif
#define check(property, holds) assert((ONLY != 0 && ONLY != property) || (holds))

/* What block h - 1 left of every validator. Facts: */
#define IN 1      /* stands in V(h + 1); after block h: in V(h + 2) */
#define IN_1 2    /* in the set before that */
#define IN_2 4    /* and in the one before that */
#define LOST 8    /* went silent after the last boundary: the next draw still sees its signatures */
#define SILENT 16 /* seen to be silent */
#define GONE 32   /* a pause of its own stands in this block, whatever the result */
#define JOINED 64 /* its latest join is of this round and not followed by a happened pause */
#define USED 128  /* that join is used up, as the rule has it */
#define HAD 256   /* that join has had a permit, as it was */
#define PERMIT 512   /* holds a permit of the last boundary, not yet spent */
#define PAUSED 1024  /* has paused since the last boundary */
#define FOREIGN 2048 /* plays by another charter, with the same boundaries */
#define DUE 4096     /* its own charter may let it pause in this epoch */
#define WAITING 8192 /* scratch: not yet ranked in this draw */
/* and what its agent has in mind: */
#define SENT 16384 /* it has sent the pause of its ticket: this is what a crash forgets */

int v[N];
byte ticket[N]; /* the boundary whose permit the agent acts on; 0: none. The agent may be late. */
byte flight[N]; /* the boundary of its pause in flight; 0: none */
byte copies[N]; /* how many more of the same boundary it has sent after a crash (LIMIT_COPIES) */
byte h = 1;     /* the block that is being made */
byte lost;
hidden int i2, j2, t2; /* scratch, no part of a state */

#define has(i, flags) (v[i] & (flags))
#define set(i, flags) v[i] = v[i] | (flags)
#define clear(i, flags) v[i] = v[i] & ~(flags)
#define BOUNDARY ((h - 1) / W * W) /* the last one before block h */
