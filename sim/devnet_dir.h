/* The directory of a devnet: what lies where, who runs, and what everybody of it has to know.
 *
 *     DIR/                      0700
 *       settings.json           the devnet's own parameters; written last, so DIR is whole when it is there
 *       genesis.json            in the chain's own shape, readable by genesis_read()
 *       devnet.json             for programs: accounts, addresses, URLs, process ids; there while the devnet is up
 *       lock                    the supervisor's
 *       agents/N.conf           settings for `stagger ... --config`
 *       chain/                  blocks.log  lock  log  chain.sock
 *       node/N/                 account.key  priv_validator_key.json  priv_validator_state.json  node_key.json
 *                               lock  log
 *
 * Whether a process runs is never guessed from a process id that somebody wrote down: each process holds its
 * lock file by flock() from before it does anything until it is gone, however it goes, and hands the lock to no
 * child. The lock's text is "PID START\n", START being the kernel's start time of that process, so that the id
 * is known to be the holder's and no later process's.
 *
 * The chain process and the nodes are entered through devnet.c, which opens DIR, takes the lock, and calls
 *
 *     devnet_chain_main(dir)      devnet_node_main(dir, n)
 *
 * What they print on standard output and error lands in their log; the last line of an error ends up in front of
 * the user. A process that finds its port taken returns DEVNET_PORT_TAKEN. SIGTERM ends either cleanly, status 0.
 *
 * The socket of the chain process is DIR/chain/chain.sock, or a short name in $XDG_RUNTIME_DIR or /tmp when that
 * is too long for a Unix socket; settings.json says which. Names may hold blanks and any other byte: build
 * endpoints with "ipc://%s".
 */
#ifndef STAGGER_SIM_DEVNET_DIR_H
#define STAGGER_SIM_DEVNET_DIR_H

#include <limits.h>
#include <sys/types.h>

#include "sim/app.h"

#define DEVNET_PATH_MAX PATH_MAX
#define DEVNET_DIR_MAX 800    /* bytes of DIR: a line of the agents' settings holds a name in it */
#define DEVNET_SOCKET_MAX 100 /* with "ipc://" and what ZeroMQ adds; the kernel takes 108 */
#define DEVNET_NODES_MAX 200
#define DEVNET_NODE_ID_TEXT 41 /* CometBFT's node id: 40 digits, lower case */
#define DEVNET_TEXT_MAX 16
#define DEVNET_PORT_TAKEN 98 /* exit status of a node process; EADDRINUSE */

struct devnet_dir {
    char *path;                 /* absolute */
    struct app_genesis genesis; /* of genesis.json and settings.json; owns its validators */
    uint16_t base_port;         /* node N serves 127.0.0.1:base_port + N */
    int64_t block_time_ms;
    int64_t timeout_propose_ms;
    int64_t
        empty_blocks_ms; /* from a block to the next one without transactions; >= block_time_ms */
    uint64_t min_validators; /* as asked for; on DCL it is the agents' only, the chain has none */
    bool seeded;
    uint64_t seed; /* of the keys, when `seeded` */
    char socket[DEVNET_SOCKET_MAX];
    char (*node_ids)[DEVNET_NODE_ID_TEXT]; /* of each node */
};

/* Opens a devnet's directory that is whole. False with a line about what is missing or wrong. */
MUST_CHECK bool devnet_dir_open(const char *path, struct devnet_dir *dir, struct fault *fault);
void devnet_dir_close(struct devnet_dir *dir);

/* Names of files; all absolute. Return `path`. */
const char *devnet_dir_file(const struct devnet_dir *dir, const char *name,
                            char path[DEVNET_PATH_MAX]); /* "genesis.json", "chain/blocks.log" */
const char *devnet_node_file(const struct devnet_dir *dir, uint32_t node, const char *name,
                             char path[DEVNET_PATH_MAX]); /* "priv_validator_state.json" */

uint16_t devnet_node_port(const struct devnet_dir *dir, uint32_t node);

/* --- keys --- */

struct devnet_key { /* ed25519, as OpenSSL's raw keys have it */
    uint8_t seed[ED25519_KEY_SIZE];
    uint8_t public_key[ED25519_KEY_SIZE];
};

/* The consensus key of a node, and that it is the genesis's. */
MUST_CHECK bool devnet_consensus_key(const struct devnet_dir *dir, uint32_t node,
                                     struct devnet_key *key, struct fault *fault);

/* --- processes --- */

#define DEVNET_SUPERVISOR UINT32_MAX /* beside nodes 0, 1, ... */
#define DEVNET_CHAIN (UINT32_MAX - 1)

/* Takes the lock of a process for this one, for as long as it lives; *held: somebody else has it. The
 * descriptor is nobody's to close. False with a fault when the file cannot be made, too. */
MUST_CHECK bool devnet_lock_take(const struct devnet_dir *dir, uint32_t process, bool *held,
                                 struct fault *fault);

/* The process id of who holds the lock, 0 when nobody does. */
pid_t devnet_lock_holder(const struct devnet_dir *dir, uint32_t process);

/* The processes themselves; return the exit status. In sim/devnet_chain.c and sim/devnet_node.c. */
int devnet_chain_main(const struct devnet_dir *dir);
/* software: the application's version, as the RPC shows it; NULL: the chain's own. */
int devnet_node_main(const struct devnet_dir *dir, uint32_t node, const char *software);

#endif
