#include "tests/rpc_process.h"

#include <assert.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void spawn(struct rpc_process *process, char *const argv[], int output[2])
{
    int input[2];
    posix_spawn_file_actions_t actions;
    int rc = pipe(input) | pipe(output);
    assert(rc == 0);
    (void)fcntl(input[1], F_SETFD, FD_CLOEXEC);
    (void)fcntl(output[0], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], 1);
    posix_spawn_file_actions_addclose(&actions, input[0]);
    posix_spawn_file_actions_addclose(&actions, output[1]);
    rc = posix_spawnp(&process->pid, argv[0], &actions, NULL, argv, environ);
    assert(rc == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(input[0]);
    close(output[1]);
    process->input = input[1];
}

void rpc_process_start(struct rpc_process *process, uint32_t servers, bool tls)
{
    char script[] = STAGGER_SOURCE_DIR "/tests/rpc_server.py", count[16];
    char python[] = "python3", no_cache[] = "-B", servers_flag[] = "--servers",
         tls_flag[] = "--tls";
    char *argv[] = {python, no_cache, script, servers_flag, count, tls ? tls_flag : NULL, NULL};
    int output[2];
    assert(servers >= 1 && servers <= RPC_PROCESS_URLS_MAX);
    *process = (struct rpc_process){0};
    (void)snprintf(count, sizeof count, "%u", servers);
    spawn(process, argv, output);
    FILE *file = fdopen(output[0], "r");
    assert(file != NULL);
    char text[1024];
    char *got = fgets(text, sizeof text, file);
    assert(got != NULL);
    json_t *line = json_loads(text, 0, NULL);
    assert(line != NULL);
    const json_t *urls = json_object_get(line, "urls");
    assert(json_array_size(urls) == servers);
    for (uint32_t i = 0; i < servers; i++)
        (void)snprintf(process->urls[i], sizeof process->urls[i], "%s",
                       json_string_value(json_array_get(urls, i)));
    if (tls)
        (void)snprintf(process->ca_file, sizeof process->ca_file, "%s",
                       json_string_value(json_object_get(line, "ca_file")));
    json_decref(line);
    (void)fclose(file);
}

void rpc_process_stop(struct rpc_process *process)
{
    int status;
    close(process->input);
    pid_t ended = waitpid(process->pid, &status, 0);
    assert(ended == process->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
