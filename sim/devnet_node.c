/* The process of one validator's node: one loop, in one thread.
 *
 *     block log --follow--> ledger (replica, index) --every block--> mempool
 *     chain process --PROPOSE--> signer --VOTE-->          HTTP --> RPC --> ledger, mempool
 *
 *     replaying --the log's end--> catching up --level, 1 s, a new block--> votes
 *
 * Where no new block comes (all nodes have just started, or blocks are rare) a node stops waiting for one after
 * SETTLE_MS, or there would be none for ever.
 */
#include <czmq.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "proto/utc.h"
#include "sim/devnet_block.h"
#include "sim/devnet_dir.h"
#include "sim/devnet_http.h"
#include "sim/devnet_node_signer.h"
#include "sim/devnet_rpc.h"
#include "sim/devnet_wire.h"

#define TICK_MS 500
#define CATCH_UP_MS 1000
#define SETTLE_MS 3000
#define SLICE_BLOCKS 100 /* taken in before others of the loop get their turn */
#define MAILS_MAX 64     /* likewise */
#define LINE_MAX_SIZE 1400

struct node {
    const struct devnet_dir *dir;
    uint32_t number;
    zloop_t *loop;
    zsock_t *socket;
    struct devnet_http *http;
    struct devnet_ledger *ledger;
    struct devnet_pool *pool;
    struct devnet_signer signer;
    struct devnet_rpc rpc;
    zmq_pollitem_t signals;
    bool replaying; /* the log that was there at the start */
    bool slicing;   /* a timer goes on with it */
    bool new_block; /* seen since the start */
    bool up;        /* the chain process is there */
    bool failed;    /* the chain's end was said */
    uint32_t ticks;
    int64_t start_ms, heard_ms; /* monotonic */
    int64_t chain_height;       /* the log's head as the chain process says */
    int status;                 /* of the exit */
};

/* --- its log --- */

static struct time_stamp now_stamp(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct time_stamp){.seconds = now.tv_sec, .nanos = (int32_t)now.tv_nsec};
}

__attribute__((format(printf, 2, 3))) static void say(const struct node *node, const char *format,
                                                      ...)
{
    char line[LINE_MAX_SIZE], time[UTC_TEXT_MAX];
    struct time_stamp now = now_stamp();
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fprintf(stderr, "%s node %" PRIu32 ": %s\n", utc_text(devnet_time_ms(&now), time), node->number,
            line);
}

static int stop(struct node *node, int status)
{
    node->status = status;
    return -1;
}

/* What a node of such a chain says, word for word. */
static void say_failure(struct node *node)
{
    const struct app *app = devnet_ledger_app(node->ledger);
    if (node->failed)
        return;
    node->failed = true;
    if (app_dead(app))
        say(node, "CONSENSUS FAILURE!!! failed to apply block; error %s", app_dead(app));
    else if (app_halted(app))
        say(node, "%s", app_halted(app));
    else
        say(node, "block %" PRId64 " cannot be applied", devnet_ledger_head(node->ledger));
}

/* --- to the chain process --- */

static bool send_frame(void *context, const struct devnet_frame *frame)
{
    struct node *node = context;
    return devnet_wire_send(node->socket, NULL, frame);
}

static void send_hello(struct node *node)
{
    struct devnet_frame frame = {.kind = FRAME_HELLO};
    frame.hello.node = node->number;
    frame.hello.height = devnet_ledger_head(node->ledger);
    frame.hello.ready = !node->rpc.catching_up;
    (void)send_frame(node, &frame);
}

/* --- blocks --- */

static uint32_t signed_by(const struct commit *commit)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < commit->count; i++)
        count += commit->sigs[i].flag == COMMIT_FOR_BLOCK;
    return count;
}

static void on_block(void *context, const struct stored_block *block)
{
    struct node *node = context;
    if (node->replaying)
        return;
    node->new_block = true;
    node->rpc.round = 0;
    node->rpc.proposal.hash.none = true;
    node->rpc.round_ms = zclock_time();
    if (block->applied) /* otherwise nothing has happened to what it holds */
        devnet_pool_block(node->pool, block);
    say(node, "block %" PRId64 ": %" PRIu32 " transactions, signed by %" PRIu32 " of %" PRIu32,
        block->header.height, block->tx_count, signed_by(&block->seen_commit),
        block->seen_commit.count);
}

static void end_replay(struct node *node)
{
    int64_t head = devnet_ledger_head(node->ledger);
    node->replaying = false;
    if (head == 0)
        devnet_pool_unfresh(node->pool);
    else
        say(node, "replayed blocks %" PRId64 " to %" PRId64, devnet_ledger_first(node->ledger),
            head);
    (void)malloc_trim(0);
}

static int on_slice(zloop_t *loop, int timer, void *context);

