#include "sim/devnet_chain.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "proto/utc.h"
#include "sim/devnet_chain_internal.h"
#include "sim/devnet_chain_mark.h"

#define FRAMES_AT_ONCE 256
#define LINES_PER_SECOND 10

/* --- the log --- */

int64_t chain_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say(const char *format, va_list arguments)
{
    struct timespec now;
    char line[DEVNET_WORDS_MAX + 256], time[UTC_TEXT_MAX];
    clock_gettime(CLOCK_REALTIME, &now);
    (void)vsnprintf(line, sizeof line, format, arguments);
    fprintf(stderr, "%s chain: %s\n",
            utc_text((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, time), line);
}

void chain_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void chain_say_some(struct chain_process *p, const char *format, ...)
{
    int64_t second = chain_now_ms() / 1000;
    if (second != p->lines_second && p->lines > LINES_PER_SECOND)
        chain_say("%" PRIu32 " more lines like these are left out", p->lines - LINES_PER_SECOND);
    if (second != p->lines_second)
        p->lines = 0;
    p->lines_second = second;
    if (p->lines++ >= LINES_PER_SECOND)
        return;
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

/* --- telling nodes --- */

bool chain_tell(struct chain_process *p, uint32_t validator, const struct devnet_frame *frame)
{
    struct chain_peer *peer = &p->peers.list[validator];
    if (peer->peer.size == 0)
        return false;
    if (devnet_wire_send(p->socket, &peer->peer, frame))
        return true;
    chain_say_some(p, "node %" PRIu32 " is gone", validator);
    *peer = (struct chain_peer){0};
    return false;
}

void chain_tell_all(struct chain_process *p, const struct devnet_frame *frame)
{
    for (uint32_t i = 0; i < p->peers.count; i++)
        (void)chain_tell(p, i, frame);
}

void chain_tell_failed(struct chain_process *p, uint32_t validator)
{
    struct devnet_frame frame = {.kind = FRAME_FAILED, .failed = {.by_plan = p->state.by_plan}};
    memcpy(frame.failed.words, p->state.words, sizeof frame.failed.words);
    (void)chain_tell(p, validator, &frame);
}

/* --- hearing nodes --- */

static void on_hello(struct chain_process *p, const struct devnet_peer *peer,
                     const struct devnet_hello *hello)
{
    if (hello->node >= p->peers.count) {
        chain_say_some(p, "somebody says to be node %" PRIu32 ", there are %" PRIu32, hello->node,
                       p->peers.count);
        return;
    }
    bool was = p->peers.list[hello->node].ready;
    bool another = chain_peers_hello(&p->peers, peer, hello, chain_now_ms());
    if (another || was != hello->ready)
        chain_say_some(p, "node %" PRIu32 " is %s, at block %" PRId64, hello->node,
                       hello->ready ? "ready" : "there", hello->height);
    struct devnet_frame frame = {.kind = FRAME_COMMITTED,
                                 .committed = {store_head(p->state.store)}};
    if (chain_tell(p, hello->node, &frame) && p->stage == STAGE_END)
        chain_tell_failed(p, hello->node);
    chain_poll(p, hello->node);
}

static void on_tx(struct chain_process *p, uint32_t node, const struct devnet_tx *tx)
{
    struct devnet_frame frame = {.kind = FRAME_TX_ANSWER};
    frame.tx_answer.serial = tx->serial;
    chain_pool_add(p->pool, p->state.app, tx->bytes, tx->size, &frame.tx_answer);
    (void)chain_tell(p, node, &frame);
}

static void on_frame(struct chain_process *p, const struct devnet_mail *mail)
{
    const struct devnet_frame *frame = &mail->frame;
    uint32_t node = chain_peers_find(&p->peers, &mail->peer);
    if (frame->kind == FRAME_HELLO)
        on_hello(p, &mail->peer, &frame->hello);
    else if (node == UINT32_MAX)
        chain_say_some(p, "a frame of kind %d comes from nobody who said HELLO", (int)frame->kind);
    else if (frame->kind == FRAME_TX)
        on_tx(p, node, &frame->tx);
    else if (frame->kind == FRAME_VOTE)
        chain_vote(p, node, &frame->vote);
    else
        chain_say_some(p, "node %" PRIu32 " sends a frame of kind %d, which is the chain's own",
                       node, (int)frame->kind);
}

/* --- the loop --- */

/* Does what is due and sets the timer; -1 ends the loop. */
static int go_on(struct chain_process *p)
{
    int64_t due = chain_step(p);
    struct itimerspec when = {{0, 0}, {0, 0}};
    if (p->status >= 0)
        return -1;
    if (due != CHAIN_NEVER)
        when.it_value = (struct timespec){(time_t)(due / 1000), (long)(due % 1000) * 1000000};
    int rc = timerfd_settime(p->timer, TFD_TIMER_ABSTIME, &when, NULL);
    assert(rc == 0);
    return 0;
}

static int on_socket(zloop_t *loop, zsock_t *socket, void *owner)
{
    struct chain_process *p = owner;
    struct devnet_mail mail;
    struct fault fault;
    (void)loop;
    for (uint32_t i = 0; i < FRAMES_AT_ONCE && p->status < 0; i++) {
        enum devnet_got got = devnet_wire_receive(socket, true, &mail, &fault);
        if (got == GOT_NOTHING)
            break;
        if (got == GOT_REFUSE) {
            chain_say_some(p, "%s", fault.text);
            continue;
        }
        on_frame(p, &mail);
        devnet_mail_clear(&mail);
        (void)chain_step(p);
    }
    return go_on(p);
}

static int on_timer(zloop_t *loop, zmq_pollitem_t *item, void *owner)
{
    uint64_t times;
    (void)loop;
    (void)!read(item->fd, &times, sizeof times);
    return go_on(owner);
}

static int on_signal(zloop_t *loop, zmq_pollitem_t *item, void *owner)
{
    struct chain_process *p = owner;
    struct signalfd_siginfo signal;
    (void)loop;
    if (read(item->fd, &signal, sizeof signal) == sizeof signal)
        p->status = 0;
    return p->status >= 0 ? -1 : 0;
}

/* Held from the beginning, so that a signal ends the process in one way only. */
static bool hold_signals(struct chain_process *p, struct fault *fault)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    sigaddset(&held, SIGINT);
    zsys_handler_set(NULL);
    if (sigprocmask(SIG_BLOCK, &held, NULL) == 0)
        p->signals = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
    return p->signals >= 0 || fault_set(fault, "signals cannot be held: %s", strerror(errno));
}

static bool open_loop(struct chain_process *p, struct fault *fault)
{
    p->socket = devnet_wire_listen(p->config->endpoint, fault);
    if (!p->socket)
        return false;
    p->loop = zloop_new();
    p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (!p->loop || p->timer < 0)
        return fault_set(fault, "no event loop can be made: %s", strerror(errno));
    zmq_pollitem_t timer = {.fd = p->timer, .events = ZMQ_POLLIN},
                   signals = {.fd = p->signals, .events = ZMQ_POLLIN};
    return (zloop_reader(p->loop, p->socket, on_socket, p) == 0 &&
            zloop_poller(p->loop, &timer, on_timer, p) == 0 &&
            zloop_poller(p->loop, &signals, on_signal, p) == 0) ||
           fault_set(fault, "no event loop can be made");
}

/* --- beginning and end --- */

static bool open_chain(struct chain_process *p, struct fault *fault)
{
    struct chain_mark mark;
    if (!chain_state_open(&p->state, p->config->log_path, p->config->genesis, fault) ||
        !chain_mark_read(p->config->mark_path, &mark, fault))
        return false;
    p->pool = chain_pool_create();
    chain_peers_begin(&p->peers, p->config->genesis->count);
    if (mark.height == p->state.height)
        p->first_round = mark.round + 1;
    p->committed_ms = p->proposed_ms = chain_now_ms() - p->config->block_ms;
    chain_say("%s: %" PRId64 " blocks, the next is %" PRId64 ", round %" PRId32,
              p->config->genesis->chain_id,
              p->state.height - (int64_t)p->config->genesis->initial_height.n, p->state.height,
              p->first_round);
    return open_loop(p, fault);
}

static void close_chain(struct chain_process *p)
{
    zloop_destroy(&p->loop);
    zsock_destroy(&p->socket);
    if (p->timer >= 0)
        (void)close(p->timer);
    if (p->signals >= 0)
        (void)close(p->signals);
    chain_votes_clear(&p->votes);
    chain_peers_clear(&p->peers);
    chain_pool_destroy(&p->pool);
    chain_state_close(&p->state);
}

int devnet_chain_run(const struct devnet_chain_config *config)
{
    struct chain_process process = {.config = config, .timer = -1, .signals = -1, .status = -1};
    struct chain_process *p = &process;
    struct fault fault;
    assert(config->block_ms > 0 && config->propose_ms > 0);
    if (!hold_signals(p, &fault) || !open_chain(p, &fault)) {
        chain_say("%s", fault.text);
        if (p->state.stopped)
            chain_say("CONSENSUS FAILURE!!! %s", p->state.words);
        p->status = 1;
    } else {
        for (int rc = go_on(p); rc == 0; rc = p->status < 0 ? 0 : -1)
            zloop_start(p->loop);
    }
    close_chain(p);
    assert(p->status >= 0);
    return p->status;
}
