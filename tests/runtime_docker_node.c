/* What runs in the containers of tests/test_runtime_docker.py: a node that writes down when it runs, in /data.
 *
 *     node [IGNORED...]    "start VERSION" in /data/log, then "stop" at SIGTERM; "TWO" when another one runs already
 *     node check           the health check: status 0 when there is /data/healthy
 *
 * VERSION is the environment's. MOOD says how it behaves: "stubborn" ignores SIGTERM, "broken" ends at once.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void say(const char *what, const char *more)
{
    char line[128];
    int size = snprintf(line, sizeof line, "%s%s\n", what, more);
    int fd = open("/data/log", O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (fd < 0 || write(fd, line, (size_t)size) != size)
        exit(4);
    close(fd);
}

int main(int argc, char **argv)
{
    const char *version = getenv("VERSION"), *mood = getenv("MOOD");
    sigset_t wanted;
    int which;
    if (argc > 1 && strcmp(argv[1], "check") == 0)
        return access("/data/healthy", F_OK) == 0 ? 0 : 1;
    mood = mood == NULL ? "" : mood;
    int lock = open("/data/lock", O_RDWR | O_CREAT, 0666);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0)
        say("TWO", "");
    say("start ", version == NULL ? "?" : version);
    if (strcmp(mood, "broken") == 0)
        return 3;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGTERM);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    do {
        sigwait(&wanted, &which);
    } while (strcmp(mood, "stubborn") == 0);
    say("stop", "");
    return 0;
}