/* -1 when the node has to end. */
static int follow(struct node *node)
{
    struct fault fault;
    if (!devnet_ledger_follow(node->ledger, SLICE_BLOCKS, &fault)) {
        say(node, "%s", fault.text);
        return stop(node, 1);
    }
    if (devnet_ledger_behind(node->ledger)) {
        if (!node->slicing)
            (void)zloop_timer(node->loop, 1, 1, on_slice, node);
        node->slicing = true;
        return 0;
    }
    bool ended = node->replaying;
    if (ended)
        end_replay(node);
    if (!devnet_ledger_applied(node->ledger)) {
        say_failure(node);
        if (ended) /* a chain that has stopped lets nobody start again */
            return stop(node, 1);
    }
    return 0;
}

static int on_slice(zloop_t *loop, int timer, void *context)
{
    struct node *node = context;
    (void)loop;
    (void)timer;
    node->slicing = false;
    return follow(node);
}

/* --- from the chain process --- */

static void look_around(struct node *node)
{
    int64_t head = devnet_ledger_head(node->ledger), age_ms = zclock_mono() - node->start_ms;
    bool waited = node->new_block || head == 0 || age_ms >= SETTLE_MS;
    if (!node->rpc.catching_up || node->replaying || !node->up || head < node->chain_height ||
        age_ms < CATCH_UP_MS || !waited)
        return;
    node->rpc.catching_up = false;
    say(node, "is level at block %" PRId64 " and votes from now on", head);
    send_hello(node);
}

static void heard(struct node *node)
{
    node->heard_ms = zclock_mono();
    if (node->up)
        return;
    node->up = true;
    say(node, "the chain process is there");
    devnet_pool_link(node->pool, true);
}

static bool in_set(const struct node *node, int64_t height)
{
    struct stored_member *members;
    uint32_t count;
    bool found = false;
    if (!devnet_ledger_members(node->ledger, height, &members, &count))
        return false;
    for (uint32_t i = 0; i < count && !found; i++)
        found = memcmp(members[i].member.address, node->signer.address, ADDRESS_SIZE) == 0;
    free(members);
    return found;
}

static void vote(struct node *node, const struct devnet_propose *propose)
{
    struct devnet_frame frame = {.kind = FRAME_VOTE};
    struct time_stamp now = now_stamp();
    struct fault fault;
    struct devnet_ballot ballot = {
        .chain_id = node->dir->genesis.chain_id,
        .height = propose->height,
        .round = propose->round,
        .id = propose->id,
        .time = devnet_vote_time(&now, &propose->time),
    };
    if (!devnet_signer_sign(&node->signer, &ballot, frame.vote.signature, &fault)) {
        say(node, "%s", fault.text);
        return;
    }
    node->rpc.voted_height = propose->height;
    frame.vote.height = propose->height;
    frame.vote.round = propose->round;
    frame.vote.time = ballot.time;
    (void)send_frame(node, &frame);
}

/* The log was read ahead of a question that took its time: the chain process waits for this vote too, for a while. */
static bool is_last_block(const struct node *node, const struct devnet_propose *propose)
{
    struct stored_block block;
    if (propose->height != devnet_ledger_head(node->ledger) ||
        !devnet_ledger_read(node->ledger, propose->height, &block))
        return false;
    bool same = block_id_equal(&block.id, &propose->id);
    stored_block_clear(&block);
    return same;
}

static int on_propose(struct node *node, const struct devnet_propose *propose)
{
    if (devnet_ledger_head(node->ledger) < propose->height - 1 && follow(node) != 0)
        return -1;
    if (node->rpc.catching_up || !devnet_ledger_applied(node->ledger))
        return 0;
    int64_t head = devnet_ledger_head(node->ledger);
    int64_t next = head ? head + 1 : (int64_t)node->dir->genesis.initial_height.n;
    bool last = is_last_block(node, propose);
    if ((propose->height != next && !last) || !in_set(node, propose->height)) {
        say(node,
            "is not asked rightly for a vote on block %" PRId64 " while block %" PRId64
            " is next; nothing is signed",
            propose->height, next);
        return 0;
    }
    if (!last) {
        node->rpc.round = propose->round;
        node->rpc.proposal = propose->id;
    }
    vote(node, propose);
    return 0;
}

static int on_frame(struct node *node, const struct devnet_frame *frame)
{
    switch (frame->kind) {
    case FRAME_COMMITTED:
        heard(node);
        node->chain_height = frame->committed.height;
        if (follow(node) != 0)
            return -1;
        look_around(node);
        return 0;
    case FRAME_PROPOSE:
        heard(node);
        return on_propose(node, &frame->propose);
    case FRAME_TX_ANSWER:
        heard(node);
        devnet_pool_answer(node->pool, &frame->tx_answer);
        return 0;
    case FRAME_FAILED:
        heard(node);
        return follow(node);
    default:
        return 0;
    }
}

static int on_mail(zloop_t *loop, zsock_t *socket, void *context)
{
    struct node *node = context;
    (void)loop;
    for (int i = 0; i < MAILS_MAX; i++) {
        struct devnet_mail mail;
        struct fault fault;
        enum devnet_got got = devnet_wire_receive(socket, false, &mail, &fault);
        if (got == GOT_NOTHING)
            return 0;
        if (got == GOT_REFUSE) {
            say(node, "%s", fault.text);
            continue;
        }
        int next = on_frame(node, &mail.frame);
        devnet_mail_clear(&mail);
        if (next != 0)
            return next;
    }
    return 0;
}

