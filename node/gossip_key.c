#include "node/gossip_key.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/file.h"
#include "node/transport_zmq.h"
#include "proto/encoding.h"

#define FIRST_LINE "stagger gossip key 1\n"
#define TEXT_MAX 1024

void gossip_key_wipe(struct gossip_key *key)
{
    OPENSSL_cleanse(key, sizeof *key);
}

/* Names the file in a fault that speaks of it. */
static bool fault_of_file(struct fault *fault, const char *folder)
{
    char place[FILE_PATH_MAX];
    snprintf(place, sizeof place, "%.200s/" GOSSIP_KEY_NAME, folder);
    return fault_within(fault, place);
}

/* --- the text --- */

struct page {
    char text[TEXT_MAX];
    size_t size;
};

static void page_wipe(struct page *page)
{
    OPENSSL_cleanse(page, sizeof *page);
}

#define PAGE_WIPED __attribute__((cleanup(page_wipe)))

static void line_add(struct page *page, const char *word, const uint8_t *bytes, size_t size)
{
    size_t length = strlen(word);
    assert(page->size + length + HEX_TEXT(size) + 1 < sizeof page->text);
    memcpy(page->text + page->size, word, length);
    hex_encode(bytes, size, page->text + page->size + length);
    page->size += length + 2 * size;
    page->text[page->size++] = '\n';
}

static void page_write(const struct gossip_key *key, struct page *page)
{
    uint8_t binding[RECORD_BINDING_SIZE], sum[SHA256_DIGEST_LENGTH];
    page->size = sizeof FIRST_LINE - 1;
    memcpy(page->text, FIRST_LINE, page->size);
    line_add(page, "identity ", key->identity, sizeof key->identity);
    line_add(page, "curve ", key->secret, sizeof key->secret);
    if (key->bound) {
        page->size += (size_t)snprintf(page->text + page->size, sizeof page->text - page->size,
                                       "chain %s\n", key->chain_id);
        record_binding_encode(&key->binding, binding);
        line_add(page, "binding ", binding, sizeof binding);
    }
    SHA256((const uint8_t *)page->text, page->size, sum);
    line_add(page, "sha256 ", sum, sizeof sum);
}

/* The rest of the line that begins with `word`; moves *at behind it. NULL: the line is another one. */
static const char *line_take(const char **at, const char *word, size_t *length)
{
    const char *rest = *at + strlen(word);
    if (strncmp(*at, word, strlen(word)) != 0 || !strchr(rest, '\n'))
        return NULL;
    *length = strcspn(rest, "\n");
    *at = rest + *length + 1;
    return rest;
}

static bool bytes_take(const char **at, const char *word, uint8_t *bytes, size_t size)
{
    size_t length;
    const char *rest = line_take(at, word, &length);
    return rest && hex_decode(rest, length, bytes, size);
}

static bool binding_take(const char **at, struct gossip_key *key)
{
    uint8_t bytes[RECORD_BINDING_SIZE];
    struct fault unused;
    size_t length;
    const char *chain = line_take(at, "chain ", &length);
    if (!chain || length >= sizeof key->chain_id ||
        !bytes_take(at, "binding ", bytes, sizeof bytes))
        return false;
    memcpy(key->chain_id, chain, length);
    return record_binding_decode(bytes, &key->binding, &unused);
}

static bool page_read(const struct page *page, struct gossip_key *key)
{
    const char *at = page->text;
    *key = (struct gossip_key){.bound = false};
    if (strncmp(at, FIRST_LINE, sizeof FIRST_LINE - 1) != 0)
        return false;
    at += sizeof FIRST_LINE - 1;
    if (!bytes_take(&at, "identity ", key->identity, sizeof key->identity) ||
        !bytes_take(&at, "curve ", key->secret, sizeof key->secret) ||
        !transport_public(key->secret, key->curve))
        return false;
    key->bound = strncmp(at, "chain ", 6) == 0;
    return !key->bound || binding_take(&at, key);
}

/* --- the file --- */

/* Only what page_write() writes is a file of ours: so its checksum covers every byte. */
static bool page_check(const struct page *page, struct gossip_key *key, struct fault *fault)
{
    struct page PAGE_WIPED only;
    uint8_t identity[RECORD_KEY_SIZE];
    bool good = page_read(page, key);
    if (good)
        page_write(key, &only);
    if (!good || only.size != page->size || memcmp(only.text, page->text, only.size) != 0)
        return fault_set(fault, "is damaged, or no key of this version; take it from a backup, or "
                                "move it away: a new key is made then, which others need in their "
                                "seeds");
    record_identity(key->identity, identity);
    if (key->bound && (memcmp(identity, key->binding.identity, sizeof identity) != 0 ||
                       memcmp(key->curve, key->binding.curve, sizeof key->curve) != 0))
        return fault_set(fault, "its binding is of other keys than those in it; take it from a "
                                "backup");
    return true;
}

static bool file_take(int folder, struct gossip_key *key, bool *missing, struct fault *fault)
{
    struct page PAGE_WIPED page;
    if (!file_get(folder, GOSSIP_KEY_NAME, page.text, sizeof page.text - 1, &page.size, missing,
                  fault))
        return false;
    page.text[page.size] = '\0';
    return page_check(&page, key, fault);
}

