#include "tests/devnet_fake.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/block.h"

extern char **environ;

#define GENESIS_MS 1700000000000
#define ASKED_MAX 65536
#define HELLO_MS 100 /* more often than real nodes, so that tests are short */

int64_t fake_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- genesis --- */

static void public_of(const uint8_t *seed, uint8_t *key)
{
    size_t size = ED25519_KEY_SIZE;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_KEY_SIZE);
    assert_true(pkey && EVP_PKEY_get_raw_public_key(pkey, key, &size) == 1);
    EVP_PKEY_free(pkey);
}

static void account_key(uint32_t number, uint8_t key[ACCOUNT_KEY_SIZE])
{
    memset(key, 5, ACCOUNT_KEY_SIZE);
    key[ACCOUNT_KEY_SIZE - 1] = (uint8_t)(number + 1);
}

void fake_genesis(const struct fake_config *config, struct app_genesis *genesis,
                  struct app_validator *validators, uint8_t (*seeds)[ED25519_KEY_SIZE])
{
    *genesis = (struct app_genesis){
        .kind = CHAIN_KIRA,
        .chain_id = "fake-1",
        .prefix = "kira",
        .denom = "ukex",
        .time_ms = GENESIS_MS,
        .initial_height = {1},
        .properties = model_properties_default(1),
        .proposal_end_s = 1,
        .proposal_enactment_s = 1,
        .validators = validators,
        .count = config->count,
    };
    for (uint32_t i = 0; i < config->count; i++) {
        uint8_t key[ACCOUNT_KEY_SIZE];
        memset(seeds[i], 9, ED25519_KEY_SIZE);
        seeds[i][0] = (uint8_t)(i + 1);
        validators[i] = (struct app_validator){.power = 1, .balance = 1000000000};
        snprintf(validators[i].moniker, sizeof validators[i].moniker, "fake%u", i);
        public_of(seeds[i], validators[i].consensus_key);
        account_key(i, key);
        assert_true(account_public(key, validators[i].account_key));
    }
}

/* --- world --- */

