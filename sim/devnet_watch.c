/* Nodes that others start: their locks are watched, since who holds one is the truth about who runs. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "sim/devnet_internal.h"

/* Written to when somebody takes the lock, closed when it ends. The file is made here: a node that has never run has
 * none. */
static bool watch_lock(int descriptor, const struct devnet_dir *dir, uint32_t node)
{
    char path[DEVNET_PATH_MAX];
    int lock = open(devnet_node_file(dir, node, "lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool good = lock >= 0 && inotify_add_watch(descriptor, path, IN_MODIFY | IN_CLOSE_WRITE) >= 0;
    if (lock >= 0)
        close(lock);
    return good;
}

bool devnet_watch_open(const struct devnet_dir *dir, struct devnet_watch *watch,
                       struct fault *fault)
{
    *watch = (struct devnet_watch){.descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    bool good = watch->descriptor >= 0;
    for (uint32_t i = 0; good && i < dir->genesis.count; i++)
        good = watch_lock(watch->descriptor, dir, i);
    if (!good)
        return fault_set(fault, "%s: its nodes cannot be watched: %s", dir->path, strerror(errno));
    (void)devnet_watch_look(dir, watch);
    return true;
}

void devnet_watch_close(struct devnet_watch *watch)
{
    if (watch->descriptor >= 0)
        close(watch->descriptor);
    watch->descriptor = -1;
}

bool devnet_watch_look(const struct devnet_dir *dir, struct devnet_watch *watch)
{
    char events[4096];
    bool heard = false, changed = false;
    while (read(watch->descriptor, events, sizeof events) > 0)
        heard = true;
    for (uint32_t i = 0; i < dir->genesis.count; i++) {
        pid_t pid = devnet_lock_holder(dir, i);
        changed = changed || pid != watch->pids[i];
        watch->pids[i] = pid;
    }
    watch->again = heard;
    return changed;
}