bool gossip_key_read(const char *folder, struct gossip_key *key, bool *missing, struct fault *fault)
{
    int fd = folder_open(folder, missing, fault);
    if (fd < 0)
        return false;
    bool good = file_take(fd, key, missing, fault);
    (void)close(fd);
    return good || fault_of_file(fault, folder);
}

static bool keys_make(struct gossip_key *key, struct fault *fault)
{
    *key = (struct gossip_key){.bound = false};
    if (RAND_bytes(key->identity, sizeof key->identity) != 1 ||
        RAND_bytes(key->secret, sizeof key->secret) != 1 ||
        !transport_public(key->secret, key->curve))
        return fault_set(fault, "the system gives no random numbers");
    return true;
}

static enum file_put key_put(const char *folder, const struct gossip_key *key, bool replace,
                             struct fault *fault)
{
    struct page PAGE_WIPED page;
    bool missing;
    int fd = folder_open(folder, &missing, fault);
    if (fd < 0)
        return FILE_FAILED;
    page_write(key, &page);
    enum file_put put = file_put(fd, GOSSIP_KEY_NAME, page.text, page.size, replace, fault);
    (void)close(fd);
    if (put != FILE_PUT)
        (void)fault_of_file(fault, folder);
    return put;
}

bool gossip_key_open(const char *folder, struct gossip_key *key, struct fault *fault)
{
    bool missing;
    if (gossip_key_read(folder, key, &missing, fault))
        return true;
    if (!missing || !folder_make(folder, fault) || !keys_make(key, fault))
        return false;
    enum file_put put = key_put(folder, key, false, fault);
    /* somebody else made one at this moment */
    return put == FILE_TAKEN ? gossip_key_read(folder, key, &missing, fault) : put == FILE_PUT;
}

/* --- whose it is --- */

static bool belongs(const struct gossip_key_owner *owner, const struct gossip_key *key,
                    struct fault *fault)
{
    const char *remedy = "move it away: a new key is made then, which others need in their seeds";
    uint8_t account[ACCOUNT_PUBLIC_SIZE];
    char hex[HEX_TEXT(ADDRESS_SIZE)];
    signer_public_key(owner->signer, account);
    if (strcmp(key->chain_id, owner->network->chain_id) != 0)
        return fault_set(fault,
                         "belongs to chain %s, and this is %s; name another agent.dir, or %s",
                         key->chain_id, owner->network->chain_id, remedy);
    hex_encode_upper(key->binding.validator, ADDRESS_SIZE, hex);
    if (memcmp(key->binding.validator, owner->validator, ADDRESS_SIZE) != 0)
        return fault_set(fault,
                         "belongs to validator %s, which is not ours; name another agent.dir, "
                         "or %s",
                         hex, remedy);
    if (memcmp(key->binding.account, account, sizeof account) != 0)
        return fault_set(fault, "was signed by another account; give the account of before, or %s",
                         remedy);
    return record_binding_verify(owner->network, &key->binding) ||
           fault_set(fault,
                     "its signature is not of this account's; is chain.prefix what it was? "
                     "Otherwise %s",
                     remedy);
}

static bool binding_make(const struct gossip_key_owner *owner, int64_t now_s,
                         struct gossip_key *key, struct fault *fault)
{
    char document[RECORD_DOCUMENT_MAX];
    struct record_binding *binding = &key->binding;
    uint64_t serial = now_s > 0 ? (uint64_t)now_s : 1, last = key->bound ? binding->serial : 0;
    if (last >= RECORD_SERIAL_MAX)
        return fault_set(fault, "its serial is used up; move it away");
    binding->serial = serial > last ? serial : last + 1;
    memcpy(binding->validator, owner->validator, ADDRESS_SIZE);
    memcpy(binding->curve, key->curve, sizeof binding->curve);
    record_identity(key->identity, binding->identity);
    signer_public_key(owner->signer, binding->account);
    size_t size = record_document(owner->network, binding, document);
    if (!signer_sign(owner->signer, (const uint8_t *)document, size, binding->signature, fault))
        return false;
    snprintf(key->chain_id, sizeof key->chain_id, "%s", owner->network->chain_id);
    key->bound = true;
    return true;
}

bool gossip_key_renew(const struct gossip_key_owner *owner, int64_t now_s, struct gossip_key *key,
                      struct fault *fault)
{
    struct gossip_key GOSSIP_KEY_WIPED made = *key;
    if (strchr(owner->network->chain_id, '\n'))
        return fault_set(fault, "the chain id holds a line break");
    if (!binding_make(owner, now_s, &made, fault))
        return fault_of_file(fault, owner->folder);
    if (key_put(owner->folder, &made, true, fault) != FILE_PUT)
        return false;
    *key = made;
    return true;
}

bool gossip_key_bind(const struct gossip_key_owner *owner, int64_t now_s, struct gossip_key *key,
                     struct fault *fault)
{
    if (!key->bound)
        return gossip_key_renew(owner, now_s, key, fault);
    return belongs(owner, key, fault) || fault_of_file(fault, owner->folder);
}
