#define _GNU_SOURCE /* prctl() */

#include "sim/demo.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/input.h"
#include "sim/demo_internal.h"

#define TICK_MS 100
#define ASK_AGAIN_MS 500
#define START_LIMIT_MS 120000 /* of the phases before the turns */
#define TURN_BLOCKS 40        /* of one turn, with what it waits for, at the very most */
#define STATUS_UNTRUE 3

int64_t demo_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

bool demo_fail(struct demo *demo)
{
    demo->failed = true;
    return false;
}

/* --- phases --- */

static bool network_start(struct demo *demo)
{
    const struct demo_options *options = &demo->options;
    char net[DEVNET_PATH_MAX], log[DEVNET_PATH_MAX], count[16], floor[24], port[16];
    char block[INPUT_DURATION_MAX], empty[INPUT_DURATION_MAX];
    bool dcl = options->number[DEMO_CHAIN] == CHAIN_DCL;
    int64_t block_ms = (int64_t)options->number[DEMO_BLOCK_TIME];
    char *words[] = {"stagger",
                     "devnet",
                     "--external-nodes",
                     "--dir",
                     net,
                     "--chain",
                     dcl ? "dcl" : "kira",
                     "--chain-id",
                     demo->charter.chain_id,
                     "--validators",
                     count,
                     "--min-validators",
                     floor,
                     "--base-port",
                     port,
                     "--block-time",
                     block,
                     "--empty-blocks",
                     empty,
                     NULL};
    (void)snprintf(net, sizeof net, "%.800s/net", demo->dir);
    (void)snprintf(log, sizeof log, "%.800s/net.log", demo->dir);
    (void)snprintf(count, sizeof count, "%u", demo->count);
    (void)snprintf(floor, sizeof floor, "%" PRIu64, demo->charter.min_validators);
    (void)snprintf(port, sizeof port, "%u", demo->base_port);
    input_duration_text(block_ms, block);
    input_duration_text(dcl ? 3 * block_ms : block_ms, empty); /* DCL's ten minutes are long */
    demo->phase = DEMO_NETWORK;
    return demo_child_start(&demo->devnet, words, log, &demo->fault) || demo_fail(demo);
}

static bool agents_start(struct demo *demo)
{
    char config[DEVNET_PATH_MAX], log[DEVNET_PATH_MAX];
    char *words[] = {"stagger", "run", "--config", config, NULL};
    if (!demo_place_agents(demo))
        return demo_fail(demo);
    for (uint32_t i = 0; i < demo->count; i++) {
        demo_file(demo, "agent", i, "agent.conf", config);
        demo_file(demo, "agent", i, "log", log);
        if (!demo_child_start(&demo->nodes[i].agent, words, log, &demo->fault))
            return demo_fail(demo);
    }
    demo->phase = DEMO_AGENTS;
    return true;
}

static void network_step(struct demo *demo)
{
    char path[DEVNET_PATH_MAX];
    (void)snprintf(path, sizeof path, "%.800s/net/devnet.json", demo->dir);
    if (!devnet_exists(path) || !demo_keys_ready(demo))
        return;
    (void)snprintf(path, sizeof path, "%.800s/net", demo->dir);
    demo->net_open = devnet_dir_open(path, &demo->net, &demo->fault);
    if (!demo->net_open) {
        demo_fail(demo);
        return;
    }
    demo->judge = judge_create(&demo->net.genesis, &demo->charter,
                               (int64_t)demo->options.number[DEMO_BLOCK_TIME]);
    assert(demo->judge);
    (void)agents_start(demo);
}

/* Everybody signs, and a draw has said what the floor is: from here on it counts. */
static void agents_step(struct demo *demo)
{
    if (!judge_all_live(demo->judge) || judge_floor(demo->judge) == 0)
        return;
    judge_begin(demo->judge);
    demo->phase = DEMO_ASKING;
}

