/* What the supervisor's side of a devnet shares; the chain process and the nodes need devnet_dir.h only.
 *
 *     devnet.c             which action; runs a chain process or a node
 *     devnet_options.c     the command line
 *     devnet_dir.c         opens DIR: settings.json, genesis.json
 *     devnet_make.c        makes DIR, changes its settings, writes agents/N.conf
 *     devnet_genesis.c     writes genesis.json         devnet_keys.c   makes and reads keys
 *     devnet_lock.c        who runs; ends a process    devnet_file.c   files, whole or not at all
 *     devnet_port.c        free ports                  devnet_ask.c    asks a node, or whether the chain listens
 *     devnet_supervisor.c  starts everything, stays with it, stops everything
 *     devnet_spawn.c       starts one process          devnet_hand.c   start, stop, kill, status, stop of the whole
 *     devnet_public.c      devnet.json, the summary    devnet_watch.c  nodes that others start
 */
#ifndef STAGGER_SIM_DEVNET_INTERNAL_H
#define STAGGER_SIM_DEVNET_INTERNAL_H

#include <jansson.h>

#include "sim/devnet_dir.h"
#include "sim/devnet_file.h"
#include "sim/devnet_options.h"

/* --- devnet_keys.c --- */

struct devnet_seat { /* a validator that is being made */
    char moniker[MODEL_MONIKER_MAX];
    uint8_t account[ACCOUNT_KEY_SIZE], account_public[ACCOUNT_PUBLIC_SIZE];
    struct devnet_key consensus, node;
};
MUST_CHECK bool devnet_seat_make(struct devnet_seat *seat, uint32_t index, bool seeded,
                                 uint64_t seed, struct fault *fault);
void devnet_seat_clear(struct devnet_seat *seat);

/* account.key and CometBFT's three files of a node. */
MUST_CHECK bool devnet_seat_write(const struct devnet_dir *dir, uint32_t node,
                                  const struct devnet_seat *seat, struct fault *fault);
void devnet_node_id(const struct devnet_seat *seat, char text[DEVNET_NODE_ID_TEXT]);

/* --- devnet_genesis.c --- */

#define DEVNET_KIRA_POWER 1
#define DEVNET_DCL_POWER 10
#define DEVNET_BALANCE "150000000000000"

struct devnet_plan { /* of a genesis */
    enum chain_kind kind;
    const char *chain_id;
    int64_t time_ms;
    uint64_t min_validators, proposal_s, enactment_s;
    const struct devnet_seat *seats;
    uint32_t count, trustees;
};
json_t *devnet_genesis_make(const struct devnet_plan *plan); /* NULL: no memory */
extern const char *const devnet_kira_json[];                 /* lines of sim/devnet_kira.json */

/* Fills what the file says; the rest stays. dir->genesis.validators is made here. */
MUST_CHECK bool devnet_genesis_read(const char *path, struct app_genesis *genesis,
                                    struct fault *fault);

void devnet_account_text(const struct app_genesis *genesis, uint32_t node,
                         char text[BECH32_TEXT_MAX]);

/* --- devnet_make.c --- */

/* Makes what is missing in DIR, which is empty or half made and locked. */
MUST_CHECK bool devnet_make(const char *path, const struct devnet_options *options,
                            uint16_t base_port, struct fault *fault);

/* Whether DIR, that exists, may be made into a devnet: nothing in it is anybody else's. */
MUST_CHECK bool devnet_may_make(const char *path, struct fault *fault);

/* What the options ask for against what DIR is; changes what may change. */
MUST_CHECK bool devnet_settings_merge(struct devnet_dir *dir, const struct devnet_options *options,
                                      struct fault *fault);
MUST_CHECK bool devnet_settings_write(const struct devnet_dir *dir, struct fault *fault);
MUST_CHECK bool devnet_agents_write(const struct devnet_dir *dir, struct fault *fault);

/* --- devnet_lock.c --- */

const char *devnet_process_name(uint32_t process, char text[DEVNET_TEXT_MAX]); /* "node 3" */
const char *devnet_process_file(const struct devnet_dir *dir, uint32_t process, const char *name,
                                char path[DEVNET_PATH_MAX]);

