/* The processes of a demo. None may outlive it: a child dies with us (PR_SET_PDEATHSIG), and what a child leaves behind
 * becomes ours (PR_SET_CHILD_SUBREAPER, set by demo.c), so that in the end there is nobody whom waitpid() does not see. */
#define _GNU_SOURCE /* prctl()'s friends: kill(), setsid() */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/demo_internal.h"

#define AGENT_GRACE_MS 8000 /* an agent ends its node first */
#define GRACE_MS 5000
#define AGAIN_MS 50
#define SETTINGS_PREFIX "STAGGER_" /* variables that would change the agents' settings */

extern char **environ;

/* --- start --- */

/* Ours without what is meant for other agents of this machine; NULL: memory is short. */
static char **environment_make(void)
{
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **made = calloc(count + 1, sizeof *made);
    for (size_t i = 0; made && i < count; i++)
        if (strncmp(environ[i], SETTINGS_PREFIX, strlen(SETTINGS_PREFIX)) != 0)
            made[kept++] = environ[i];
    return made;
}

/* Behind fork(): calls nothing that may not be called there, and does not return. */
static void become(char *const *words, char **environment, int log, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    int nothing = open("/dev/null", O_RDONLY);
    bool good = setsid() > 0 && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
                dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0 &&
                prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
    if (good && getppid() == parent)
        (void)execve("/proc/self/exe", words, environment);
    _exit(127);
}

bool demo_child_start(struct demo_child *child, char *const *words, const char *log,
                      struct fault *fault)
{
    pid_t parent = getpid();
    *child = (struct demo_child){0};
    (void)snprintf(child->log, sizeof child->log, "%s", log);
    int descriptor = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return fault_set(fault, "%s: %s; a directory that can be written expected", log,
                         strerror(errno));
    char **environment = environment_make();
    fflush(NULL);
    pid_t pid = environment ? fork() : -1;
    if (pid == 0)
        become(words, environment, descriptor, parent);
    int reason = errno;
    free(environment);
    close(descriptor);
    if (pid < 0)
        return fault_set(fault, "`stagger %s` cannot be started: %s; free memory or processes",
                         words[1], strerror(reason));
    child->pid = pid;
    child->runs = true;
    return true;
}

/* --- ends --- */

static void child_note(struct demo_child *child, pid_t pid, int status)
{
    if (!child->runs || child->pid != pid)
        return;
    child->runs = false;
    child->status = status;
}

static void children_reap(struct demo *demo)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        child_note(&demo->devnet, pid, status);
        for (uint32_t i = 0; i < demo->count; i++) {
            child_note(&demo->nodes[i].agent, pid, status);
            child_note(&demo->nodes[i].key, pid, status);
            child_note(&demo->nodes[i].ask, pid, status);
        }
    }
}

void demo_wait(struct demo *demo, int64_t timeout_ms)
{
    struct signalfd_siginfo info;
    struct pollfd wait = {.fd = demo->signals, .events = POLLIN};
    (void)poll(&wait, 1, timeout_ms > 0 ? (int)timeout_ms : 0);
    while (read(demo->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD && demo->signal == 0)
            demo->signal = (int)info.ssi_signo;
    children_reap(demo);
}

void demo_child_fault(const struct demo_child *child, const char *name, struct fault *fault)
{
    char line[DEVNET_LINE_MAX], how[64];
    devnet_log_tail(child->log, line);
    if (WIFSIGNALED(child->status))
        (void)snprintf(how, sizeof how, "was ended by signal %d", WTERMSIG(child->status));
    else
        (void)snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(child->status));
    (void)fault_set(fault, "%s %s%s%s", name, how, line[0] ? ": " : "", line);
}

static void child_signal(const struct demo_child *child, int signal)
{
    if (child->runs)
        (void)kill(child->pid, signal);
}

/* The parent of a process; 0: it is gone. */
static pid_t parent_of(const char *pid)
{
    char path[64], text[512];
    long parent = 0;
    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        fclose(file);
    text[size] = '\0';
    const char *name_end = strrchr(text, ')');
    if (!name_end || sscanf(name_end + 1, " %*c %ld", &parent) != 1)
        return 0;
    return (pid_t)parent;
}

/* Everybody whose parent we are, also those that lost theirs. */
static void all_signal(int signal)
{
    DIR *folder = opendir("/proc");
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            parent_of(entry->d_name) == getpid())
            (void)kill((pid_t)strtol(entry->d_name, NULL, 10), signal);
    closedir(folder);
}

static bool agents_run(const struct demo *demo)
{
    bool any = false;
    for (uint32_t i = 0; i < demo->count; i++)
        any = any || demo->nodes[i].agent.runs || demo->nodes[i].ask.runs;
    return any;
}

static void agents_end(struct demo *demo)
{
    int64_t until = demo_now_ms() + AGENT_GRACE_MS;
    for (uint32_t i = 0; i < demo->count; i++) {
        child_signal(&demo->nodes[i].ask, SIGTERM);
        child_signal(&demo->nodes[i].agent, SIGTERM);
    }
    while (agents_run(demo) && demo_now_ms() < until)
        demo_wait(demo, until - demo_now_ms());
}

/* Whether nobody is left. */
static bool wait_none(struct demo *demo, int64_t grace_ms)
{
    int64_t until = demo_now_ms() + grace_ms;
    while (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD) {
        if (demo_now_ms() >= until)
            return false;
        demo_wait(demo, until - demo_now_ms());
    }
    return true;
}

void demo_children_end(struct demo *demo)
{
    agents_end(demo);
    all_signal(SIGTERM);
    for (bool none = wait_none(demo, GRACE_MS); !none; none = wait_none(demo, AGAIN_MS))
        all_signal(SIGKILL);
}
