/* The control socket from beside: the waiting side in processes of their own, who may ask, and what stands at its path
 * before and after. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/control_server.h"

/* --- the waiting side, in a process of its own --- */

/* Runs it beside the server until it ends; returns its status. */
static int beside(int (*body)(const char *path))
{
    int ended[2];
    assert_int_equal(pipe(ended), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ended[0]);
        _exit(body(server.place.path));
    }
    close(ended[1]);
    probe_turn(server.loop, ended[0]); /* its end closes the pipe */
    close(ended[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static json_t *command(const char *name)
{
    return json_pack("{s:s}", "command", name);
}

static int asks_and_hears(const char *path)
{
    struct fault fault;
    json_t *object;
    int fd = control_ask(path, command("echo"), &fault);
    if (fd < 0 || control_read(fd, 60000, &object, &fault) != CONTROL_HEARD)
        return 1;
    bool ok = json_is_true(json_object_get(object, "ok"));
    json_decref(object);
    return ok && control_read(fd, 60000, &object, &fault) == CONTROL_ENDED && !object &&
                   strstr(fault.text, "ended before it answered")
               ? 0
               : 2;
}

static int hears_nothing_in_time(const char *path)
{
    struct fault fault;
    json_t *object;
    int fd = control_ask(path, command("keep"), &fault);
    bool timed_out = fd >= 0 && control_read(fd, 50, &object, &fault) == CONTROL_TIMEOUT;
    return timed_out && !object && strstr(fault.text, "in time") ? 0 : 1;
}

static int says_too_much(const char *path)
{
    struct fault fault;
    json_t *request = server_large(CONTROL_REQUEST_MAX);
    json_object_set_new(request, "command", json_string("echo"));
    return control_ask(path, request, &fault) == -1 && strstr(fault.text, "too long") ? 0 : 1;
}

static void a_command_beside_the_agent(void **state)
{
    (void)state;
    assert_int_equal(beside(asks_and_hears), 0);
    assert_int_equal(beside(hears_nothing_in_time), 0);
    assert_int_equal(beside(says_too_much), 0);
}

static int hears_much(const char *path)
{
    struct fault fault;
    json_t *object;
    int fd = control_ask(path, command("keep"), &fault);
    for (int i = 0; i < 3; i++) {
        if (fd < 0 || control_read(fd, 60000, &object, &fault) != CONTROL_HEARD)
            return 1;
        size_t size = json_string_length(json_object_get(object, "text"));
        json_decref(object);
        if (size != (i < 2 ? (size_t)70000 * (size_t)(i + 1) : (size_t)5000000))
            return 2;
    }
    return control_read(fd, 60000, &object, &fault) == CONTROL_ENDED ? 0 : 3;
}

/* Longer than any buffer of the kernel's, and several in a row. */
static void a_long_answer(void **state)
{
    int ended[2];
    (void)state;
    assert_int_equal(pipe(ended), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(hears_much(server.place.path));
    close(ended[1]);
    server_bell();
    control_more(server.kept[0], server_large(70000));
    control_more(server.kept[0], server_large(140000));
    control_answer(server.kept[0], server_large(5000000));
    probe_turn(server.loop, ended[0]);
    close(ended[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int is_turned_away(const char *path)
{
    struct fault fault;
    json_t *object;
    if (setuid(65534) != 0)
        return 77;
    int fd = control_ask(path, command("echo"), &fault);
    if (fd < 0 || control_read(fd, 60000, &object, &fault) != CONTROL_HEARD)
        return 1;
    const char *code = json_string_value(json_object_get(object, "code"));
    return code && strcmp(code, "not-allowed") == 0 ? 0 : 2;
}

static int is_locked_out(const char *path)
{
    struct fault fault;
    if (setuid(65534) != 0)
        return 77;
    return control_ask(path, command("echo"), &fault) == -1 && strstr(fault.text, "own user") ? 0
                                                                                              : 1;
}

/* The file's mode keeps others out, and where somebody has opened it all the same, their number does. */
static void another_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(server.place.dir, 0755), 0);
    assert_int_equal(beside(is_locked_out), 0);
    assert_int_equal(chmod(server.place.path, 0666), 0);
    assert_int_equal(beside(is_turned_away), 0);
    assert_int_equal(server.asked, 0);
}

/* --- the path --- */

static void the_file(void **state)
{
    struct stat about;
    struct fault fault;
    (void)state;
    assert_int_equal(lstat(server.place.path, &about), 0);
    assert_true(S_ISSOCK(about.st_mode));
    assert_int_equal(about.st_mode & 07777, 0600);
    control_destroy(&server.control);
    assert_int_equal(lstat(server.place.path, &about), -1);
    server.control = server_create(server.place.path, &fault);
    assert_non_null(server.control);
}

static void a_living_agent_is_left_alone(void **state)
{
    struct fault fault;
    (void)state;
    assert_null(server_create(server.place.path, &fault));
    assert_non_null(strstr(fault.text, "another agent answers"));
    server_settle();
}

/* A kill leaves the socket behind: nobody listens to it any more. */
static void what_a_dead_agent_left(void **state)
{
    struct fault fault;
    char aside[PROBE_PATH_MAX + 8];
    (void)state;
    snprintf(aside, sizeof aside, "%s.aside", server.place.path);
    assert_int_equal(rename(server.place.path, aside), 0);
    control_destroy(&server.control); /* closes it, and finds nothing of its own to remove */
    assert_int_equal(rename(aside, server.place.path), 0);
    assert_int_equal(control_ask(server.place.path, command("echo"), &fault), -1);
    assert_non_null(strstr(fault.text, "does not run"));
    server.control = server_create(server.place.path, &fault);
    assert_non_null(server.control);
    server_settle();
}

static void a_path_that_cannot_be(void **state)
{
    struct fault fault;
    char path[200];
    (void)state;
    memset(path, 'x', sizeof path);
    path[CONTROL_PATH_MAX] = '\0';
    assert_null(server_create(path, &fault));
    assert_non_null(strstr(fault.text, "1 to 107 bytes"));
    assert_null(server_create("", &fault));
    snprintf(path, sizeof path, "%s/none/control", server.place.dir);
    assert_null(server_create(path, &fault));
    assert_non_null(strstr(fault.text, "directory"));
    assert_int_equal(control_ask(path, command("echo"), &fault), -1);
    assert_non_null(strstr(fault.text, "stagger run"));
    snprintf(path, sizeof path, "%s/file", server.place.dir);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_null(server_create(path, &fault));
    assert_non_null(strstr(fault.text, "no socket"));
    assert_int_equal(unlink(path), 0);
}

/* Somebody has put another socket in its place: it is not ours to remove. */
static void a_path_that_was_taken(void **state)
{
    struct fault fault;
    struct stat about;
    struct control *other;
    (void)state;
    assert_int_equal(unlink(server.place.path), 0);
    other = server_create(server.place.path, &fault);
    assert_non_null(other);
    control_destroy(&server.control);
    assert_int_equal(lstat(server.place.path, &about), 0);
    server.control = other;
    server_settle();
}

static void the_path_from_the_settings(void **state)
{
    struct settings *settings = settings_create();
    char path[CONTROL_PATH_MAX], longer[CONTROL_PATH_MAX + 1];
    struct fault fault;
    (void)state;
    assert_true(settings_read_flag(settings, SETTING_AGENT_DIR, "/var/lib/stagger", &fault));
    assert_true(control_path(settings, path, &fault));
    assert_string_equal(path, "/var/lib/stagger/control");
    assert_true(settings_read_flag(settings, SETTING_AGENT_CONTROL, "/run/stagger.sock", &fault));
    assert_true(control_path(settings, path, &fault));
    assert_string_equal(path, "/run/stagger.sock");
    memset(longer, 'x', sizeof longer);
    longer[CONTROL_PATH_MAX] = '\0';
    assert_true(settings_read_flag(settings, SETTING_AGENT_CONTROL, longer, &fault));
    assert_false(control_path(settings, path, &fault));
    assert_non_null(strstr(fault.text, "agent.control"));
    settings_destroy(&settings);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, server_begin, server_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_command_beside_the_agent),
        TEST(a_long_answer),
        TEST(another_user),
        TEST(the_file),
        TEST(a_living_agent_is_left_alone),
        TEST(what_a_dead_agent_left),
        TEST(a_path_that_cannot_be),
        TEST(a_path_that_was_taken),
        TEST(the_path_from_the_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
