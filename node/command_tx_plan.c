#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/command_tx.h"
#include "node/field.h"
#include "node/rpc.h"
#include "proto/input.h"

#define PLAN_FILE_MAX ((size_t)256 << 10)

/* --- resources --- */

/* The URL stands between the first comma and the last but one, so it may hold some itself. */
bool tx_resource_take(struct tx_wish *wish, const char *text, struct fault *fault)
{
    if (wish->resource_count == TX_RESOURCES_MAX)
        return fault_set(fault, "more than %d resources", TX_RESOURCES_MAX);
    char *copy = strdup(text);
    if (!copy)
        return fault_set(fault, "out of memory");
    wish->texts[wish->text_count++] = copy;
    char *url = strchr(copy, ','), *checksum = strrchr(copy, ','), *version = NULL;
    if (checksum)
        *checksum++ = '\0';
    if (url && checksum != url + 1)
        version = strrchr(copy, ',');
    if (!version || version == url)
        return fault_set(fault, "expected ID,URL,VERSION,CHECKSUM with three commas");
    *version++ = '\0';
    *url++ = '\0';
    wish->resources[wish->resource_count++] =
        (struct tx_resource){.id = copy, .url = url, .version = version, .checksum = checksum};
    return true;
}

/* --- time --- */

/* "+02:00" at the end of the text in seconds; false when there is none. */
static bool offset_read(const char *text, size_t length, int64_t *seconds)
{
    if (length < 6)
        return false;
    const char *at = text + length - 6;
    if ((at[0] != '+' && at[0] != '-') || at[3] != ':')
        return false;
    for (size_t i = 1; i < 6; i++)
        if (i != 3 && (at[i] < '0' || at[i] > '9'))
            return false;
    int64_t hours = (at[1] - '0') * 10 + at[2] - '0', minutes = (at[4] - '0') * 10 + at[5] - '0';
    *seconds = (hours * 60 + minutes) * 60 * (at[0] == '-' ? -1 : 1);
    return hours < 24 && minutes < 60;
}

bool tx_time_read(const char *text, int64_t *seconds, struct fault *fault)
{
    char utc[48], quoted[INPUT_QUOTE_MAX];
    size_t length = strlen(text);
    uint64_t unix_time;
    int64_t offset = 0;
    struct time_stamp stamp;
    if (input_whole(text, &unix_time) && unix_time <= INT64_MAX) {
        *seconds = (int64_t)unix_time;
        return true;
    }
    if (offset_read(text, length, &offset) && length < sizeof utc)
        snprintf(utc, sizeof utc, "%.*sZ", (int)length - 6, text);
    else
        snprintf(utc, sizeof utc, "%s", text);
    if (length >= sizeof utc || !field_parse_time(utc, strlen(utc), &stamp) || stamp.nanos)
        return fault_set(
            fault,
            "\"%s\" is not accepted; expected whole Unix seconds, or such as 2026-12-24T18:00:00Z",
            input_quote(text, quoted));
    *seconds = stamp.seconds - offset;
    return true;
}

/* --- the file --- */

static const char *const keys[] = {
    "name",
    "upgrade_time",
    "resources",
    "old_chain_id",
    "new_chain_id",
    "rollback_checksum",
    "max_enrolment_duration",
    "memo",
    "instate",
    "reboot_required",
    "skip_handler",
    "title",
    "description",
    "height",
    "info",
};

static bool key_known(const char *key, struct fault *fault)
{
    char quoted[INPUT_QUOTE_MAX];
    struct input_nearest nearest = {key, NULL, 0};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i], key) == 0)
            return true;
        input_nearest_offer(&nearest, keys[i]);
    }
    return fault_set(fault, "%s: there is no such key%s%s%s", input_quote(key, quoted),
                     nearest.best ? "; did you mean " : "", nearest.best ? nearest.best : "",
                     nearest.best ? "?" : "");
}

static bool text_read(const json_t *object, const char *key, const char **text, struct fault *fault)
{
    const json_t *value = json_object_get(object, key);
    if (!value)
        return true;
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return fault_set(fault, "%s: expected text", key);
    if (!*text)
        *text = json_string_value(value);
    return true;
}

static bool switch_read(const json_t *object, const char *key, bool *on, struct fault *fault)
{
    const json_t *value = json_object_get(object, key);
    if (value && !json_is_boolean(value))
        return fault_set(fault, "%s: expected true or false", key);
    *on = *on || json_is_true(value);
    return true;
}

