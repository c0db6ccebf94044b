/* A chain process of the devnet, as a process of its own, and nodes that are sockets of the test's.
 *
 *     struct fake_world w;
 *     fake_world_start(&w, &(struct fake_config){.count = 4, .block_ms = 50, ...});
 *     fake_chain_start(&w);
 *     for each node: fake_node_start(&w, i);
 *     assert_true(fake_reach(&w, 5, 3000));       blocks until 5, within three seconds
 *     fake_verify(&w);                            every record, with proto/header.h
 *     fake_world_end(&w);
 *
 * The nodes sign what they are asked to. That nobody is ever asked for two blocks at one height and round is
 * asserted with every question, for as long as the world exists.
 */
#ifndef STAGGER_TESTS_DEVNET_FAKE_H
#define STAGGER_TESTS_DEVNET_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "sim/devnet_block.h"
#include "sim/devnet_wire.h"
#include "sim/store.h"

#define FAKE_NODES_MAX 64
#define FAKE_HEIGHTS 4096

struct fake_config {
    uint32_t count;
    int64_t block_ms, empty_ms, propose_ms;
};

enum fake_trick { HONEST, TWICE, FORGED, OLD, OTHER_ROUND, OTHER_HEIGHT };

struct fake_node {
    zsock_t *socket; /* NULL: it does not run */
    bool mute;       /* hears, and signs nothing */
    bool unready;
    enum fake_trick trick; /* what is wrong with its votes */
    int64_t late_ms;       /* its votes go out so much later, but before the next */
    int64_t clock_ms;      /* how much its clock is before the others' */
    int64_t hello_ms, vote_ms;
    struct devnet_frame vote; /* to be sent at vote_ms */
    uint64_t serial;
    uint64_t answers;
    struct devnet_tx_answer answer; /* the last */
};

struct fake_world {
    struct fake_config config;
    char directory[64], endpoint[128], tool[512];
    struct app_genesis genesis;
    struct app_validator validators[FAKE_NODES_MAX];
    uint8_t seeds[FAKE_NODES_MAX][ED25519_KEY_SIZE];
    struct fake_node nodes[FAKE_NODES_MAX];
    uint64_t sequences[FAKE_NODES_MAX]; /* of the transactions that fake_tx() makes */
    int64_t upgrade_time; /* of FAKE_UPGRADE, a hard one; FAKE_YES is for proposal 1 */
    pid_t chain;          /* 0: it does not run */
    int64_t height;       /* the highest that a node has heard of */
    uint8_t ids[FAKE_HEIGHTS][HASH_SIZE]; /* of what it then read in the log */
    bool failed;
    struct devnet_failed failure;
    struct devnet_propose *asked; /* every question once */
    uint32_t asked_count;
};

/* The genesis that the test and the chain process agree on. */
void fake_genesis(const struct fake_config *config, struct app_genesis *genesis,
                  struct app_validator *validators, uint8_t (*seeds)[ED25519_KEY_SIZE]);

void fake_world_start(struct fake_world *w, const char *tool, const struct fake_config *config);
void fake_world_end(struct fake_world *w);

void fake_chain_start(struct fake_world *w);
void fake_chain_kill(struct fake_world *w); /* SIGKILL */
int fake_chain_stop(struct fake_world *w);  /* SIGTERM; its exit status */
int fake_chain_wait(struct fake_world *w,
                    int64_t ms); /* until it ends by itself; -1: it does not */
bool fake_log_has(const struct fake_world *w, const char *words);

void fake_node_start(struct fake_world *w, uint32_t node);
void fake_node_kill(struct fake_world *w, uint32_t node);
void fake_nodes_start(struct fake_world *w, uint32_t count);

int64_t fake_now_ms(void);
void fake_run(struct fake_world *w, int64_t ms);
bool fake_reach(struct fake_world *w, int64_t height, int64_t ms);

/* Through a node; returns the answer's verdict. */
enum devnet_verdict fake_send(struct fake_world *w, uint32_t node, const uint8_t *bytes,
                              size_t size);

enum fake_act { FAKE_JOIN, FAKE_PAUSE, FAKE_UNPAUSE, FAKE_UPGRADE, FAKE_YES };
/* A transaction of a validator's account with its next sequence; free() */
uint8_t *fake_tx(struct fake_world *w, uint32_t validator, enum fake_act act, size_t *size);
enum devnet_verdict fake_do(struct fake_world *w, uint32_t validator, enum fake_act act);

/* Every record of the log; returns its head. That no block that a node has heard of was lost or changed is part
 * of it. */
int64_t fake_verify(struct fake_world *w);
struct stored_block fake_block(const struct fake_world *w,
                               int64_t height); /* stored_block_clear() */

#endif
