/* What one does to a devnet by hand, from another terminal. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/input.h"
#include "sim/devnet_internal.h"

#define LOOK_MS 50
#define STOP_MS 10000

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static bool refresh(const struct devnet_dir *dir, struct fault *fault)
{
    return devnet_public_write(dir, false, fault);
}

/* --- start --- */

static bool supervisor_ask(const struct devnet_dir *dir, uint32_t process, struct fault *fault)
{
    pid_t supervisor = devnet_lock_holder(dir, DEVNET_SUPERVISOR);
    union sigval value = {.sival_int = process == DEVNET_CHAIN ? -1 : (int)process};
    if (supervisor > 0 && sigqueue(supervisor, DEVNET_SIGNAL_START, value) == 0)
        return true;
    return fault_set(fault, "%s: no devnet runs here; `stagger devnet --dir DIR` starts it whole",
                     dir->path);
}

/* The supervisor writes the file when the process ended before it was up. What it says of `before`, the process
 * before this one, may come late and does not count. */
static bool ended_read(const struct devnet_dir *dir, uint32_t process, pid_t before,
                       struct fault *fault)
{
    char path[DEVNET_PATH_MAX], error[INPUT_ERROR_MAX], *text, *words;
    size_t size;
    if (!input_file(devnet_process_file(dir, process, "ended", path), 2 * FAULT_MAX, true, &text,
                    &size, error))
        return false;
    long pid = strtol(text, &words, 10);
    bool counts = pid == 0 || pid != (long)before;
    if (counts)
        (void)fault_set(fault, "%s", words + (*words == ' ' ? 1 : 0));
    free(text);
    return counts;
}

static bool start(const struct devnet_dir *dir, uint32_t process, struct fault *fault)
{
    char path[DEVNET_PATH_MAX], name[DEVNET_TEXT_MAX];
    int64_t until = now_ms() + DEVNET_UP_TIMEOUT_MS;
    pid_t before = devnet_lock_last(dir, process);
    (void)unlink(devnet_process_file(dir, process, "ended", path));
    if (!supervisor_ask(dir, process, fault))
        return false;
    devnet_process_name(process, name);
    while (!devnet_process_up(dir, process)) {
        if (ended_read(dir, process, before, fault))
            return false;
        if (devnet_lock_holder(dir, DEVNET_SUPERVISOR) == 0)
            return fault_set(fault, "%s: the devnet has stopped", dir->path);
        if (now_ms() > until)
            return fault_set(fault, "%s does not answer; see %s", name,
                             devnet_process_file(dir, process, "log", path));
        (void)poll(NULL, 0, LOOK_MS);
    }
    printf("%s runs (process %ld)\n", name, (long)devnet_lock_holder(dir, process));
    return refresh(dir, fault);
}

static bool start_once(const struct devnet_dir *dir, uint32_t process, struct fault *fault)
{
    char name[DEVNET_TEXT_MAX];
    pid_t pid = devnet_lock_holder(dir, process);
    if (pid == 0)
        return start(dir, process, fault);
    printf("%s runs already (process %ld)\n", devnet_process_name(process, name), (long)pid);
    return true;
}

/* --- stop and kill --- */

static bool end(const struct devnet_dir *dir, uint32_t process, bool kill, struct fault *fault)
{
    char name[DEVNET_TEXT_MAX];
    devnet_process_name(process, name);
    if (devnet_lock_holder(dir, process) == 0) {
        printf("%s does not run\n", name);
        return true;
    }
    (void)devnet_process_end(dir, process, kill ? SIGKILL : SIGTERM, STOP_MS);
    if (devnet_lock_holder(dir, process) != 0)
        return fault_set(fault, "%s still runs after %d s; `kill` instead of `stop` ends it", name,
                         STOP_MS / 1000);
    printf("%s has %s\n", name, kill ? "been killed" : "stopped");
    return refresh(dir, fault);
}

static bool end_whole(const struct devnet_dir *dir, struct fault *fault)
{
    pid_t supervisor = devnet_lock_holder(dir, DEVNET_SUPERVISOR);
    if (supervisor > 0) {
        (void)devnet_process_end(dir, DEVNET_SUPERVISOR, SIGTERM, DEVNET_STOP_TIMEOUT_MS);
        if (devnet_lock_holder(dir, DEVNET_SUPERVISOR) == supervisor)
            return fault_set(fault,
                             "%s: the supervisor (process %ld) still runs after %d s; see %s/log",
                             dir->path, (long)supervisor, DEVNET_STOP_TIMEOUT_MS / 1000, dir->path);
    }
    uint32_t left = devnet_processes_end(dir, true);
    (void)unlink(dir->socket);
    devnet_public_remove(dir);
    if (supervisor > 0)
        printf("devnet %s has stopped\n", dir->genesis.chain_id);
    else if (left > 0)
        printf("devnet %s had lost its supervisor; ended what was left, %u process%s\n",
               dir->genesis.chain_id, left, left == 1 ? "" : "es");
    else
        printf("devnet %s does not run\n", dir->genesis.chain_id);
    return true;
}

/* --- status --- */

static void node_print(const struct devnet_dir *dir, uint32_t node)
{
    struct devnet_state state;
    pid_t pid = devnet_lock_holder(dir, node);
    printf("%-6u %-6u ", node, devnet_node_port(dir, node));
    if (pid == 0)
        printf("%-9s\n", "stopped");
    else if (!devnet_ask(dir, node, 2000, &state))
        printf("%-9ld does not answer\n", (long)pid);
    else
        printf("%-9ld %-9" PRId64 " %-5s %s\n", (long)pid, state.height,
               state.power > 0 ? "in" : "out", state.catching_up ? "catching up" : "");
}

static int status_print(const struct devnet_dir *dir)
{
    pid_t supervisor = devnet_lock_holder(dir, DEVNET_SUPERVISOR);
    pid_t chain = devnet_lock_holder(dir, DEVNET_CHAIN);
    printf("devnet %s in %s: ", dir->genesis.chain_id, dir->path);
    printf(supervisor > 0 ? "supervisor %ld, " : "no supervisor, ", (long)supervisor);
    printf(chain > 0 ? "chain process %ld\n\n" : "no chain process\n\n", (long)chain);
    printf("%-6s %-6s %-9s %-9s %s\n", "node", "port", "process", "height", "set");
    for (uint32_t i = 0; i < dir->genesis.count; i++)
        node_print(dir, i);
    return supervisor > 0 ? 0 : 3;
}

static int act(const struct devnet_options *options, const struct devnet_dir *dir)
{
    struct fault fault;
    bool good = true;
    if (options->action == DEVNET_STATUS)
        return status_print(dir);
    if (options->action == DEVNET_STOP)
        good = end_whole(dir, &fault);
    else if (options->process != DEVNET_CHAIN && options->process >= dir->genesis.count)
        good = fault_set(&fault, "there is no node %u; the nodes are 0 to %u", options->process,
                         dir->genesis.count - 1);
    else if (options->action == DEVNET_START)
        good = start_once(dir, options->process, &fault);
    else
        good = end(dir, options->process, options->action == DEVNET_KILL, &fault);
    return good ? 0 : devnet_fail(&fault);
}

int devnet_hand(const struct devnet_options *options)
{
    struct devnet_dir dir;
    struct fault fault;
    if (!devnet_dir_open(options->text[OPTION_DIR], &dir, &fault))
        return devnet_fail(&fault);
    int status = act(options, &dir);
    devnet_dir_close(&dir);
    return status;
}
