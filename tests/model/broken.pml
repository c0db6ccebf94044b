/* What draw.pml must not survive, one at a time: -DBROKEN_NO_TIMEOUT and so on. check.py knows which property each of
 * them has to break. A limit is not broken: it drops an assumption of the rule, and shows what that costs. */
#if defined(BROKEN_NO_TIMEOUT) /* a pause waits as long as it takes */
#undef TIMEOUT
#define TIMEOUT(boundary) 255
#elif defined(BROKEN_TIMEOUT_LATE) /* timeout_height = E + W + 1 */
#undef TIMEOUT
#define TIMEOUT(boundary) ((boundary) + W + 1)
#elif defined(BROKEN_GONE_IGNORED) /* members with a pause in block E are taken as live */
#undef gone
#define gone(i, view) false
#elif defined(BROKEN_SET_OF_E) /* V(E) for V(E + 1) */
#undef MEMBER
#define MEMBER IN_2
#elif defined(BROKEN_RESULTS_OF_E) /* whoever knows that a pause in block E failed takes its sender as live */
#undef gone
#define gone(i, view) (has(i, GONE) && (view == 0 || !has(i, IN)))
#elif defined(BROKEN_BUDGET) /* one more than the rule has */
#undef budget_of
#define budget_of(l) (room_of(l) - x + 1)
#elif defined(BROKEN_FOREIGN_IGNORED) /* x = 0 */
#undef budget_of
#define budget_of(l) room_of(l)
#elif defined(BROKEN_NO_THIRDS) /* no second term */
#undef by_thirds
#define by_thirds(l) N
#elif defined(BROKEN_RATCHET) /* the reference is the set of today */
#undef REFERENCE
#define REFERENCE n
#elif defined(BROKEN_RESERVE_IGNORED) /* the budget keeps no reserve */
#undef room_of
#define room_of(l) ((l) - FLOOR_OF(REFERENCE))
#elif defined(BROKEN_NOT_USED_UP) /* a join keeps on after its permit */
#undef uses_up
#define uses_up(i) false
#elif defined(BROKEN_USED_UP_UNSERVED) /* a draw uses up the joins of all candidates */
#undef uses_up
#define uses_up(i) (has(i, PERMIT) || candidate(i, 0))
#elif defined(BROKEN_NOT_SPENT) /* after a restart the permit counts, whatever has happened since the boundary */
#undef SPENT_BY_PAUSE
#define SPENT_BY_PAUSE 0
#elif defined(LIMIT_COPIES) /* a restarted agent sends with the next sequence number, so both copies can happen */
#undef IS_COPY
#define IS_COPY (flight[i] == permit[i])
#elif defined(LIMIT_UNSEEN_LOSSES) /* those lost before the first boundary, which does not see it yet, do not count */
#undef LOST_BEFORE
#define LOST_BEFORE (h == W -> 0 : lost)
#elif defined(LIMIT_LOWER_FLOOR) /* the other charter has a floor that is one lower */
#undef their_room_of
#define their_room_of(l) (room_of(l) + 1)
#endif