static bool order_give(struct demo *demo, uint32_t validator)
{
    struct demo_node *node = &demo->nodes[validator];
    char config[DEVNET_PATH_MAX], log[DEVNET_PATH_MAX];
    char *words[] = {"stagger", "reboot", "--to", DEMO_VERSION_NEW, "--config", config, NULL};
    demo_file(demo, "agent", validator, "agent.conf", config);
    demo_file(demo, "agent", validator, "reboot.log", log);
    node->ask_again_ms = demo_now_ms() + ASK_AGAIN_MS;
    return demo_child_start(&node->ask, words, log, &demo->fault) || demo_fail(demo);
}

/* An agent that has not got as far refuses, and is asked again. */
static bool order_step(struct demo *demo, uint32_t validator)
{
    struct demo_node *node = &demo->nodes[validator];
    if (node->asked || node->ask.runs)
        return node->asked;
    node->asked =
        node->ask.pid > 0 && WIFEXITED(node->ask.status) && WEXITSTATUS(node->ask.status) == 0;
    if (!node->asked && demo_now_ms() >= node->ask_again_ms)
        (void)order_give(demo, validator);
    return node->asked;
}

static void asking_step(struct demo *demo)
{
    bool all = true;
    for (uint32_t i = 0; i < demo->count && !demo->failed; i++)
        all = order_step(demo, i) && all;
    if (all)
        demo->phase = DEMO_TURNS;
}

static void turns_step(struct demo *demo)
{
    if (judge_back(demo->judge) == demo->count)
        demo->phase = DEMO_OVER;
}

static void phase_step(struct demo *demo)
{
    static void (*const steps[])(struct demo *) = {[DEMO_NETWORK] = network_step,
                                                   [DEMO_AGENTS] = agents_step,
                                                   [DEMO_ASKING] = asking_step,
                                                   [DEMO_TURNS] = turns_step};
    if (!demo->failed && demo->phase != DEMO_OVER)
        steps[demo->phase](demo);
}

/* --- what can go wrong --- */

/* The chain process is the devnet's child, which tells of its end in the log and stays. */
static void network_check(struct demo *demo)
{
    char line[DEVNET_LINE_MAX];
    if (!demo->devnet.runs) {
        demo_child_fault(&demo->devnet, "the network's supervisor", &demo->fault);
        demo_fail(demo);
    } else if (demo->net_open && devnet_lock_holder(&demo->net, DEVNET_CHAIN) == 0) {
        devnet_log_tail(demo->devnet.log, line);
        (void)fault_set(&demo->fault, "the chain process has ended: %s", line);
        demo_fail(demo);
    }
}

static void children_check(struct demo *demo)
{
    char name[32];
    if (!demo->failed)
        network_check(demo);
    for (uint32_t i = 0; i < demo->count && !demo->failed; i++) {
        const struct demo_child *agent = &demo->nodes[i].agent, *key = &demo->nodes[i].key;
        bool no_key = !key->runs && key->status != 0;
        (void)snprintf(name, sizeof name, "agent %u", i);
        if (!no_key && (agent->pid == 0 || agent->runs))
            continue;
        demo_child_fault(no_key ? key : agent, name, &demo->fault);
        demo_fail(demo);
    }
}

/* Whom the phases before the turns wait for. */
static void late_fault(struct demo *demo)
{
    char line[DEVNET_LINE_MAX] = "";
    const char *what = demo->phase == DEMO_NETWORK  ? "the chain process does not answer"
                       : demo->phase == DEMO_AGENTS ? "not every node signs"
                                                    : "not every agent takes the order";
    uint32_t who = 0;
    while (who + 1 < demo->count &&
           (demo->phase == DEMO_ASKING ? demo->nodes[who].asked
                                       : demo->judge && view_live(judge_view(demo->judge), who)))
        who++;
    if (demo->phase == DEMO_NETWORK)
        devnet_log_tail(demo->devnet.log, line);
    else
        devnet_log_tail(demo->phase == DEMO_ASKING ? demo->nodes[who].ask.log
                                                   : demo->nodes[who].agent.log,
                        line);
    (void)fault_set(&demo->fault, "after %d s %s (validator %u: %s); --keep leaves the logs",
                    START_LIMIT_MS / 1000, what, who, line[0] ? line : "nothing said");
    demo_fail(demo);
}

