/* Ports of a devnet: which are free, and who has marked which for itself. */
#define _GNU_SOURCE /* flock() */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/devnet_internal.h"

#define FIRST 26600
#define LAST 32700 /* from 32768 on the kernel gives ports to anybody */
#define BLOCK 100

/* As a node binds it: a connection that is on its way out does not count. */
static bool port_is_free(uint32_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1, descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return false;
    (void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool is_free = bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(descriptor, 1) == 0;
    close(descriptor);
    return is_free;
}

/* Marks a block of ports for as long as this process lives, so that two devnets that start at once do not both
 * find it free. */
static bool block_mark(const char *folder, uint32_t base)
{
    char path[DEVNET_RUNTIME_MAX + 32];
    (void)snprintf(path, sizeof path, "%s/ports-%u.lock", folder, base);
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        return true; /* held until the process ends */
    if (descriptor >= 0)
        close(descriptor);
    return false;
}

static bool block_take(const char *folder, uint32_t base, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!port_is_free(base + i))
            return false;
    for (uint32_t i = 0; i < count; i += BLOCK)
        if (!block_mark(folder, base + i))
            return false;
    return true;
}

bool devnet_port_choose(uint32_t count, uint16_t *base, struct fault *fault)
{
    char folder[DEVNET_RUNTIME_MAX];
    if (!devnet_runtime_folder(folder, fault))
        return false;
    for (uint32_t port = FIRST; port + count <= LAST; port += BLOCK)
        if (block_take(folder, port, count)) {
            *base = (uint16_t)port;
            return true;
        }
    return fault_set(fault, "--base-port: no %u free ports in a row from %d to %d; name others",
                     count, FIRST, LAST);
}

bool devnet_port_fault(const struct devnet_dir *dir, uint32_t node, struct fault *fault)
{
    return fault_set(fault,
                     "port %u of node %u is taken by another program; end that one, or choose "
                     "other ports with --base-port",
                     devnet_node_port(dir, node), node);
}

bool devnet_port_check(const struct devnet_dir *dir, uint32_t node, struct fault *fault)
{
    return port_is_free(devnet_node_port(dir, node)) || devnet_port_fault(dir, node, fault);
}

bool devnet_ports_check(const struct devnet_dir *dir, struct fault *fault)
{
    char folder[DEVNET_RUNTIME_MAX];
    for (uint32_t i = 0; i < dir->genesis.count; i++)
        if (devnet_lock_holder(dir, i) == 0 && !devnet_port_check(dir, i, fault))
            return false;
    if (devnet_runtime_folder(folder, fault))
        for (uint32_t i = 0; i < dir->genesis.count; i += BLOCK)
            (void)block_mark(folder, dir->base_port + i);
    return true;
}
