#include "node/signer.h"

#include <assert.h>
#include <jansson.h>
#include <secp256k1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/filter.h"
#include "node/keys.h"
#include "proto/encoding.h"

#define KEY_FILE "key file"
#define WORDS_MAX 64 /* of the external command */

struct signer {
    uint8_t public_key[ACCOUNT_PUBLIC_SIZE];
    struct secret key; /* ACCOUNT_KEY_SIZE bytes, unless it is a command */
    char **command; /* ends with NULL and room for one more word, in one allocation; NULL: none */
    size_t words;
    int64_t timeout_ms;
};

static struct signer *signer_new(void)
{
    struct signer *signer = calloc(1, sizeof *signer);
    assert(signer);
    return signer;
}

void signer_destroy(struct signer **signer)
{
    if (!*signer)
        return;
    secret_wipe(&(*signer)->key);
    free((*signer)->command);
    free(*signer);
    *signer = NULL;
}

static struct signer *signer_from_key(const struct secret_key *key)
{
    struct signer *signer = signer_new();
    bool good = account_public(key->bytes, signer->public_key);
    assert(good); /* whoever read the key has made sure */
    secret_create(&signer->key, ACCOUNT_KEY_SIZE);
    memcpy(signer->key.bytes, key->bytes, ACCOUNT_KEY_SIZE);
    return signer;
}

void signer_public_key(const struct signer *signer, uint8_t public_key[ACCOUNT_PUBLIC_SIZE])
{
    memcpy(public_key, signer->public_key, ACCOUNT_PUBLIC_SIZE);
}

/* --- keys of our own --- */

struct signer *signer_from_file(const char *path, struct fault *fault)
{
    struct secret text SECRET_WIPED = SECRET_NONE;
    struct secret_key key SECRET_KEY_WIPED = {{0}};
    enum keys_text kind;
    if (!secret_read_file(KEY_FILE, path, SECRET_TEXT_MAX, false, &text, fault))
        return NULL;
    if (!keys_from_text(text.bytes, text.size, NULL, &key, &kind, fault)) {
        (void)fault_within(fault, secret_suspected(path) ? KEY_FILE : path);
        return NULL;
    }
    return signer_from_key(&key);
}

struct signer *signer_from_store(const char *directory, const char *name, const char *passphrase,
                                 struct fault *fault)
{
    struct secret_key key SECRET_KEY_WIPED = {{0}};
    struct sealed_key sealed;
    char usual[KEYS_PATH_MAX];
    if (!directory && !keys_directory(usual, fault))
        return NULL;
    if (!keys_load(directory ? directory : usual, name, &sealed, fault) ||
        !keys_unseal(&sealed, passphrase, &key, fault))
        return NULL;
    return signer_from_key(&key);
}

/* --- a command --- */

