/* agent.json: who we are, so that a later start can open the journal before the chain answers.
 *
 *     {"version":1,"chain_id":"localnet-1","account":"<40 hex digits>","validator":"<40 hex digits>"}
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/agent_internal.h"
#include "node/field.h"
#include "node/file.h"
#include "node/json_value.h"

#define NAME "agent.json"
#define SIZE_LIMIT 2000
#define VERSION 1

static bool read_fields(struct agent *agent, const json_t *value, struct fault *fault)
{
    struct field top = field_top(value, NAME, fault);
    uint8_t account[ACCOUNT_ADDRESS_SIZE];
    uint32_t version;
    if (!field_uint32(&top, "version", &version))
        return false;
    if (version != VERSION)
        return fault_set(fault,
                         NAME " is of version %u, this stagger knows version %d: use the newer one",
                         version, VERSION);
    if (!field_text(&top, "chain_id", agent->chain_id, sizeof agent->chain_id) ||
        !field_hex(&top, "account", account, sizeof account) ||
        !field_hex(&top, "validator", agent->validator, sizeof agent->validator))
        return false;
    if (memcmp(account, agent->account, sizeof account) != 0)
        return fault_set(fault, NAME " is of another account: set account.key to the one that this "
                                     "agent began with, or give the other an agent.dir of its own");
    return true;
}

static bool read_text(struct agent *agent, const char *text, size_t size, struct fault *fault)
{
    json_error_t error;
    json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    agent->known = value && read_fields(agent, value, fault);
    if (!value)
        fault_set(fault, NAME ": no JSON: %s; remove it, the chain tells again who we are",
                  error.text);
    json_decref(value);
    return agent->known;
}

bool agent_file_read(struct agent *agent, struct fault *fault)
{
    const char *dir = settings_text(agent->settings, SETTING_AGENT_DIR);
    char text[SIZE_LIMIT];
    size_t size;
    bool missing = false;
    int folder = folder_open(dir, &missing, fault);
    if (folder < 0)
        return fault_within(fault, "agent.dir");
    bool good = file_get(folder, NAME, text, sizeof text, &size, &missing, fault);
    close(folder);
    if (missing)
        return true;
    if (good && size == sizeof text)
        good =
            fault_set(fault, "has more than %d bytes; remove it, the chain tells again who we are",
                      SIZE_LIMIT);
    return (good && read_text(agent, text, size, fault)) || fault_within(fault, dir);
}

bool agent_file_write(struct agent *agent, struct fault *fault)
{
    const char *dir = settings_text(agent->settings, SETTING_AGENT_DIR);
    bool missing = false;
    json_t *value = json_pack("{s:i,s:s,s:o,s:o}", "version", VERSION, "chain_id", agent->chain_id,
                              "account", json_hex(agent->account, ACCOUNT_ADDRESS_SIZE),
                              "validator", json_hex(agent->validator, ADDRESS_SIZE));
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    int folder = folder_open(dir, &missing, fault);
    bool good =
        text && folder >= 0 && file_put(folder, NAME, text, strlen(text), true, fault) == FILE_PUT;
    if (folder >= 0)
        close(folder);
    free(text);
    json_decref(value);
    return good || fault_within(fault, folder < 0 ? "agent.dir" : dir);
}