/* The process id of who had the lock last, alive or not; 0 when nobody had it. */
pid_t devnet_lock_last(const struct devnet_dir *dir, uint32_t process);

/* Sends the signal to who holds the lock and waits until it is gone; false when nobody holds it, or it is still
 * there after that time. */
bool devnet_process_end(const struct devnet_dir *dir, uint32_t process, int signal,
                        int64_t timeout_ms);

/* Ends nodes, if they are meant too, and the chain process, whoever started them, killing who takes long; returns
 * how many there were. */
uint32_t devnet_processes_end(const struct devnet_dir *dir, bool nodes);

/* --- devnet_watch.c: nodes that others start and end --- */

struct devnet_watch {
    int descriptor; /* to be polled; -1: nobody is watched */
    bool again;     /* look once more soon: who ends says so a moment before its lock is free */
    pid_t pids[DEVNET_NODES_MAX];
};
MUST_CHECK bool devnet_watch_open(const struct devnet_dir *dir, struct devnet_watch *watch,
                                  struct fault *fault);
void devnet_watch_close(struct devnet_watch *watch);

/* Whether somebody has come or gone since; pids are as they are now. */
bool devnet_watch_look(const struct devnet_dir *dir, struct devnet_watch *watch);

/* --- devnet_port.c --- */

MUST_CHECK bool devnet_port_choose(uint32_t count, uint16_t *base, struct fault *fault);
MUST_CHECK bool devnet_ports_check(const struct devnet_dir *dir, struct fault *fault);
MUST_CHECK bool devnet_port_check(const struct devnet_dir *dir, uint32_t node, struct fault *fault);
bool devnet_port_fault(const struct devnet_dir *dir, uint32_t node, struct fault *fault);

/* --- devnet_ask.c --- */

struct devnet_state {
    int64_t height;
    bool catching_up;
    int64_t power;
};
bool devnet_ask(const struct devnet_dir *dir, uint32_t node, int64_t timeout_ms,
                struct devnet_state *state);

/* The application's version, as the node's RPC shows it. */
#define DEVNET_VERSION_MAX 48
bool devnet_ask_version(const struct devnet_dir *dir, uint32_t node, int64_t timeout_ms,
                        char version[DEVNET_VERSION_MAX]);
bool devnet_chain_listens(const struct devnet_dir *dir);
bool devnet_process_up(const struct devnet_dir *dir, uint32_t process);

/* --- devnet_spawn.c --- */

/* Starts a process; 0 with a line when that cannot be. */
pid_t devnet_spawn(const struct devnet_dir *dir, uint32_t process, struct fault *fault);
MUST_CHECK bool devnet_log_open(const struct devnet_dir *dir, uint32_t process, int *descriptor,
                                struct fault *fault);

/* The last line that is not empty in the log, "" when there is none. */
#define DEVNET_LINE_MAX 280
void devnet_log_tail(const char *path, char line[DEVNET_LINE_MAX]);

/* "ended with status 1: LINE; see LOG" of a process, from what waitpid() says. */
void devnet_ended_text(const struct devnet_dir *dir, uint32_t process, int status,
                       struct fault *fault);

/* --- devnet_public.c --- */

/* Writes devnet.json with the processes as they are now; `first`: also when there is none. */
MUST_CHECK bool devnet_public_write(const struct devnet_dir *dir, bool first, struct fault *fault);
void devnet_public_remove(const struct devnet_dir *dir);
void devnet_summary_print(const struct devnet_dir *dir, bool detached, bool external,
                          int64_t height);
void devnet_quote_print(const char *path, FILE *out); /* as a word of the shell */

/* --- devnet_supervisor.c, devnet_hand.c; exit statuses --- */

/* The signal by which another command asks the supervisor to start a process: its value is the number. */
#define DEVNET_SIGNAL_START (SIGRTMIN + 1)
#define DEVNET_UP_TIMEOUT_MS 120000
#define DEVNET_STOP_TIMEOUT_MS 30000

int devnet_supervise(const struct devnet_options *options);
int devnet_hand(const struct devnet_options *options);
int devnet_fail(const struct fault *fault); /* the line; returns 1 */

#endif