/* --- time and signals --- */

static int on_tick(zloop_t *loop, int timer, void *context)
{
    struct node *node = context;
    int64_t now_ms = zclock_mono();
    (void)loop;
    (void)timer;
    if (node->up && now_ms - node->heard_ms >= DEVNET_SILENT_MS) {
        node->up = false;
        say(node, "the chain process is silent; what is asked is answered from the log");
        devnet_pool_link(node->pool, false);
    }
    if (!node->up && follow(node) != 0) /* its last words may be in the log only */
        return -1;
    devnet_pool_tick(node->pool, now_ms);
    look_around(node);
    if (++node->ticks % (DEVNET_HELLO_MS / TICK_MS) == 0)
        send_hello(node);
    return 0;
}

static int on_signal(zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    struct node *node = context;
    struct signalfd_siginfo info;
    (void)loop;
    if (read(item->fd, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    say(node, "is stopped by a signal at block %" PRId64, devnet_ledger_head(node->ledger));
    return stop(node, 0);
}

/* Before any thread is made, which would get the signals otherwise. */
static int block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- start and end --- */

static bool open_signer(struct node *node, struct fault *fault)
{
    char path[DEVNET_PATH_MAX];
    return devnet_consensus_key(node->dir, node->number, &node->rpc.key, fault) &&
           devnet_signer_open(
               &node->signer,
               devnet_node_file(node->dir, node->number, "priv_validator_state.json", path),
               &node->rpc.key, fault);
}

static bool open_ledger(struct node *node, struct fault *fault)
{
    char path[DEVNET_PATH_MAX];
    struct app *app = app_create(&node->dir->genesis, fault);
    if (!app)
        return false;
    node->ledger = devnet_ledger_create(devnet_dir_file(node->dir, "chain/blocks.log", path), app,
                                        on_block, node);
    struct devnet_pool_config config = {
        .app = app, .send = send_frame, .done = devnet_rpc_done, .context = node};
    node->pool = node->ledger ? devnet_pool_create(&config) : NULL;
    return node->pool || fault_set(fault, "no memory for a node");
}

static bool open_sockets(struct node *node, struct fault *fault)
{
    char endpoint[DEVNET_SOCKET_MAX + 8];
    bool port_taken = false;
    node->rpc.dir = node->dir;
    node->rpc.node = node->number;
    node->rpc.ledger = node->ledger;
    node->rpc.pool = node->pool;
    node->rpc.catching_up = true;
    node->rpc.proposal.hash.none = true;
    node->rpc.round_ms = zclock_time();
    node->rpc.voted_height = node->signer.height;
    node->http = devnet_http_start(node->loop, devnet_node_port(node->dir, node->number),
                                   devnet_rpc_handle, &node->rpc, &port_taken, fault);
    if (port_taken)
        node->status = DEVNET_PORT_TAKEN;
    if (!node->http)
        return false;
    snprintf(endpoint, sizeof endpoint, "ipc://%s", node->dir->socket);
    node->socket = devnet_wire_connect(endpoint, fault);
    return node->socket != NULL;
}

static bool begin(struct node *node, struct fault *fault)
{
    zsys_handler_set(NULL);
    node->loop = zloop_new();
    if (!node->loop)
        return fault_set(fault, "no memory for a loop");
    zloop_set_nonstop(node->loop, true);
    node->start_ms = zclock_mono();
    node->replaying = true;
    node->status = 1; /* until it is stopped in order */
    if (!open_signer(node, fault) || !open_ledger(node, fault) || !open_sockets(node, fault))
        return false;
    (void)zloop_poller(node->loop, &node->signals, on_signal, node);
    (void)zloop_reader(node->loop, node->socket, on_mail, node);
    (void)zloop_timer(node->loop, TICK_MS, 0, on_tick, node);
    say(node, "answers on port %u", devnet_node_port(node->dir, node->number));
    return true;
}

static void end(struct node *node)
{
    devnet_pool_destroy(&node->pool); /* answers who waits, through the server */
    devnet_http_stop(&node->http);
    devnet_ledger_destroy(&node->ledger);
    zsock_destroy(&node->socket);
    zloop_destroy(&node->loop);
    (void)close(node->signals.fd);
    zsys_shutdown();
}

int devnet_node_main(const struct devnet_dir *dir, uint32_t number, const char *software)
{
    struct node node = {.dir = dir, .number = number, .rpc.software = software};
    struct fault fault;
    (void)mallopt(M_ARENA_MAX, 1); /* ZeroMQ's threads keep nothing that is worth an arena */
    node.signals = (zmq_pollitem_t){.fd = block_signals(), .events = ZMQ_POLLIN};
    if (!begin(&node, &fault)) {
        say(&node, "%s", fault.text);
    } else if (follow(&node) == 0) {
        send_hello(&node);
        (void)zloop_start(node.loop);
    }
    end(&node);
    return node.status;
}
