#include "node/keys.h"

#include <assert.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "proto/encoding.h"

#define VERSION 1
#define KDF "scrypt"
#define CIPHER "aes-256-gcm"
#define CLEAR_ENDS "  \"tag\": "

/* --- writing --- */

static void line_add(char text[KEYS_FILE_MAX], size_t *size, const char *before,
                     const uint8_t *bytes, size_t count, const char *behind)
{
    size_t before_size = strlen(before), behind_size = strlen(behind);
    assert(*size + before_size + 2 * count + behind_size < KEYS_FILE_MAX);
    memcpy(text + *size, before, before_size);
    *size += before_size;
    hex_encode(bytes, count, text + *size);
    *size += 2 * count;
    memcpy(text + *size, behind, behind_size + 1);
    *size += behind_size;
}

size_t sealed_write(const struct sealed_key *sealed, char text[KEYS_FILE_MAX])
{
    uint8_t checksum[SHA256_DIGEST_LENGTH];
    char kdf[128];
    size_t size = (size_t)snprintf(
        text, KEYS_FILE_MAX, "{\n  \"version\": %d,\n  \"name\": \"%s\",\n", VERSION, sealed->name);
    snprintf(kdf, sizeof kdf,
             "  \"kdf\": {\"name\": \"" KDF "\", \"n\": %u, \"r\": %u, \"p\": %u, \"salt\": \"",
             sealed->cost.n, sealed->cost.r, sealed->cost.p);
    line_add(text, &size, "  \"public_key\": \"", sealed->public_key, sizeof sealed->public_key,
             "\",\n");
    line_add(text, &size, kdf, sealed->salt, sizeof sealed->salt, "\"},\n");
    line_add(text, &size, "  \"cipher\": {\"name\": \"" CIPHER "\", \"nonce\": \"", sealed->nonce,
             sizeof sealed->nonce, "\"},\n");
    line_add(text, &size, CLEAR_ENDS "\"", sealed->tag, sizeof sealed->tag, "\",\n");
    line_add(text, &size, "  \"ciphertext\": \"", sealed->ciphertext, sizeof sealed->ciphertext,
             "\",\n");
    SHA256((const uint8_t *)text, size, checksum);
    line_add(text, &size, "  \"sha256\": \"", checksum, sizeof checksum, "\"\n}\n");
    return size;
}

size_t sealed_clear_size(const char *text)
{
    const char *end = strstr(text, CLEAR_ENDS);
    assert(end);
    return (size_t)(end - text);
}

/* --- reading --- */

static bool text_read(const json_t *object, const char *member, const char **text,
                      struct fault *fault)
{
    const json_t *value = json_object_get(object, member);
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return fault_set(fault, "%s is missing or no text", member);
    *text = json_string_value(value);
    return true;
}

static bool bytes_read(const json_t *object, const char *member, uint8_t *bytes, size_t size,
                       struct fault *fault)
{
    const char *text;
    if (!text_read(object, member, &text, fault))
        return false;
    if (!hex_decode(text, strlen(text), bytes, size))
        return fault_set(fault, "%s is not %zu hex digits", member, 2 * size);
    return true;
}

static bool whole_read(const json_t *object, const char *member, uint32_t max, uint32_t *value,
                       struct fault *fault)
{
    const json_t *number = json_object_get(object, member);
    json_int_t whole = json_integer_value(number); /* 0 when it is none */
    if (!json_is_integer(number) || whole < 1 || whole > (json_int_t)max)
        return fault_set(fault, "%s is no whole number from 1 to %u", member, max);
    *value = (uint32_t)whole;
    return true;
}

/* An object whose "name" must be this one. */
static bool method_read(const json_t *file, const char *member, const char *expected,
                        const json_t **object, struct fault *fault)
{
    const char *name;
    *object = json_object_get(file, member);
    if (!text_read(*object, "name", &name, fault))
        return fault_within(fault, member);
    if (strcmp(name, expected) != 0)
        return fault_set(fault, "%s is another method; expected %s", member, expected);
    return true;
}

static bool kdf_read(const json_t *file, struct sealed_key *sealed, struct fault *fault)
{
    struct keys_cost *cost = &sealed->cost;
    const json_t *kdf;
    if (!method_read(file, "kdf", KDF, &kdf, fault))
        return false;
    if (!whole_read(kdf, "n", KEYS_COST_N_MAX, &cost->n, fault) ||
        !whole_read(kdf, "r", KEYS_COST_R_MAX, &cost->r, fault) ||
        !whole_read(kdf, "p", KEYS_COST_P_MAX, &cost->p, fault) ||
        !bytes_read(kdf, "salt", sealed->salt, sizeof sealed->salt, fault))
        return fault_within(fault, "kdf");
    if (cost->n < 2 || (cost->n & (cost->n - 1)) != 0)
        return fault_set(fault, "kdf: n is no power of two");
    return true;
}

static bool cipher_read(const json_t *file, struct sealed_key *sealed, struct fault *fault)
{
    const json_t *cipher;
    return method_read(file, "cipher", CIPHER, &cipher, fault) &&
           bytes_read(cipher, "nonce", sealed->nonce, sizeof sealed->nonce, fault) &&
           bytes_read(file, "tag", sealed->tag, sizeof sealed->tag, fault) &&
           bytes_read(file, "ciphertext", sealed->ciphertext, sizeof sealed->ciphertext, fault);
}

static bool fields_read(const json_t *file, struct sealed_key *sealed, struct fault *fault)
{
    const char *name;
    const json_t *version = json_object_get(file, "version");
    if (!json_is_integer(version))
        return fault_set(fault, "version is missing or no whole number");
    if (json_integer_value(version) != VERSION)
        return fault_set(fault, "version is %lld, this stagger reads version %d",
                         (long long)json_integer_value(version), VERSION);
    if (!text_read(file, "name", &name, fault) || !keys_name_check(name, fault))
        return false;
    memcpy(sealed->name, name, strlen(name) + 1);
    return bytes_read(file, "public_key", sealed->public_key, sizeof sealed->public_key, fault) &&
           kdf_read(file, sealed, fault) && cipher_read(file, sealed, fault);
}

bool sealed_read(const char *text, size_t size, struct sealed_key *sealed, struct fault *fault)
{
    char only[KEYS_FILE_MAX];
    *sealed = (struct sealed_key){.cost = {0, 0, 0}};
    if (size >= KEYS_FILE_MAX)
        return fault_set(fault, "is no key file of stagger: it has more than %d bytes",
                         KEYS_FILE_MAX - 1);
    json_t *file = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (!file)
        return fault_set(fault, "is damaged, or no key file of stagger: it is no JSON");
    bool good = fields_read(file, sealed, fault);
    json_decref(file);
    if (!good)
        return fault_within(fault, "is damaged, or no key file of this version");
    if (sealed_write(sealed, only) != size || memcmp(only, text, size) != 0)
        return fault_set(fault, "is damaged: its checksum or its form is another than was written; "
                                "take it from a backup, or import the key again");
    return true;
}
