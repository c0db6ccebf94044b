/* Commands beside the loop, timers in it, and processes that are known again. The commands are this program itself, called
 * with a word for what it does:  test_errand WORD...
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/errand.h"
#include "node/identity.h"
#include "node/wake.h"

#define LONG_MS 60000 /* more than any of these commands takes */
#define LINES_MAX 64

static char self[4096];

/* --- the commands --- */

/* Nothing of ours but the standard descriptors, and of those the input is empty. */
static int descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    int count = 0;
    char c;
    while ((entry = readdir(folder)) != NULL)
        count += atoi(entry->d_name) != dirfd(folder) && entry->d_name[0] != '.';
    (void)closedir(folder);
    return count == 3 && read(STDIN_FILENO, &c, 1) == 0 ? 0 : 1;
}

/* Sanitizers handle some others. */
static int signals(void)
{
    static const int usual[] = {SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGCHLD, SIGUSR1, SIGALRM};
    sigset_t mask;
    struct sigaction action;
    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (sigismember(&mask, usual[i]) == 1 || sigaction(usual[i], NULL, &action) != 0 ||
            action.sa_handler != SIG_DFL)
            return usual[i];
    return getpgrp() == getpid() ? 0 : 1;
}

static int command(int argc, char **argv)
{
    const char *word = argv[1], *more = argc > 2 ? argv[2] : "";
    if (strcmp(word, "descriptors") == 0)
        return descriptors();
    if (strcmp(word, "signals") == 0)
        return signals();
    if (strcmp(word, "variable") == 0) {
        printf("%s=%s\n", more, getenv(more) ? getenv(more) : "(none)");
        return 0;
    }
    if (strcmp(word, "status") == 0)
        return atoi(more);
    if (strcmp(word, "family") == 0) { /* says who they are, and stays */
        pid_t child = fork();
        if (child > 0)
            printf("%ld\n%ld\n", (long)getpid(), (long)child);
        fflush(stdout);
        for (;;)
            (void)pause();
    }
    return 99;
}

/* --- the world --- */

struct world {
    zloop_t *loop;
    char folder[64], output[96], mark[96];
    bool in_call, done, ok;
    char text[ERRAND_TEXT_MAX];
    char lines[LINES_MAX][ERRAND_LINE_MAX];
    size_t line_count, lines_wanted;
    int due;
};

static void on_line(void *owner, const char *text)
{
    struct world *world = owner;
    assert_false(world->in_call);
    assert_true(world->line_count < LINES_MAX);
    snprintf(world->lines[world->line_count++], ERRAND_LINE_MAX, "%s", text);
}