static bool number_read(const json_t *object, const char *key, int64_t *number, struct fault *fault)
{
    const json_t *value = json_object_get(object, key);
    if (value && (!json_is_integer(value) || json_integer_value(value) < 0))
        return fault_set(fault, "%s: expected a whole number", key);
    if (value && *number == 0)
        *number = json_integer_value(value);
    return true;
}

static bool time_read(struct tx_wish *wish, struct fault *fault)
{
    const json_t *value = json_object_get(wish->file, "upgrade_time");
    int64_t seconds;
    if (!value)
        return true;
    if (json_is_integer(value) && json_integer_value(value) >= 0)
        seconds = json_integer_value(value);
    else if (!json_is_string(value))
        return fault_set(fault, "upgrade_time: expected whole Unix seconds or a time as text");
    else if (!tx_time_read(json_string_value(value), &seconds, fault))
        return fault_within(fault, "upgrade_time");
    if (!wish->has_upgrade_time)
        wish->plan.upgrade_time = seconds;
    wish->has_upgrade_time = true;
    return true;
}

static bool resource_read(const json_t *value, struct tx_resource *resource, struct fault *fault)
{
    const char *key;
    json_t *unused;
    *resource = (struct tx_resource){0};
    if (!json_is_object(value))
        return fault_set(fault, "expected an object with id, url, version and checksum");
    json_object_foreach((json_t *)value, key, unused)
    {
        if (strcmp(key, "id") != 0 && strcmp(key, "url") != 0 && strcmp(key, "version") != 0 &&
            strcmp(key, "checksum") != 0)
            return fault_set(fault, "expected id, url, version and checksum and nothing else");
    }
    return text_read(value, "id", &resource->id, fault) &&
           text_read(value, "url", &resource->url, fault) &&
           text_read(value, "version", &resource->version, fault) &&
           text_read(value, "checksum", &resource->checksum, fault);
}

/* The file's resources count when the command line names none. */
static bool resources_read(struct tx_wish *wish, struct fault *fault)
{
    char place[32];
    const json_t *list = json_object_get(wish->file, "resources");
    struct tx_resource resource;
    if (list && (!json_is_array(list) || json_array_size(list) > TX_RESOURCES_MAX))
        return fault_set(fault, "resources: expected a list of at most %d", TX_RESOURCES_MAX);
    bool wanted = wish->resource_count == 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!resource_read(json_array_get(list, i), &resource, fault)) {
            snprintf(place, sizeof place, "resources[%zu]", i);
            return fault_within(fault, place);
        }
        if (wanted)
            wish->resources[wish->resource_count++] = resource;
    }
    return true;
}

static bool texts_read(struct tx_wish *wish, struct fault *fault)
{
    const struct {
        const char *key;
        const char **text;
    } texts[] = {
        {"name", &wish->plan.name},
        {"old_chain_id", &wish->plan.old_chain_id},
        {"new_chain_id", &wish->plan.new_chain_id},
        {"rollback_checksum", &wish->plan.rollback_checksum},
        {"memo", &wish->plan.memo},
        {"title", &wish->title},
        {"description", &wish->description},
        {"info", &wish->plan.info},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!text_read(wish->file, texts[i].key, texts[i].text, fault))
            return false;
    return true;
}

static bool tree_read(struct tx_wish *wish, struct fault *fault)
{
    const char *key;
    json_t *unused;
    if (!json_is_object(wish->file))
        return fault_set(fault, "expected a JSON object");
    json_object_foreach(wish->file, key, unused)
    {
        if (!key_known(key, fault))
            return false;
    }
    return texts_read(wish, fault) && time_read(wish, fault) && resources_read(wish, fault) &&
           number_read(wish->file, "max_enrolment_duration", &wish->plan.max_enrolment_s, fault) &&
           number_read(wish->file, "height", &wish->plan.height, fault) &&
           switch_read(wish->file, "instate", &wish->plan.instate, fault) &&
           switch_read(wish->file, "reboot_required", &wish->plan.reboot_required, fault) &&
           switch_read(wish->file, "skip_handler", &wish->plan.skip_handler, fault);
}

bool tx_plan_read(struct tx_wish *wish, struct fault *fault)
{
    char error[INPUT_ERROR_MAX], *text = NULL;
    size_t size;
    if (!wish->plan_file)
        return true;
    if (!input_file(wish->plan_file, PLAN_FILE_MAX, false, &text, &size, error))
        fault_set(fault, "%.200s", error);
    else
        wish->file = rpc_parse(text, size, fault);
    free(text);
    if (wish->file && tree_read(wish, fault))
        return true;
    char place[128];
    snprintf(place, sizeof place, "--file %.110s", wish->plan_file);
    return fault_within(fault, place);
}