/* Runs the command with one more word and reads `size` bytes of hex from a member of what it prints. */
static bool command_ask(const struct signer *signer, char *word, const char *input,
                        const char *member, uint8_t *bytes, size_t size, struct fault *fault)
{
    char output[SIGNER_ANSWER_MAX];
    struct filter filter = {.argv = signer->command,
                            .input = input,
                            .input_size = strlen(input),
                            .timeout_ms = signer->timeout_ms,
                            .output = output,
                            .room = sizeof output};
    signer->command[signer->words] = word;
    if (!filter_run(&filter, fault))
        return false;
    json_t *answer = json_loadb(output, filter.output_size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *value = json_object_get(answer, member);
    bool good = json_is_string(value) &&
                hex_decode(json_string_value(value), json_string_length(value), bytes, size);
    json_decref(answer);
    if (!good)
        return fault_set(fault,
                         "%.100s: its answer to \"%s\" was not understood; expected {\"%s\":\"<%zu "
                         "hex digits>\"}",
                         signer->command[0], word, member, 2 * size);
    return true;
}

/* The words, and the array of pointers to them with two free places, in one allocation. */
static char **words_copy(char *const argv[], size_t words)
{
    size_t size = 0, array = (words + 2) * sizeof(char *);
    for (size_t i = 0; i < words; i++)
        size += strlen(argv[i]) + 1;
    char **copy = malloc(array + size);
    assert(copy);
    char *at = (char *)copy + array;
    for (size_t i = 0; i < words; i++) {
        size_t length = strlen(argv[i]) + 1;
        copy[i] = memcpy(at, argv[i], length);
        at += length;
    }
    copy[words] = copy[words + 1] = NULL;
    return copy;
}

struct signer *signer_from_command(char *const argv[], int64_t timeout_ms, struct fault *fault)
{
    static char show[] = "show";
    size_t words = 0;
    while (words <= WORDS_MAX && argv[words])
        words++;
    if (words == 0 || words > WORDS_MAX || timeout_ms <= 0) {
        (void)fault_set(fault, "the signer's command has %s; expected 1 to %d words, and time",
                        words == 0 ? "no words" : "too many words or no time", WORDS_MAX);
        return NULL;
    }
    struct signer *signer = signer_new();
    signer->command = words_copy(argv, words);
    signer->words = words;
    signer->timeout_ms = timeout_ms;
    bool good = command_ask(signer, show, "", "public_key", signer->public_key,
                            sizeof signer->public_key, fault);
    if (good && !account_public_check(signer->public_key))
        good = fault_set(fault, "%.100s: its public key is none of secp256k1, compressed", argv[0]);
    if (!good)
        signer_destroy(&signer);
    return signer;
}

/* Owned by the caller (free). */
static char *request_write(const struct signer *signer, const uint8_t *message, size_t size)
{
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    char address_hex[HEX_TEXT(ACCOUNT_ADDRESS_SIZE)], key_hex[HEX_TEXT(ACCOUNT_PUBLIC_SIZE)];
    size_t room = BASE64_TEXT(size) + sizeof address_hex + sizeof key_hex + 64;
    char *request = malloc(room), *document = malloc(BASE64_TEXT(size));
    assert(request && document);
    account_address(signer->public_key, address);
    hex_encode(address, sizeof address, address_hex);
    hex_encode(signer->public_key, sizeof signer->public_key, key_hex);
    base64_encode(message, size, document);
    int length =
        snprintf(request, room, "{\"sign_doc\":\"%s\",\"address\":\"%s\",\"public_key\":\"%s\"}\n",
                 document, address_hex, key_hex);
    assert(length > 0 && (size_t)length < room);
    free(document);
    return request;
}

/* Brings s to the lower half; false when the 64 bytes are no signature at all. */
static bool signature_lower(uint8_t signature[ACCOUNT_SIGNATURE_SIZE])
{
    secp256k1_ecdsa_signature parsed;
    const secp256k1_context *none = secp256k1_context_static;
    if (secp256k1_ecdsa_signature_parse_compact(none, &parsed, signature) != 1)
        return false;
    (void)secp256k1_ecdsa_signature_normalize(none, &parsed, &parsed);
    return secp256k1_ecdsa_signature_serialize_compact(none, signature, &parsed) == 1;
}

static bool command_sign(const struct signer *signer, const uint8_t *message, size_t size,
                         uint8_t signature[ACCOUNT_SIGNATURE_SIZE], struct fault *fault)
{
    static char sign[] = "sign";
    char *request = request_write(signer, message, size);
    bool good =
        command_ask(signer, sign, request, "signature", signature, ACCOUNT_SIGNATURE_SIZE, fault);
    free(request);
    if (!good)
        return false;
    if (!signature_lower(signature) ||
        !account_verify(signer->public_key, message, size, signature))
        return fault_set(fault, "%.100s: its signature is not of this document by its key",
                         signer->command[0]);
    return true;
}

bool signer_sign(struct signer *signer, const uint8_t *message, size_t size,
                 uint8_t signature[ACCOUNT_SIGNATURE_SIZE], struct fault *fault)
{
    if (signer->command)
        return command_sign(signer, message, size, signature, fault);
    return account_sign((const uint8_t *)signer->key.bytes, message, size, signature) ||
           fault_set(fault, "the key cannot sign");
}
