#include "node/line_watch.h"

#include <assert.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64
#define STACK_BYTES 65536
#define MESSAGE_OVERHEAD 35 /* of CURVE and ZMTP; long ones have some bytes more */

struct place {
    struct line_socket socket; /* fd -1: free */
    uint64_t read, most;
};

struct line_watch {
    int epoll, stop;
    bool running;
    pthread_t thread;
    pthread_mutex_t lock; /* of the places */
    uint32_t count;
    struct place places[];
};

/* --- descriptors --- */

bool line_socket_of(int fd, struct line_socket *at)
{
    struct sockaddr_storage other;
    socklen_t size = sizeof other;
    *at = (struct line_socket){.fd = fd};
    if (getpeername(fd, (struct sockaddr *)&other, &size) != 0)
        return false;
    if (other.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&other;
        memset(at->address + 10, 0xff, 2);
        memcpy(at->address + 12, &in->sin_addr, 4);
        at->port = in->sin_port;
        return true;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&other;
    memcpy(at->address, &in6->sin6_addr, 16);
    at->port = in6->sin6_port;
    return other.ss_family == AF_INET6;
}

static bool holds(const struct line_socket *at)
{
    struct line_socket is;
    return at->fd >= 0 && line_socket_of(at->fd, &is) && is.port == at->port &&
           memcmp(is.address, at->address, sizeof is.address) == 0;
}

bool line_socket_count(const struct line_socket *at, struct line_count *count)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    memset(&info, 0, sizeof info);
    if (!holds(at) || getsockopt(at->fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return false;
    *count = (struct line_count){info.tcpi_bytes_received, info.tcpi_bytes_acked};
    return true;
}

void line_socket_cut(const struct line_socket *at)
{
    if (holds(at))
        shutdown(at->fd, SHUT_RDWR);
}

/* --- the thread --- */

static void look(struct line_watch *watch, uint32_t at)
{
    struct place *place = &watch->places[at];
    struct line_count count;
    pthread_mutex_lock(&watch->lock);
    if (line_socket_count(&place->socket, &count) && count.arrived > place->read + place->most)
        line_socket_cut(&place->socket);
    pthread_mutex_unlock(&watch->lock);
}

static void *run(void *context)
{
    struct line_watch *watch = context;
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(watch->epoll, events, EVENTS, -1);
        assert(count >= 0 || errno == EINTR);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u32 == watch->count)
                return NULL;
            look(watch, events[i].data.u32);
        }
    }
}

/* Signals are the loop's. */
static bool start(struct line_watch *watch)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    watch->running = pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0 &&
                     pthread_create(&watch->thread, &attributes, run, watch) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return watch->running;
}

/* --- the loop's side --- */

struct line_watch *line_watch_create(uint32_t places)
{
    struct line_watch *watch = calloc(1, sizeof *watch + places * sizeof watch->places[0]);
    if (!watch)
        return NULL;
    struct epoll_event stop = {.events = EPOLLIN, .data.u32 = places};
    watch->count = places;
    for (uint32_t i = 0; i < places; i++)
        watch->places[i].socket.fd = -1;
    pthread_mutex_init(&watch->lock, NULL);
    watch->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch->stop = eventfd(0, EFD_CLOEXEC);
    if (watch->epoll < 0 || watch->stop < 0 ||
        epoll_ctl(watch->epoll, EPOLL_CTL_ADD, watch->stop, &stop) != 0 || !start(watch))
        line_watch_destroy(&watch);
    return watch;
}

void line_watch_destroy(struct line_watch **watch)
{
    struct line_watch *w = *watch;
    if (!w)
        return;
    if (w->running) {
        int wrong = eventfd_write(w->stop, 1);
        assert(!wrong);
        pthread_join(w->thread, NULL);
    }
    if (w->stop >= 0)
        close(w->stop);
    if (w->epoll >= 0)
        close(w->epoll);
    pthread_mutex_destroy(&w->lock);
    free(w);
    *watch = NULL;
}

void line_watch_begin(struct line_watch *watch, uint32_t place, const struct line_socket *at,
                      uint64_t most)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = place};
    assert(place < watch->count);
    pthread_mutex_lock(&watch->lock);
    assert(watch->places[place].socket.fd < 0);
    watch->places[place] = (struct place){.socket = *at, .most = most};
    pthread_mutex_unlock(&watch->lock);
    epoll_ctl(watch->epoll, EPOLL_CTL_ADD, at->fd, &event); /* fails when it is gone already */
}

void line_watch_end(struct line_watch *watch, uint32_t place)
{
    pthread_mutex_lock(&watch->lock);
    watch->places[place].socket.fd = -1;
    pthread_mutex_unlock(&watch->lock);
}

void line_watch_limit(struct line_watch *watch, uint32_t place, uint64_t most)
{
    pthread_mutex_lock(&watch->lock);
    watch->places[place].most = most;
    pthread_mutex_unlock(&watch->lock);
}

void line_watch_read(struct line_watch *watch, uint32_t place, size_t size)
{
    pthread_mutex_lock(&watch->lock);
    watch->places[place].read += size + MESSAGE_OVERHEAD;
    pthread_mutex_unlock(&watch->lock);
}

void line_watch_drained(struct line_watch *watch, uint32_t place)
{
    struct line_count count;
    pthread_mutex_lock(&watch->lock);
    if (line_socket_count(&watch->places[place].socket, &count))
        watch->places[place].read = count.arrived;
    pthread_mutex_unlock(&watch->lock);
}
