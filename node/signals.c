#include "node/signals.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct signals {
    zloop_t *loop;
    zmq_pollitem_t item;
    sigset_t before;
    bool (*due)(void *owner, int signal);
    void *owner;
};

static int on_signal(zloop_t *loop, zmq_pollitem_t *item, void *owner)
{
    struct signals *signals = owner;
    struct signalfd_siginfo about;
    (void)loop;
    while (read(item->fd, &about, sizeof about) == (ssize_t)sizeof about)
        if (!signals->due(signals->owner, (int)about.ssi_signo))
            return -1;
    return 0;
}

static void hold_back(struct signals *signals, sigset_t *held)
{
    sigemptyset(held);
    sigaddset(held, SIGHUP);
    sigaddset(held, SIGINT);
    sigaddset(held, SIGTERM);
    int wrong = pthread_sigmask(SIG_BLOCK, held, &signals->before);
    assert(wrong == 0);
    (void)signal(SIGPIPE, SIG_IGN);
}

struct signals *signals_create(zloop_t *loop, bool (*due)(void *owner, int signal), void *owner)
{
    struct signals *signals = calloc(1, sizeof *signals);
    sigset_t held;
    if (!signals)
        return NULL;
    *signals = (struct signals){.loop = loop, .due = due, .owner = owner};
    hold_back(signals, &held);
    signals->item = (zmq_pollitem_t){.fd = signalfd(-1, &held, SFD_NONBLOCK | SFD_CLOEXEC),
                                     .events = ZMQ_POLLIN};
    if (signals->item.fd >= 0 && zloop_poller(loop, &signals->item, on_signal, signals) == 0)
        return signals;
    signals_destroy(&signals);
    return NULL;
}

void signals_destroy(struct signals **s)
{
    struct signals *signals = *s;
    if (!signals)
        return;
    if (signals->item.fd >= 0) {
        zloop_poller_end(signals->loop, &signals->item);
        close(signals->item.fd);
    }
    (void)pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
    free(signals);
    *s = NULL;
}