static void on_done(void *owner, bool ok, const char *text)
{
    struct world *world = owner;
    assert_false(world->in_call);
    assert_false(world->done);
    world->done = true;
    world->ok = ok;
    snprintf(world->text, sizeof world->text, "%s", text);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->loop = zloop_new();
    snprintf(world->folder, sizeof world->folder, "/tmp/stagger-errand-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->output, sizeof world->output, "%s/output", world->folder);
    snprintf(world->mark, sizeof world->mark, "%s/mark", world->folder);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    zloop_destroy(&world->loop);
    (void)unlink(world->output);
    (void)unlink(world->mark);
    assert_int_equal(rmdir(world->folder), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie is left */
    free(world);
    return 0;
}

static struct errand *begin(struct world *world, char *const *environment, char *const *argv,
                            struct fault *fault)
{
    struct errand_config config = {.loop = world->loop,
                                   .argv = argv,
                                   .environment = environment,
                                   .timeout_ms = LONG_MS,
                                   .output = world->output,
                                   .mark = world->mark,
                                   .owner = world,
                                   .line = on_line,
                                   .done = on_done};
    world->done = false;
    world->line_count = 0;
    world->in_call = true;
    struct errand *errand = errand_run(&config, fault);
    world->in_call = false;
    return errand;
}

/* One round of the loop after the other. */
static int on_round(zloop_t *loop, int timer, void *argument)
{
    const struct world *world = argument;
    (void)loop, (void)timer;
    return world->done || (world->lines_wanted && world->line_count >= world->lines_wanted) ? -1
                                                                                            : 0;
}

static void turn(struct world *world, size_t lines)
{
    world->lines_wanted = lines;
    int timer = zloop_timer(world->loop, 1, 0, on_round, world);
    (void)zloop_start(world->loop);
    zloop_timer_end(world->loop, timer);
}

static void run(struct world *world, char *const *environment, const char *word, const char *more)
{
    struct fault fault = {""};
    char *argv[] = {self, (char *)(uintptr_t)word, (char *)(uintptr_t)more, NULL};
    assert_non_null(begin(world, environment, argv, &fault));
    assert_false(world->done);
    turn(world, 0);
}

static bool gone(pid_t pid)
{
    struct identity identity;
    int process = identity_of(pid, &identity) ? identity_open(&identity) : -1;
    if (process >= 0)
        (void)close(process);
    return process < 0;
}

/* --- errands --- */

static void test_ends(void **state)
{
    struct world *world = *state;
    run(world, NULL, "status", "0");
    assert_true(world->ok);
    run(world, NULL, "status", "7");
    assert_false(world->ok);
    assert_string_equal(world->text, "ended with status 7");
}

static void test_surroundings(void **state)
{
    struct world *world = *state;
    sigset_t mask, before;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &mask, &before);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, was;
    (void)sigaction(SIGPIPE, &ignore, &was);
    int stray = open("/dev/null", O_RDONLY); /* not to be inherited, though nobody said so */
    run(world, NULL, "signals", "");
    assert_true(world->ok);
    run(world, NULL, "descriptors", "");
    assert_true(world->ok);
    (void)close(stray);
    (void)sigaction(SIGPIPE, &was, NULL);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static void test_environment(void **state)
{
    struct world *world = *state;
    char *extra[] = {"STAGGER_TEST_A=new", "STAGGER_TEST=short", NULL};
    setenv("STAGGER_TEST_A", "old", 1);
    setenv("WATCHDOG_USEC", "1", 1);
    run(world, extra, "variable", "STAGGER_TEST_A");
    assert_string_equal(world->lines[0], "STAGGER_TEST_A=new");
    run(world, extra, "variable", "STAGGER_TEST");
    assert_string_equal(world->lines[0], "STAGGER_TEST=short");
    run(world, extra, "variable", "WATCHDOG_USEC");
    assert_string_equal(world->lines[0], "WATCHDOG_USEC=(none)");
    run(world, NULL, "variable", "STAGGER_TEST_A");
    assert_string_equal(world->lines[0], "STAGGER_TEST_A=old");
    unsetenv("STAGGER_TEST_A");
    unsetenv("WATCHDOG_USEC");
}

static void test_cannot_start(void **state)
{
    struct world *world = *state;
    struct fault fault = {""};
    char *nowhere[] = {"/no/such/thing", NULL}, *unknown[] = {"no-such-thing-anywhere", NULL};
    assert_null(begin(world, NULL, nowhere, &fault));
    assert_string_equal(fault.text, "/no/such/thing: cannot be run: No such file or directory");
    assert_null(begin(world, NULL, unknown, &fault));
    (void)unlink(world->output);
    assert_int_equal(mkdir(world->output, 0700), 0);
    assert_null(begin(world, NULL, (char *[]){"true", NULL}, &fault));
    assert_non_null(strstr(fault.text, "/output: cannot be written: Is a directory"));
    assert_int_equal(rmdir(world->output), 0);
    assert_non_null(begin(world, NULL, (char *[]){"true", NULL}, &fault));
    turn(world, 0);
    assert_true(world->ok);
}

static void test_cancel(void **state)
{
    struct world *world = *state;
    struct fault fault;
    struct errand *errand = begin(world, NULL, (char *[]){self, "family", NULL}, &fault);
    assert_non_null(errand);
    turn(world, 2); /* lines come while it runs */
    pid_t parent = atoi(world->lines[0]), child = atoi(world->lines[1]);
    assert_false(gone(child));
    struct identity identity;
    assert_true(identity_of(child, &identity));
    int process = identity_open(&identity);
    errand_cancel(&errand);
    assert_null(errand);
    assert_true(gone(parent));
    assert_int_equal(poll(&(struct pollfd){process, POLLIN, 0}, 1, LONG_MS), 1);
    (void)close(process);
    assert_false(world->done);
}

/* Left alone it goes on; whoever comes next with the same mark waits for it. */
static void test_leave(void **state)
{
    struct world *world = *state;
    struct fault fault;
    struct errand *errand = begin(world, NULL, (char *[]){self, "family", NULL}, &fault);
    assert_non_null(errand);
    turn(world, 2);
    pid_t parent = atoi(world->lines[0]);
    errand_leave(&errand);
    assert_false(gone(parent));
    assert_non_null(begin(world, NULL, (char *[]){"true", NULL}, &fault));
    assert_int_equal(kill(-parent, SIGKILL), 0);
    turn(world, 0);
    assert_true(world->ok);
    assert_int_equal(waitpid(parent, NULL, 0), parent); /* only here are both the same process's */
}

/* --- timers --- */

static void on_due(void *owner)
{
    ((struct world *)owner)->due++;
}

static int on_later(zloop_t *loop, int timer, void *argument)
{
    (void)loop, (void)timer, (void)argument;
    return -1;
}

static void test_wake(void **state)
{
    struct world *world = *state;
    struct wake *wake = wake_create(world->loop, on_due, world);
    wake_set(wake, 0);
    assert_int_equal(world->due, 0);
    zloop_timer(world->loop, 30, 1, on_later, NULL);
    (void)zloop_start(world->loop);
    assert_int_equal(world->due, 1);
    wake_set(wake, 0);
    wake_stop(wake);
    zloop_timer(world->loop, 30, 1, on_later, NULL);
    (void)zloop_start(world->loop);
    assert_int_equal(world->due, 1);
    wake_set(wake, 0);
    wake_set(wake, LONG_MS);
    zloop_timer(world->loop, 30, 1, on_later, NULL);
    (void)zloop_start(world->loop);
    assert_int_equal(world->due, 1);
    wake_destroy(&wake);
    assert_null(wake);
}

/* --- identities --- */

static int file_with(const struct world *world, const char *text)
{
    int fd = open(world->mark, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

static void test_identity(void **state)
{
    struct world *world = *state;
    struct identity own, read_back;
    assert_true(identity_of(getpid(), &own));
    int fd = file_with(world, "something that is longer than any line could be, and then some "
                              "more of it: it has to be gone afterwards, all of it.\n");
    assert_true(identity_write(&own, fd));
    assert_true(identity_read(&read_back, fd));
    assert_int_equal(read_back.pid, own.pid);
    assert_true(read_back.start == own.start);
    assert_string_equal(read_back.boot, own.boot);
    (void)close(fd);
    int process = identity_open(&read_back);
    assert_true(process >= 0);
    (void)close(process);
    read_back.start++;
    assert_int_equal(identity_open(&read_back), -1);
    read_back = own;
    read_back.boot[0] = read_back.boot[0] == 'a' ? 'b' : 'a';
    assert_int_equal(identity_open(&read_back), -1);
    assert_int_equal(identity_open(&(struct identity){0}), -1);
}

/* A copy of the file, as of a folder that was copied, says nothing. */
static void test_identity_copied(void **state)
{
    struct world *world = *state;
    struct identity identity;
    char text[IDENTITY_TEXT_MAX], other[128];
    assert_true(identity_of(getpid(), &identity));
    int fd = file_with(world, "");
    assert_true(identity_write(&identity, fd));
    ssize_t got = pread(fd, text, sizeof text, 0);
    snprintf(other, sizeof other, "%s/copy", world->folder);
    int copy = open(other, O_RDWR | O_CREAT, 0600);
    assert_int_equal(write(copy, text, (size_t)got), got);
    assert_true(identity_read(&identity, fd));
    assert_false(identity_read(&identity, copy));
    (void)close(fd);
    (void)close(copy);
    (void)unlink(other);
}

static void test_identity_torn(void **state)
{
    struct identity identity;
    char text[IDENTITY_TEXT_MAX + 1];
    assert_true(identity_of(getpid(), &identity));
    int fd = file_with(*state, "");
    assert_true(identity_write(&identity, fd));
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    for (ssize_t i = 0; i < size; i++) {
        assert_int_equal(ftruncate(fd, i), 0);
        assert_false(identity_read(&identity, fd));
        assert_int_equal(pwrite(fd, text, (size_t)size, 0), size);
        assert_true(identity_read(&identity, fd));
        char wrong = i == size - 1 ? ' ' : 'z'; /* at its end all but a line's end */
        assert_int_equal(pwrite(fd, &wrong, 1, i), 1);
        assert_false(identity_read(&identity, fd));
        assert_int_equal(pwrite(fd, text, (size_t)size, 0), size);
    }
    (void)close(fd);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_surroundings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_environment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cannot_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leave, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wake, setup, teardown),
        cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(test_identity_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(test_identity_torn, setup, teardown),
    };
    if (argc > 1)
        return command(argc, argv);
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0)
        return 1;
    zsys_handler_set(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
