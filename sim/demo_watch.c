/* What can be seen of the network: its block log, and who runs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/demo_internal.h"

#define ASK_MS 250 /* of a node on this machine, while one looks on */
#define ASK_LAST_MS 5000

static int64_t wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* --- blocks --- */

static bool block_take(struct demo *demo, int64_t height)
{
    struct stored_block block;
    if (!store_read(demo->store, height, &block, &demo->fault))
        return demo_fail(demo);
    judge_block(demo->judge, &block);
    stored_block_clear(&block);
    return true;
}

static void blocks_follow(struct demo *demo)
{
    char path[DEVNET_PATH_MAX];
    struct fault fault;
    devnet_dir_file(&demo->net, "chain/blocks.log", path);
    if (!demo->store && devnet_exists(path)) /* whose beginning may not be whole yet */
        demo->store = store_open(path, false, &fault);
    if (!demo->store)
        return;
    (void)store_refresh(demo->store);
    int64_t next = judge_head(demo->judge) + 1, first = store_first(demo->store);
    for (int64_t h = next > first ? next : first; h > 0 && h <= store_head(demo->store); h++)
        if (!block_take(demo, h))
            return;
}

/* --- nodes --- */

static void down_note(struct demo *demo, uint32_t validator, int64_t from_ms, int64_t to_ms)
{
    struct report_bar *more =
        realloc(demo->downs, ((size_t)demo->down_count + 1) * sizeof *demo->downs);
    if (!more)
        return; /* the picture lacks a bar */
    demo->downs = more;
    demo->downs[demo->down_count++] = (struct report_bar){validator, BAR_DOWN, from_ms, to_ms};
}

static void node_moved(struct demo *demo, uint32_t validator, pid_t pid)
{
    struct demo_node *node = &demo->nodes[validator];
    int64_t now_ms = wall_ms();
    if (node->pid == 0 && node->down_ms > 0)
        down_note(demo, validator, node->down_ms, now_ms);
    node->down_ms = pid == 0 ? now_ms : 0;
    node->pid = pid;
    node->version[0] = '\0';
    node->height = 0;
}

static void node_follow(struct demo *demo, uint32_t validator)
{
    struct demo_node *node = &demo->nodes[validator];
    struct devnet_state state;
    pid_t pid = devnet_lock_holder(&demo->net, validator);
    if (pid != node->pid)
        node_moved(demo, validator, pid);
    if (pid == 0)
        return;
    if (!node->version[0])
        (void)devnet_ask_version(&demo->net, validator, ASK_MS, node->version);
    if (demo->terminal && devnet_ask(&demo->net, validator, ASK_MS, &state))
        node->height = state.height;
}

void demo_watch(struct demo *demo)
{
    if (!demo->net_open)
        return;
    blocks_follow(demo);
    for (uint32_t i = 0; i < demo->count && !demo->failed; i++)
        node_follow(demo, i);
}

bool demo_versions_new(struct demo *demo)
{
    bool all = true;
    for (uint32_t i = 0; i < demo->count; i++) {
        struct demo_node *node = &demo->nodes[i];
        (void)devnet_ask_version(&demo->net, i, ASK_LAST_MS, node->version);
        all = all && strcmp(node->version, DEMO_VERSION_NEW) == 0;
    }
    return all;
}

/* --- in words --- */

static void doing_away(const struct demo_node *node, const struct judge_turn *turn,
                       char text[DEMO_DOING_MAX])
{
    if (node->pid == 0)
        (void)snprintf(text, DEMO_DOING_MAX, "node down: the binary is swapped");
    else if (strcmp(node->version, DEMO_VERSION_NEW) == 0)
        (void)snprintf(text, DEMO_DOING_MAX, "node up with %s, on its way back", node->version);
    else
        (void)snprintf(text, DEMO_DOING_MAX,
                       "out of the set since block %" PRIu64 ", stops its node", turn->left.n);
}

void demo_doing(const struct demo *demo, uint32_t validator, char text[DEMO_DOING_MAX])
{
    const struct demo_node *node = &demo->nodes[validator];
    struct judge_turn turn = judge_turn(demo->judge, validator);
    if (turn.back)
        (void)snprintf(text, DEMO_DOING_MAX, "done");
    else if (turn.out)
        doing_away(node, &turn, text);
    else if (turn.entered.n > 0)
        (void)snprintf(text, DEMO_DOING_MAX, "back in the set, signs from block %" PRIu64 " on",
                       turn.entered.n);
    else if (turn.paused.n > 0)
        (void)snprintf(text, DEMO_DOING_MAX, "paused in block %" PRIu64 ", leaves the set",
                       turn.paused.n);
    else if (!judge_begun(demo->judge))
        text[0] = '\0';
    else if (node->pid == 0)
        (void)snprintf(text, DEMO_DOING_MAX, "node down");
    else if (turn.permit)
        (void)snprintf(text, DEMO_DOING_MAX, "its turn: holds a permit");
    else if (turn.waiting && turn.rank != UINT32_MAX)
        (void)snprintf(text, DEMO_DOING_MAX, "waits, number %u in line", turn.rank + 1);
    else if (turn.waiting)
        (void)snprintf(text, DEMO_DOING_MAX, "has joined the line");
    else
        text[0] = '\0';
}
