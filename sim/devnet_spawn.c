/* Starting one process of a devnet, and what it said when it ended. */
#define _GNU_SOURCE /* POSIX_SPAWN_SETSID */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/devnet_internal.h"

#define TAIL_MAX 2048

extern char **environ;

bool devnet_log_open(const struct devnet_dir *dir, uint32_t process, int *descriptor,
                     struct fault *fault)
{
    char path[DEVNET_PATH_MAX];
    devnet_process_file(dir, process, "log", path);
    *descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return *descriptor >= 0 ||
           fault_set(fault, "%s: %s; a file that can be written expected", path, strerror(errno));
}

/* A session of its own: Ctrl-C at the terminal is the supervisor's alone, which then stops all in order. */
static int spawn(pid_t *pid, char **words, int log)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    int wrong = posix_spawn_file_actions_init(&files);
    if (wrong)
        return wrong;
    wrong = posix_spawnattr_init(&attributes);
    if (wrong) {
        posix_spawn_file_actions_destroy(&files);
        return wrong;
    }
    bool good = !posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0) &&
                !posix_spawn_file_actions_adddup2(&files, log, 1) &&
                !posix_spawn_file_actions_adddup2(&files, log, 2) &&
                !posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                           POSIX_SPAWN_SETSIGDEF) &&
                !posix_spawnattr_setsigdefault(&attributes, &all) &&
                !posix_spawnattr_setsigmask(&attributes, &none);
    wrong = good ? posix_spawn(pid, "/proc/self/exe", &files, &attributes, words, environ) : ENOMEM;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return wrong;
}

pid_t devnet_spawn(const struct devnet_dir *dir, uint32_t process, struct fault *fault)
{
    char number[16], name[DEVNET_TEXT_MAX];
    char *node_words[] = {"stagger", "devnet", "node", "run", number, "--dir", dir->path, NULL};
    char *chain_words[] = {"stagger", "devnet", "chain", "run", "--dir", dir->path, NULL};
    int log;
    pid_t pid = 0;
    (void)snprintf(number, sizeof number, "%u", process);
    if (!devnet_log_open(dir, process, &log, fault))
        return 0;
    int wrong = spawn(&pid, process == DEVNET_CHAIN ? chain_words : node_words, log);
    close(log);
    if (wrong == 0)
        return pid;
    (void)fault_set(fault, "%s cannot be started: %s", devnet_process_name(process, name),
                    strerror(wrong));
    return 0;
}

void devnet_log_tail(const char *path, char line[DEVNET_LINE_MAX])
{
    char text[TAIL_MAX + 1];
    struct stat state;
    ssize_t size = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0 && fstat(descriptor, &state) == 0)
        size = pread(descriptor, text, TAIL_MAX,
                     state.st_size > TAIL_MAX ? state.st_size - TAIL_MAX : 0);
    if (descriptor >= 0)
        close(descriptor);
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == ' '))
        size--;
    text[size > 0 ? size : 0] = '\0';
    const char *last = strrchr(text, '\n');
    (void)snprintf(line, DEVNET_LINE_MAX, "%.*s", DEVNET_LINE_MAX - 1, last ? last + 1 : text);
}

void devnet_ended_text(const struct devnet_dir *dir, uint32_t process, int status,
                       struct fault *fault)
{
    char name[DEVNET_TEXT_MAX], line[DEVNET_LINE_MAX], path[DEVNET_PATH_MAX];
    devnet_process_name(process, name);
    devnet_log_tail(devnet_process_file(dir, process, "log", path), line);
    if (process < DEVNET_CHAIN && WIFEXITED(status) && WEXITSTATUS(status) == DEVNET_PORT_TAKEN)
        (void)devnet_port_fault(dir, process, fault);
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        (void)fault_set(fault, "%s has ended", name);
    else if (WIFEXITED(status))
        (void)fault_set(fault, "%s ended with status %d%s%s", name, WEXITSTATUS(status),
                        line[0] ? ": " : "", line);
    else
        (void)fault_set(fault, "%s was ended by signal %d", name, WTERMSIG(status));
}
