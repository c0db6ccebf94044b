/* What the files of the chain process share. Nobody else includes this.
 *
 *     devnet_chain.c         process: sockets, signals, the timer, frames of nodes
 *     devnet_chain_round.c   heights and rounds: when to propose what to whom, and when it is a block
 *     devnet_chain_peers.c   who is there
 */
#ifndef STAGGER_SIM_DEVNET_CHAIN_INTERNAL_H
#define STAGGER_SIM_DEVNET_CHAIN_INTERNAL_H

#include "sim/devnet_chain.h"
#include "sim/devnet_chain_pool.h"
#include "sim/devnet_chain_state.h"

#define CHAIN_NEVER INT64_MAX

/* --- who is there --- */

struct chain_peer {
    struct devnet_peer peer; /* size 0: none */
    int64_t heard_ms;
    bool ready, asked; /* asked: for its vote on the block that is proposed now */
};

struct chain_peers {
    struct chain_peer *list; /* by validator */
    uint32_t count;
};

void chain_peers_begin(struct chain_peers *peers, uint32_t count);
void chain_peers_clear(struct chain_peers *peers);
uint32_t chain_peers_find(const struct chain_peers *peers, const struct devnet_peer *peer);
/* Whoever spoke for this node before has lost its place; returns whether that is so. */
bool chain_peers_hello(struct chain_peers *peers, const struct devnet_peer *peer,
                       const struct devnet_hello *hello, int64_t now_ms);
bool chain_peers_present(const struct chain_peers *peers, uint32_t validator, int64_t now_ms);

/* --- the process --- */

enum chain_stage { STAGE_REST, STAGE_PROPOSER, STAGE_VOTES, STAGE_END };

struct chain_process {
    const struct devnet_chain_config *config;
    zloop_t *loop;
    zsock_t *socket;
    int timer, signals; /* descriptors */
    struct chain_state state;
    struct chain_pool *pool;
    struct chain_peers peers;
    enum chain_stage stage;
    int32_t first_round; /* of this height: 0, or behind the mark's */
    int32_t round;
    int64_t round_due_ms;              /* 0: the round's time does not run */
    int64_t proposed_ms, committed_ms; /* of the last block, on the monotonic clock */
    struct chain_block block;          /* proposed, in STAGE_VOTES */
    struct chain_votes votes;
    int64_t lines_second; /* for chain_say_some() */
    uint32_t lines;
    int status; /* -1: goes on */
};

int64_t chain_now_ms(void); /* monotonic */

/* A line in the log. The second kind is for what others can cause: no more than some in a second. */
__attribute__((format(printf, 1, 2))) void chain_say(const char *format, ...);
__attribute__((format(printf, 2, 3))) void chain_say_some(struct chain_process *process,
                                                          const char *format, ...);

/* Sends; a node that is gone loses its place. */
bool chain_tell(struct chain_process *process, uint32_t validator,
                const struct devnet_frame *frame);
void chain_tell_all(struct chain_process *process, const struct devnet_frame *frame);
void chain_tell_failed(struct chain_process *process, uint32_t validator);

/* --- rounds --- */

/* Does all that is due; returns when it wants to be called again, on the monotonic clock. Call it also after
 * every frame. */
int64_t chain_step(struct chain_process *process);

/* A node is there: asks it for its vote if there is something to vote on. */
void chain_poll(struct chain_process *process, uint32_t validator);
void chain_vote(struct chain_process *process, uint32_t validator, const struct devnet_vote *vote);

#endif