/* Late in the turns is an end like any other: the summary says what is not true. */
static void time_check(struct demo *demo)
{
    if (demo->failed || demo->phase == DEMO_OVER || demo_now_ms() < demo->limit_ms)
        return;
    if (demo->phase == DEMO_TURNS)
        demo->phase = DEMO_OVER;
    else
        late_fault(demo);
}

static void limit_move(struct demo *demo, enum demo_phase before)
{
    const uint64_t *number = demo->options.number;
    if (demo->phase != DEMO_TURNS || before == DEMO_TURNS)
        return;
    demo->limit_ms = demo_now_ms() + demo->count * (int64_t)(number[DEMO_REBOOT] +
                                                             TURN_BLOCKS * number[DEMO_BLOCK_TIME]);
}

/* --- the whole --- */

static bool prepare(struct demo *demo)
{
    uint64_t quorum = demo->count * 2 / 3 + 1;
    bool dcl = demo->options.number[DEMO_CHAIN] == CHAIN_DCL;
    demo->charter = charter_default(dcl ? "dcl-demo-1" : "kira-demo-1", quorum,
                                    (int64_t)demo->options.number[DEMO_BLOCK_TIME]);
    demo->start_ms = demo_now_ms();
    demo->limit_ms = demo->start_ms + START_LIMIT_MS;
    if (!demo_place_make(demo) ||
        !devnet_port_choose(2 * demo->count, &demo->base_port, &demo->fault))
        return demo_fail(demo);
    return network_start(demo) && demo_keys_make(demo);
}

static void follow(struct demo *demo)
{
    while (!demo->failed && demo->signal == 0 && demo->phase != DEMO_OVER) {
        enum demo_phase before = demo->phase;
        demo_wait(demo, TICK_MS);
        demo_watch(demo);
        phase_step(demo);
        limit_move(demo, before);
        children_check(demo);
        time_check(demo);
        demo_table(demo);
    }
}

static bool signals_open(struct demo *demo)
{
    sigset_t set;
    (void)signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    demo->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return demo->signals >= 0;
}

static void close_all(struct demo *demo)
{
    demo_children_end(demo);
    if (demo->net_open) {
        (void)unlink(demo->net.socket);
        devnet_dir_close(&demo->net);
    }
    demo_place_remove(demo);
    judge_destroy(&demo->judge);
    if (demo->store)
        store_close(&demo->store);
    free(demo->downs);
    free(demo->dir);
    close(demo->signals);
}

static int demo_run(struct demo *demo)
{
    int status = 1;
    demo->count = (uint32_t)demo->options.number[DEMO_VALIDATORS];
    demo->terminal = isatty(STDOUT_FILENO) == 1;
    if (prepare(demo))
        follow(demo);
    demo_table_clear(demo);
    if (demo->signal > 0)
        status = 128 + demo->signal;
    else if (!demo->failed)
        status = demo_end(demo) ? 0 : STATUS_UNTRUE;
    close_all(demo);
    if (demo->failed && demo->signal == 0)
        fprintf(stderr, "stagger demo: %s\n", demo->fault.text);
    return status;
}

int demo_main(int argc, char **argv)
{
    struct demo *demo = calloc(1, sizeof *demo);
    int status = 1;
    assert(demo);
    if (!demo_options_read(argc, argv, &demo->options, &demo->fault)) {
        fprintf(stderr, "stagger demo: %s\n", demo->fault.text);
    } else if (demo->options.given[DEMO_HELP]) {
        demo_usage(stdout);
        status = fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
    } else if (!signals_open(demo)) {
        fputs("stagger demo: signals cannot be held; free file descriptors\n", stderr);
    } else {
        status = demo_run(demo);
    }
    free(demo);
    return status;
}
