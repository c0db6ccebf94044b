#define _GNU_SOURCE /* getaddrinfo_a() */

#include "node/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HOST_MAX 256

struct question {
    struct gaicb ask;
    struct addrinfo hints;
    uint32_t tag;
    char host[HOST_MAX];
};

struct resolve {
    struct question *questions[RESOLVE_MAX]; /* NULL: free */
};

struct resolve *resolve_create(void)
{
    return calloc(1, sizeof(struct resolve));
}

static void forget(struct question *question)
{
    if (question->ask.ar_result)
        freeaddrinfo(question->ask.ar_result);
    free(question);
}

void resolve_destroy(struct resolve **resolve)
{
    for (uint32_t i = 0; *resolve && i < RESOLVE_MAX; i++) {
        struct question *question = (*resolve)->questions[i];
        if (question && (gai_cancel(&question->ask) != EAI_NOTCANCELED))
            forget(question);
    }
    free(*resolve);
    *resolve = NULL;
}

bool resolve_begin(struct resolve *resolve, uint32_t tag, const char *host)
{
    uint32_t i = 0;
    while (i < RESOLVE_MAX && resolve->questions[i])
        i++;
    struct question *question = i < RESOLVE_MAX ? calloc(1, sizeof *question) : NULL;
    if (!question)
        return false;
    struct gaicb *list[] = {&question->ask};
    int length = snprintf(question->host, sizeof question->host, "%s", host);
    question->tag = tag;
    question->hints.ai_socktype = SOCK_STREAM;
    question->hints.ai_flags = AI_ADDRCONFIG;
    question->ask.ar_name = question->host;
    question->ask.ar_request = &question->hints;
    if (length >= HOST_MAX || getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0) {
        free(question);
        return false;
    }
    resolve->questions[i] = question;
    return true;
}

bool resolve_pending(const struct resolve *resolve)
{
    bool pending = false;
    for (uint32_t i = 0; i < RESOLVE_MAX; i++)
        pending |= resolve->questions[i] != NULL;
    return pending;
}

static void write_address(const struct addrinfo *found, char address[RESOLVE_ADDRESS_MAX])
{
    char text[RESOLVE_ADDRESS_MAX - 2] = "";
    address[0] = '\0';
    if (!found || getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                              NI_NUMERICHOST) != 0)
        return;
    snprintf(address, RESOLVE_ADDRESS_MAX, found->ai_family == AF_INET6 ? "[%s]" : "%s", text);
}

bool resolve_next(struct resolve *resolve, uint32_t *tag, char address[RESOLVE_ADDRESS_MAX])
{
    for (uint32_t i = 0; i < RESOLVE_MAX; i++) {
        struct question *question = resolve->questions[i];
        if (!question || gai_error(&question->ask) == EAI_INPROGRESS)
            continue;
        bool found = gai_error(&question->ask) == 0;
        *tag = question->tag;
        write_address(found ? question->ask.ar_result : NULL, address);
        forget(question);
        resolve->questions[i] = NULL;
        return true;
    }
    return false;
}
