/* Asking a process of the devnet whether it is up. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <curl/curl.h>

#include "sim/devnet_internal.h"

#define REPLY_MAX 65536

struct reply {
    char text[REPLY_MAX];
    size_t size;
};

static size_t take(char *bytes, size_t one, size_t count, void *context)
{
    struct reply *reply = context;
    size_t size = one * count;
    if (size > REPLY_MAX - reply->size)
        return 0;
    memcpy(reply->text + reply->size, bytes, size);
    reply->size += size;
    return size;
}

static bool whole(const char *text, int64_t *number)
{
    char *end;
    *number = text ? strtoll(text, &end, 10) : -1;
    return text && *text && *end == '\0';
}

static bool state_take(const struct reply *reply, struct devnet_state *state)
{
    json_error_t wrong;
    const char *height = NULL, *power = NULL;
    int catching_up = 0;
    json_t *json = json_loadb(reply->text, reply->size, 0, &wrong);
    bool good = json && json_unpack(json, "{s:{s:{s:s,s:b},s:{s:s}}}", "result", "sync_info",
                                    "latest_block_height", &height, "catching_up", &catching_up,
                                    "validator_info", "voting_power", &power) == 0;
    good = good && whole(height, &state->height) && whole(power, &state->power);
    state->catching_up = catching_up != 0;
    json_decref(json);
    return good;
}

static bool get(const char *url, int64_t timeout_ms, struct reply *reply)
{
    CURL *curl = curl_easy_init();
    bool good = curl && curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
                curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply) == CURLE_OK &&
                curl_easy_perform(curl) == CURLE_OK;
    curl_easy_cleanup(curl);
    return good;
}

/* Owned by the caller (free); NULL: no answer. */
static struct reply *ask(const struct devnet_dir *dir, uint32_t node, const char *method,
                         int64_t timeout_ms)
{
    char url[64];
    struct reply *reply = calloc(1, sizeof *reply);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/%s", devnet_node_port(dir, node), method);
    if (reply && get(url, timeout_ms, reply))
        return reply;
    free(reply);
    return NULL;
}

bool devnet_ask(const struct devnet_dir *dir, uint32_t node, int64_t timeout_ms,
                struct devnet_state *state)
{
    struct reply *reply = ask(dir, node, "status", timeout_ms);
    bool good = reply && state_take(reply, state);
    free(reply);
    return good;
}

bool devnet_ask_version(const struct devnet_dir *dir, uint32_t node, int64_t timeout_ms,
                        char version[DEVNET_VERSION_MAX])
{
    struct reply *reply = ask(dir, node, "abci_info", timeout_ms);
    json_t *json = reply ? json_loadb(reply->text, reply->size, 0, NULL) : NULL;
    const char *said = NULL;
    (void)json_unpack(json, "{s:{s:{s:s}}}", "result", "response", "version", &said);
    (void)snprintf(version, DEVNET_VERSION_MAX, "%s", said ? said : "");
    json_decref(json);
    free(reply);
    return version[0] != '\0';
}

/* A socket file that nobody listens at refuses. */
bool devnet_chain_listens(const struct devnet_dir *dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", dir->socket);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listens =
        descriptor >= 0 && connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return listens;
}

bool devnet_process_up(const struct devnet_dir *dir, uint32_t process)
{
    struct devnet_state state;
    if (devnet_lock_holder(dir, process) == 0)
        return false;
    return process == DEVNET_CHAIN ? devnet_chain_listens(dir)
                                   : devnet_ask(dir, process, 2000, &state);
}