void fake_world_start(struct fake_world *w, const char *tool, const struct fake_config *config)
{
    assert_true(config->count <= FAKE_NODES_MAX);
    memset(w, 0, sizeof *w);
    w->config = *config;
    w->asked = calloc(ASKED_MAX, sizeof *w->asked);
    assert_non_null(w->asked);
    strcpy(w->directory, "/tmp/stagger-chain-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    snprintf(w->endpoint, sizeof w->endpoint, "ipc://%s/sock", w->directory);
    snprintf(w->tool, sizeof w->tool, "%s", tool);
    fake_genesis(config, &w->genesis, w->validators, w->seeds);
}

static void remove_file(const struct fake_world *w, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", w->directory, name);
    (void)unlink(path);
}

void fake_world_end(struct fake_world *w)
{
    for (uint32_t i = 0; i < w->config.count; i++)
        fake_node_kill(w, i);
    if (w->chain)
        fake_chain_kill(w);
    remove_file(w, "blocks.log");
    remove_file(w, "proposal.json");
    remove_file(w, "proposal.json.new");
    remove_file(w, "sock");
    remove_file(w, "log");
    (void)rmdir(w->directory);
    free(w->asked);
}

/* --- the chain process --- */

void fake_chain_start(struct fake_world *w)
{
    char count[16], block[24], empty[24], propose[24], log[128];
    posix_spawn_file_actions_t actions;
    snprintf(count, sizeof count, "%u", w->config.count);
    snprintf(block, sizeof block, "%lld", (long long)w->config.block_ms);
    snprintf(empty, sizeof empty, "%lld", (long long)w->config.empty_ms);
    snprintf(propose, sizeof propose, "%lld", (long long)w->config.propose_ms);
    snprintf(log, sizeof log, "%s/log", w->directory);
    char *arguments[] = {w->tool, w->directory, count, block, empty, propose, NULL};
    assert_int_equal(w->chain, 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_int_equal(posix_spawn(&w->chain, w->tool, &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
}

void fake_chain_kill(struct fake_world *w)
{
    int status;
    assert_int_equal(kill(w->chain, SIGKILL), 0);
    assert_int_equal(waitpid(w->chain, &status, 0), w->chain);
    w->chain = 0;
    if (!WIFSIGNALED(status))
        fail_msg("the chain process had ended by itself, status %d", WEXITSTATUS(status));
}

int fake_chain_wait(struct fake_world *w, int64_t ms)
{
    int status;
    for (int64_t end = fake_now_ms() + ms; fake_now_ms() < end; fake_run(w, 10))
        if (waitpid(w->chain, &status, WNOHANG) == w->chain) {
            w->chain = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
        }
    return -1;
}

int fake_chain_stop(struct fake_world *w)
{
    assert_int_equal(kill(w->chain, SIGTERM), 0);
    return fake_chain_wait(w, 5000);
}

bool fake_log_has(const struct fake_world *w, const char *words)
{
    static char text[1 << 20];
    char path[128];
    snprintf(path, sizeof path, "%s/log", w->directory);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return strstr(text, words) != NULL;
}

/* --- nodes --- */

void fake_node_start(struct fake_world *w, uint32_t node)
{
    struct fault fault;
    struct fake_node *n = &w->nodes[node];
    assert_null(n->socket);
    n->socket = devnet_wire_connect(w->endpoint, &fault);
    n->hello_ms = 0;
    n->vote.kind = 0;
    assert_non_null(n->socket);
}

void fake_node_kill(struct fake_world *w, uint32_t node)
{
    zsock_destroy(&w->nodes[node].socket);
}

void fake_nodes_start(struct fake_world *w, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        fake_node_start(w, i);
}

/* Nobody is asked for two blocks at one height and round, also not across restarts. */
static void note_question(struct fake_world *w, const struct devnet_propose *propose)
{
    for (uint32_t i = w->asked_count; i-- > 0;) {
        const struct devnet_propose *old = &w->asked[i];
        if (old->height != propose->height || old->round != propose->round)
            continue;
        if (!block_id_equal(&old->id, &propose->id))
            fail_msg("two blocks at height %lld, round %d", (long long)propose->height,
                     (int)propose->round);
        return;
    }
    assert_true(w->asked_count < ASKED_MAX);
    w->asked[w->asked_count++] = *propose;
}

static void send_vote(struct fake_node *n)
{
    if (n->vote.kind == FRAME_VOTE)
        (void)devnet_wire_send(n->socket, NULL, &n->vote);
    if (n->vote.kind == FRAME_VOTE && n->trick == TWICE)
        (void)devnet_wire_send(n->socket, NULL, &n->vote);
    n->vote.kind = 0;
}

static struct time_stamp clock_of(const struct fake_node *n, const struct time_stamp *block)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    struct time_stamp now =
        devnet_time_of_ms((int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000 + n->clock_ms);
    return n->trick == OLD ? *block : devnet_vote_time(&now, block);
}

static void answer(struct fake_world *w, uint32_t node, const struct devnet_propose *propose)
{
    struct fake_node *n = &w->nodes[node];
    note_question(w, propose);
    send_vote(n);
    if (n->mute)
        return;
    struct devnet_ballot ballot = {
        w->genesis.chain_id, propose->height + (n->trick == OTHER_HEIGHT),
        propose->round + (n->trick == OTHER_ROUND), propose->id, clock_of(n, &propose->time)};
    n->vote = (struct devnet_frame){.kind = FRAME_VOTE,
                                    .vote = {ballot.height, ballot.round, ballot.time, {0}}};
    ballot.height += n->trick == FORGED;
    assert_true(devnet_vote_sign(&ballot, w->seeds[node], n->vote.vote.signature));
    n->vote_ms = fake_now_ms() + n->late_ms;
}

/* A block that a node has heard of lies in the log, now and ever after: fake_verify(). */
static void hear_block(struct fake_world *w, int64_t height)
{
    for (int64_t h = w->height + 1; h <= height; h++) {
        struct stored_block block = fake_block(w, h);
        assert_true(h < FAKE_HEIGHTS);
        memcpy(w->ids[h], block.id.hash.bytes, HASH_SIZE);
        stored_block_clear(&block);
        w->height = h;
    }
}

static void hear(struct fake_world *w, uint32_t node, const struct devnet_frame *frame)
{
    struct fake_node *n = &w->nodes[node];
    if (frame->kind == FRAME_PROPOSE) {
        answer(w, node, &frame->propose);
    } else if (frame->kind == FRAME_COMMITTED) {
        hear_block(w, frame->committed.height);
    } else if (frame->kind == FRAME_FAILED) {
        w->failed = true;
        w->failure = frame->failed;
    } else if (frame->kind == FRAME_TX_ANSWER) {
        assert_int_equal(frame->tx_answer.serial, n->serial);
        n->answer = frame->tx_answer;
        n->answers++;
    } else {
        fail_msg("a frame of kind %d for a node", (int)frame->kind);
    }
}

static void run_node(struct fake_world *w, uint32_t node)
{
    struct fake_node *n = &w->nodes[node];
    struct devnet_mail mail;
    struct fault fault;
    int64_t now = fake_now_ms();
    if (!n->socket)
        return;
    if (now >= n->hello_ms + HELLO_MS) {
        struct devnet_frame hello = {.kind = FRAME_HELLO, .hello = {node, w->height, !n->unready}};
        (void)devnet_wire_send(n->socket, NULL, &hello);
        n->hello_ms = now;
    }
    if (now >= n->vote_ms)
        send_vote(n);
    for (enum devnet_got got = GOT_FRAME; got != GOT_NOTHING;) {
        got = devnet_wire_receive(n->socket, false, &mail, &fault);
        assert_int_not_equal(got, GOT_REFUSE);
        if (got == GOT_FRAME) {
            hear(w, node, &mail.frame);
            devnet_mail_clear(&mail);
        }
    }
}

/* One round of all nodes; waits a moment for something to come. */
static void run_once(struct fake_world *w)
{
    zpoller_t *poller = zpoller_new(NULL);
    assert_non_null(poller);
    for (uint32_t i = 0; i < w->config.count; i++)
        run_node(w, i);
    for (uint32_t i = 0; i < w->config.count; i++)
        if (w->nodes[i].socket)
            zpoller_add(poller, w->nodes[i].socket);
    (void)zpoller_wait(poller, 3);
    zpoller_destroy(&poller);
}

void fake_run(struct fake_world *w, int64_t ms)
{
    for (int64_t end = fake_now_ms() + ms; fake_now_ms() < end;)
        run_once(w);
}

bool fake_reach(struct fake_world *w, int64_t height, int64_t ms)
{
    for (int64_t end = fake_now_ms() + ms; w->height < height && fake_now_ms() < end;)
        run_once(w);
    return w->height >= height;
}

/* --- transactions --- */

enum devnet_verdict fake_send(struct fake_world *w, uint32_t node, const uint8_t *bytes,
                              size_t size)
{
    struct fake_node *n = &w->nodes[node];
    struct devnet_frame frame = {.kind = FRAME_TX, .tx = {++n->serial, bytes, size}};
    uint64_t before = n->answers;
    assert_true(devnet_wire_send(n->socket, NULL, &frame));
    for (int64_t end = fake_now_ms() + 3000; n->answers == before && fake_now_ms() < end;)
        run_once(w);
    assert_int_equal(n->answers, before + 1);
    return n->answer.verdict;
}

uint8_t *fake_tx(struct fake_world *w, uint32_t validator, enum fake_act act, size_t *size)
{
    static const enum tx_action actions[] = {TX_DO_JOIN, TX_DO_PAUSE, TX_DO_UNPAUSE,
                                             TX_DO_SUBMIT_UPGRADE, TX_DO_VOTE};
    struct tx_plan plan = {.name = "up1",
                           .upgrade_time = w->upgrade_time,
                           .old_chain_id = w->genesis.chain_id,
                           .new_chain_id = "fake-2",
                           .max_enrolment_s = 60};
    uint8_t key[ACCOUNT_KEY_SIZE], signature[ACCOUNT_SIGNATURE_SIZE], *bytes = NULL;
    struct tx_draft draft;
    struct fault fault = {""};
    struct tx_request request = {
        .chain = CHAIN_KIRA,
        .action = actions[act],
        .prefix = "kira",
        .chain_id = w->genesis.chain_id,
        .account_number = validator,
        .sequence = w->sequences[validator]++,
        .fee_denom = "ukex",
        .fee_amount = 1000,
        .gas = 200000,
        .class_minutes = act == FAKE_JOIN ? 30 : 0,
        .proposal = 1,
        .option = 1,
        .title = "an upgrade",
        .description = "",
        .plan = &plan,
    };
    account_key(validator, key);
    memcpy(request.public_key, w->validators[validator].account_key, ACCOUNT_PUBLIC_SIZE);
    if (!tx_draft(&request, &draft, &fault))
        fail_msg("%s", fault.text);
    assert_true(account_sign(key, draft.sign_doc, draft.sign_doc_size, signature));
    assert_true(tx_assemble(&draft, signature, &bytes, size));
    tx_draft_destroy(&draft);
    return bytes;
}

enum devnet_verdict fake_do(struct fake_world *w, uint32_t validator, enum fake_act act)
{
    size_t size;
    uint8_t *bytes = fake_tx(w, validator, act, &size);
    uint32_t node = 0;
    while (!w->nodes[node].socket)
        node++;
    enum devnet_verdict verdict = fake_send(w, node, bytes, size);
    free(bytes);
    return verdict;
}

/* --- the log --- */

static struct store *open_store(const struct fake_world *w)
{
    char path[128];
    struct fault fault;
    snprintf(path, sizeof path, "%s/blocks.log", w->directory);
    struct store *store = store_open(path, false, &fault);
    if (!store)
        fail_msg("%s", fault.text);
    return store;
}

struct stored_block fake_block(const struct fake_world *w, int64_t height)
{
    struct stored_block block;
    struct fault fault;
    struct store *store = open_store(w);
    if (!store_read(store, height, &block, &fault))
        fail_msg("%s", fault.text);
    store_close(&store);
    return block;
}

static struct member *members_of(const struct stored_block *block)
{
    struct member *members = calloc((size_t)block->member_count + 1, sizeof *members);
    assert_non_null(members);
    for (uint32_t i = 0; i < block->member_count; i++)
        members[i] = block->members[i].member;
    return members;
}

static struct tx_result *results_of(const struct stored_block *block)
{
    struct tx_result *results = calloc((size_t)block->tx_count + 1, sizeof *results);
    assert_non_null(results);
    for (uint32_t i = 0; block->results && i < block->tx_count; i++)
        results[i] = (struct tx_result){block->results[i].code, block->results[i].data,
                                        block->results[i].data_size, block->results[i].gas_wanted,
                                        block->results[i].gas_used};
    return results;
}

static bool verify_alone(const struct stored_block *block, const struct member *members,
                         struct fault *fault)
{
    struct block_id id;
    size_t size;
    uint8_t *bytes =
        block_encode(&block->header, block->txs, block->tx_count, &block->last_commit, &size);
    assert_non_null(bytes);
    block_identify(&block->header, bytes, size, &id);
    free(bytes);
    assert_true(block_id_equal(&id, &block->id));
    assert_int_equal(block->size, size);
    return header_check_id(&block->header, &block->id, fault) &&
           header_check_members(&block->header, members, block->member_count, fault) &&
           header_check_commit(&block->header, &block->last_commit, fault) &&
           header_check_data(&block->header, block->txs, block->tx_count, fault) &&
           header_check_evidence(&block->header, 0, fault) &&
           commit_verify(&block->seen_commit, block->header.chain_id, &block->id,
                         block->header.height, members, block->member_count, fault);
}

static bool verify_pair(const struct stored_block *block, const struct stored_block *next,
                        const struct member *members, struct fault *fault)
{
    struct tx_result *results = results_of(block);
    struct member *next_members = members_of(next);
    bool good = header_check_next_header(&block->header, &next->header, fault) &&
                header_check_next(&block->header, next_members, next->member_count, fault) &&
                header_check_results(&next->header, results, block->tx_count, fault) &&
                commit_verify(&next->last_commit, block->header.chain_id, &block->id,
                              block->header.height, members, block->member_count, fault);
    free(next_members);
    free(results);
    return good;
}

int64_t fake_verify(struct fake_world *w)
{
    struct store *store = open_store(w);
    struct fault fault = {""};
    struct stored_block last = {0}, block;
    int64_t head = store_head(store);
    assert_true(head >= w->height);
    for (int64_t h = 1; h <= head; h++) {
        assert_true(store_read(store, h, &block, &fault));
        struct member *members = members_of(&block), *before = members_of(&last);
        if (!verify_alone(&block, members, &fault) ||
            (h > 1 && !verify_pair(&last, &block, before, &fault)))
            fail_msg("block %lld: %s", (long long)h, fault.text);
        if (h <= w->height)
            assert_memory_equal(block.id.hash.bytes, w->ids[h], HASH_SIZE);
        free(members);
        free(before);
        stored_block_clear(&last);
        last = block;
    }
    stored_block_clear(&last);
    store_close(&store);
    return head;
}
