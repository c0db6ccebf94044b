/* The judge of a network that ran: what its own blocks say, whatever agents and operators say of themselves.
 *
 *     block log --> judge_block(h0), judge_block(h0 + 1), ... --> view (coord/): sets, live, floor, permits
 *                        |                                             |
 *                        +-- judge_begin(): from here on it counts     +--> violations, points and bars for the page
 *
 * It judges by the draw's own rule, recomputed from the blocks with the charter that the network shares:
 *
 *     floor             no block leaves fewer live members than the floor of the draw that is in force
 *     no-missed-block   every member of every set signed its block
 *     pause-by-permit   every pause that happened belongs to a permit of the boundary before it, and uses it alone
 *
 * A block is judged when the block behind it is known, which holds its commit. Before judge_begin() blocks are only
 * taken in: a network that is starting has members without a node.
 *
 * A validator has had its turn (`back`) when it paused, and stands in the set again and has signed since. "Left paused"
 * is who stands outside of the set that signs next.
 */
#ifndef STAGGER_SIM_DEMO_JUDGE_H
#define STAGGER_SIM_DEMO_JUDGE_H

#include "sim/app.h"
#include "sim/report.h"
#include "sim/store.h"

struct judge;

/* The genesis is borrowed; the charter is sealed; block_ms: the chain's usual time between blocks. NULL when memory is
 * short. */
struct judge *judge_create(const struct app_genesis *genesis, const struct charter *charter,
                           int64_t block_ms);
void judge_destroy(struct judge **judge);

/* The next block of the chain. */
void judge_block(struct judge *judge, const struct stored_block *block);

/* From the next block on everything counts. */
void judge_begin(struct judge *judge);
bool judge_begun(const struct judge *judge);

/* --- as of the latest block --- */

const struct view *judge_view(
    const struct judge *judge);                   /* validators are numbered as in the genesis */
int64_t judge_head(const struct judge *judge);    /* 0: no block yet */
int64_t judge_time_ms(const struct judge *judge); /* its header's time */
uint32_t judge_live(const struct judge *judge);
uint32_t judge_floor(const struct judge *judge); /* of the latest draw; 0: none yet */
bool judge_all_live(const struct judge *judge);  /* everybody is in the set and signs */

struct judge_turn { /* of one validator */
    uint32_t pauses;
    struct height paused;        /* its pause stands here; HEIGHT_NONE */
    struct height left, entered; /* first sets without it, and with it again */
    bool waiting, permit, out,
        back;      /* has a join that counts; holds a permit now; stands in no set; is done */
    uint32_t rank; /* among the candidates of the latest draw; UINT32_MAX: none */
};
struct judge_turn judge_turn(const struct judge *judge, uint32_t validator);
uint32_t judge_back(const struct judge *judge); /* how many are done */

/* --- for the summary and the page --- */

/* Fills what the blocks say; strategy, seed, wall_s and what has to do with messages stay as they are. */
void judge_result(const struct judge *judge, struct result *result);

const struct report_point *judge_points(const struct judge *judge, uint32_t *count);

/* Times out of the set; *bars is owned by the caller (free). */
uint32_t judge_bars(const struct judge *judge, struct report_bar **bars);

#endif
