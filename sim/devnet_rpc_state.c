#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/encoding.h"
#include "sim/devnet_block.h"
#include "sim/devnet_rpc_internal.h"

#define NODE_VERSION "0.37.2"
#define NODE_CHANNELS "40202122233038606100"
#define URL_MAX 64
#define CHUNK_MAX ((size_t)16 << 20)

json_t *rpc_health(struct rpc_call *call)
{
    (void)call;
    return json_object();
}

/* --- /status --- */

static json_t *json_node(const struct devnet_rpc *rpc, uint32_t node)
{
    const struct devnet_dir *dir = rpc->dir;
    char url[URL_MAX];
    snprintf(url, sizeof url, "tcp://127.0.0.1:%u", devnet_node_port(dir, node));
    return json_pack("{s:{s:s,s:s,s:s},s:s,s:s,s:s,s:s,s:s,s:o,s:{s:s,s:s}}", "protocol_version",
                     "p2p", "8", "block", "11", "app", "0", "id", dir->node_ids[node],
                     "listen_addr", "tcp://127.0.0.1:0", "network", dir->genesis.chain_id,
                     "version", NODE_VERSION, "channels", NODE_CHANNELS, "moniker",
                     rpc_json_text(dir->genesis.validators[node].moniker), "other", "tx_index",
                     "on", "rpc_address", url);
}

static json_t *json_sync(const struct devnet_rpc *rpc)
{
    static const struct devnet_ledger_mark none = {
        .header.height = 0, .id.hash.none = true, .id.parts_hash.none = true};
    const struct devnet_ledger_mark *end = devnet_ledger_end(rpc->ledger);
    const struct devnet_ledger_mark *begin = devnet_ledger_begin(rpc->ledger);
    end = end ? end : &none;
    begin = begin ? begin : &none;
    return json_pack(
        "{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "latest_block_hash",
        rpc_json_hex(end->id.hash.bytes, end->id.hash.none ? 0 : HASH_SIZE), "latest_app_hash",
        rpc_json_hex(end->header.app_hash, end->header.app_hash_size), "latest_block_height",
        rpc_json_number(end->header.height), "latest_block_time", rpc_json_time(&end->header.time),
        "earliest_block_hash",
        rpc_json_hex(begin->id.hash.bytes, begin->id.hash.none ? 0 : HASH_SIZE),
        "earliest_app_hash", rpc_json_hex(begin->header.app_hash, begin->header.app_hash_size),
        "earliest_block_height", rpc_json_number(begin->header.height), "earliest_block_time",
        rpc_json_time(&begin->header.time), "catching_up", rpc->catching_up);
}

/* This node's power in the set that is at work: 0 out of it. */
static int64_t own_power(const struct devnet_rpc *rpc, const uint8_t address[ADDRESS_SIZE])
{
    struct stored_member *members;
    uint32_t count;
    int64_t power = 0;
    if (!devnet_ledger_members(rpc->ledger, rpc_latest_uncommitted(rpc), &members, &count))
        return 0;
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(members[i].member.address, address, ADDRESS_SIZE) == 0)
            power = members[i].member.power;
    free(members);
    return power;
}

json_t *rpc_status(struct rpc_call *call)
{
    const struct devnet_rpc *rpc = call->rpc;
    uint8_t address[ADDRESS_SIZE];
    member_address(rpc->key.public_key, address);
    return json_pack("{s:o,s:o,s:{s:o,s:o,s:o}}", "node_info", json_node(rpc, rpc->node),
                     "sync_info", json_sync(rpc), "validator_info", "address",
                     rpc_json_hex(address, ADDRESS_SIZE), "pub_key",
                     rpc_json_public_key(rpc->key.public_key), "voting_power",
                     rpc_json_number(own_power(rpc, address)));
}

/* --- /net_info: the other nodes that run; nothing flows between them --- */

static json_t *json_monitor(void)
{
    static const struct time_stamp zero = {.seconds = TIME_STAMP_ZERO_S};
    return json_pack("{s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:b}", "Start",
                     rpc_json_time(&zero), "Bytes", "0", "Samples", "0", "InstRate", "0", "CurRate",
                     "0", "AvgRate", "0", "PeakRate", "0", "BytesRem", "0", "Duration", "0", "Idle",
                     "0", "TimeRem", "0", "Progress", 0, "Active", 1);
}

static json_t *json_channels(void)
{
    static const struct {
        int id, priority;
        const char *capacity;
    } channels[] = {{48, 5, "1"}, {64, 5, "1000"}, {32, 6, "100"}, {33, 10, "100"}, {34, 7, "100"},
                    {35, 1, "2"}, {56, 6, "1"},    {96, 5, "10"},  {97, 3, "10"},   {0, 1, "10"}};
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof channels / sizeof *channels && list; i++)
        json_array_append_new(
            list, json_pack("{s:i,s:s,s:s,s:o,s:s}", "ID", channels[i].id, "SendQueueCapacity",
                            channels[i].capacity, "SendQueueSize", "0", "Priority",
                            rpc_json_number(channels[i].priority), "RecentlySent", "0"));
    return list;
}

static json_t *json_peer(const struct devnet_rpc *rpc, uint32_t node)
{
    return json_pack("{s:o,s:b,s:{s:s,s:o,s:o,s:o},s:s}", "node_info", json_node(rpc, node),
                     "is_outbound", node > rpc->node, "connection_status", "Duration", "0",
                     "SendMonitor", json_monitor(), "RecvMonitor", json_monitor(), "Channels",
                     json_channels(), "remote_ip", "127.0.0.1");
}

json_t *rpc_net_info(struct rpc_call *call)
{
    const struct devnet_rpc *rpc = call->rpc;
    json_t *peers = json_array();
    for (uint32_t node = 0; node < rpc->dir->genesis.count && peers; node++)
        if (node != rpc->node && devnet_lock_holder(rpc->dir, node) != 0)
            json_array_append_new(peers, json_peer(rpc, node));
    return json_pack("{s:b,s:[s],s:o,s:o}", "listening", 1, "listeners", "Listener(@)", "n_peers",
                     rpc_json_number((int64_t)json_array_size(peers)), "peers", peers);
}

/* --- /genesis --- */

static json_t *load_genesis(struct rpc_call *call)
{
    char path[DEVNET_PATH_MAX];
    json_error_t error;
    json_t *genesis =
        json_load_file(devnet_dir_file(call->rpc->dir, "genesis.json", path), 0, &error);
    return genesis ? genesis : rpc_fail(call, "genesis.json cannot be read: %s", error.text);
}

json_t *rpc_genesis(struct rpc_call *call)
{
    json_t *genesis = load_genesis(call);
    return genesis ? json_pack("{s:o}", "genesis", genesis) : NULL;
}

json_t *rpc_genesis_chunked(struct rpc_call *call)
{
    json_t *genesis = load_genesis(call);
    char *text = genesis ? json_dumps(genesis, JSON_COMPACT) : NULL;
    json_decref(genesis);
    if (!text)
        return NULL;
    size_t size = strlen(text), total = size / CHUNK_MAX + 1, chunk = (size_t)call->args[0].number;
    json_t *result;
    if (call->args[0].number < 0 || chunk >= total)
        result = rpc_fail(call, "there are %zu chunks, %" PRId64 " is invalid", total - 1,
                          call->args[0].number);
    else
        result =
            json_pack("{s:o,s:o,s:o}", "chunk", rpc_json_number((int64_t)chunk), "total",
                      rpc_json_number((int64_t)total), "data",
                      rpc_json_base64(text + chunk * CHUNK_MAX,
                                      chunk + 1 < total ? CHUNK_MAX : size - chunk * CHUNK_MAX));
    free(text);
    return result;
}

/* --- /validators --- */

static json_t *json_validator(const struct stored_member *member)
{
    return json_pack("{s:o,s:o,s:o,s:o}", "address",
                     rpc_json_hex(member->member.address, ADDRESS_SIZE), "pub_key",
                     rpc_json_public_key(member->member.public_key), "voting_power",
                     rpc_json_number(member->member.power), "proposer_priority",
                     rpc_json_number(member->priority));
}

json_t *rpc_validators(struct rpc_call *call)
{
    struct stored_member *members;
    int64_t height, latest = rpc_latest_uncommitted(call->rpc);
    uint32_t total, from, count;
    if (!rpc_height(call, &call->args[0], latest, &height))
        return NULL;
    if (!devnet_ledger_members(call->rpc->ledger, height, &members, &total))
        return rpc_fail(call, "could not find validator set for height #%" PRId64, height);
    json_t *list = NULL;
    if (rpc_page(call, &call->args[1], rpc_per_page(&call->args[2]), total, &from, &count)) {
        list = json_array();
        for (uint32_t i = from; i < from + count && list; i++)
            json_array_append_new(list, json_validator(&members[i]));
    }
    free(members);
    if (!list)
        return NULL;
    return json_pack("{s:o,s:o,s:o,s:o}", "block_height", rpc_json_number(height), "validators",
                     list, "count", rpc_json_number((int64_t)json_array_size(list)), "total",
                     rpc_json_number(total));
}

json_t *rpc_consensus_params(struct rpc_call *call)
{
    int64_t height;
    if (!rpc_height(call, &call->args[0], rpc_latest_uncommitted(call->rpc), &height))
        return NULL;
    json_t *params = rpc_json_params();
    if (params)
        json_object_set_new(json_object_get(params, "version"), "app", json_string("0"));
    return json_pack("{s:o,s:o}", "block_height", rpc_json_number(height), "consensus_params",
                     params);
}

/* --- /abci_info, /abci_query --- */

json_t *rpc_abci_info(struct rpc_call *call)
{
    struct app *app = devnet_ledger_app(call->rpc->ledger);
    bool kira = call->rpc->dir->genesis.kind == CHAIN_KIRA;
    int64_t height = (int64_t)model_height(app_model(app)).n;
    const char *software = call->rpc->software ? call->rpc->software : kira ? "v0.4.13" : "1.5.2";
    uint8_t hash[HASH_SIZE];
    json_t *info = json_pack("{s:s,s:s}", "data", kira ? "Sekai" : "dcl", "version", software);
    if (info && devnet_ledger_head(call->rpc->ledger) > 0) {
        app_hash(app, hash);
        json_object_set_new(info, "last_block_height", rpc_json_number(height));
        json_object_set_new(info, "last_block_app_hash", rpc_json_base64(hash, HASH_SIZE));
    }
    return json_pack("{s:o}", "response", info);
}

static json_t *json_value(const struct app_answer *answer)
{
    if (answer->size > 0)
        return rpc_json_base64(answer->value, answer->size);
    return answer->code == 0 ? json_string("") : json_null();
}

json_t *rpc_abci_query(struct rpc_call *call)
{
    const struct rpc_arg *path = &call->args[0], *data = &call->args[1];
    struct app_answer answer;
    memset(&answer, 0, sizeof answer);
    app_query(devnet_ledger_app(call->rpc->ledger), path->given ? (const char *)path->bytes : "",
              data->bytes, data->size, call->args[2].number, &answer);
    json_t *response =
        json_pack("{s:I,s:o,s:s,s:s,s:n,s:o,s:n,s:o,s:o}", "code", (json_int_t)answer.code, "log",
                  rpc_json_text(answer.log), "info", "", "index", "0", "key", "value",
                  json_value(&answer), "proofOps", "height", rpc_json_number(answer.height),
                  "codespace", rpc_json_text(answer.codespace));
    app_answer_clear(&answer);
    return json_pack("{s:o}", "response", response);
}

/* --- /consensus_state: a node of the devnet knows its own vote only --- */

static json_t *json_votes(uint32_t count, uint32_t own, const char *vote)
{
    json_t *votes = json_array();
    for (uint32_t i = 0; i < count && votes; i++)
        json_array_append_new(votes, json_string(i == own ? vote : "nil-Vote"));
    return votes;
}

/* "BA{4:_x__} 1/4 = 0.25" */
static json_t *json_bits(const struct stored_member *members, uint32_t count, uint32_t own)
{
    char text[DEVNET_NODES_MAX + 96];
    int64_t total = 0, power = own < count ? members[own].member.power : 0;
    size_t at = (size_t)snprintf(text, sizeof text, "BA{%" PRIu32 ":", count);
    for (uint32_t i = 0; i < count; i++) {
        total += members[i].member.power;
        if (i < DEVNET_NODES_MAX)
            text[at++] = i == own ? 'x' : '_';
    }
    snprintf(text + at, sizeof text - at, "} %" PRId64 "/%" PRId64 " = %.2f", power, total,
             total ? (double)power / (double)total : 0.0);
    return json_string(text);
}

static void vote_text(const struct devnet_rpc *rpc, const uint8_t address[ADDRESS_SIZE],
                      uint32_t own, int64_t height, char *text, size_t room)
{
    char who[HEX_TEXT(6)], what[HEX_TEXT(6)] = "000000000000";
    hex_encode_upper(address, 6, who);
    if (!rpc->proposal.hash.none)
        hex_encode_upper(rpc->proposal.hash.bytes, 6, what);
    snprintf(text, room,
             "Vote{%" PRIu32 ":%s %" PRId64 "/%02" PRId32
             "/SIGNED_MSG_TYPE_PRECOMMIT(Precommit) %s}",
             own, who, height, rpc->round, what);
}

static json_t *json_round(const struct devnet_rpc *rpc, const struct stored_member *members,
                          uint32_t count, int64_t height)
{
    uint8_t address[ADDRESS_SIZE];
    char vote[160] = "nil-Vote";
    uint32_t own = count;
    member_address(rpc->key.public_key, address);
    if (rpc->voted_height == height)
        for (uint32_t i = 0; i < count; i++)
            if (memcmp(members[i].member.address, address, ADDRESS_SIZE) == 0)
                own = i;
    if (own < count)
        vote_text(rpc, address, own, height, vote, sizeof vote);
    return json_pack("{s:i,s:o,s:o,s:o,s:o}", "round", (int)rpc->round, "prevotes",
                     json_votes(count, own, vote), "prevotes_bit_array",
                     json_bits(members, count, own), "precommits", json_votes(count, own, vote),
                     "precommits_bit_array", json_bits(members, count, own));
}

static json_t *json_proposer(const struct devnet_rpc *rpc, const struct stored_member *members,
                             uint32_t count)
{
    const struct model *model = app_model(devnet_ledger_app(rpc->ledger));
    uint32_t validator = model_proposer(model, rpc->round < 100 ? (uint32_t)rpc->round : 0);
    for (uint32_t i = 0; i < count; i++)
        if (devnet_ledger_validator(rpc->ledger, members[i].member.address) == validator)
            return json_pack("{s:o,s:i}", "address",
                             rpc_json_hex(members[i].member.address, ADDRESS_SIZE), "index",
                             (int)i);
    return json_pack("{s:s,s:i}", "address", "", "index", -1);
}

json_t *rpc_consensus_state(struct rpc_call *call)
{
    const struct devnet_rpc *rpc = call->rpc;
    struct stored_member *members;
    uint32_t count;
    char step[64];
    int64_t head = devnet_ledger_head(rpc->ledger);
    int64_t height = (int64_t)model_height(app_model(devnet_ledger_app(rpc->ledger))).n + 1;
    struct time_stamp start = devnet_time_of_ms(rpc->round_ms);
    if (!devnet_ledger_members(rpc->ledger, height, &members, &count))
        return rpc_fail(call, "the set of height %" PRId64 " is not known", head + 1);
    bool voted = rpc->voted_height == height;
    snprintf(step, sizeof step, "%" PRId64 "/%" PRId32 "/%d", height, rpc->round, voted ? 6 : 1);
    const struct hash *hash = &rpc->proposal.hash;
    json_t *state = json_pack(
        "{s:{s:s,s:o,s:o,s:s,s:s,s:[o],s:o}}", "round_state", "height/round/step", step,
        "start_time", rpc_json_time(&start), "proposal_block_hash",
        rpc_json_hex(hash->bytes, hash->none ? 0 : HASH_SIZE), "locked_block_hash", "",
        "valid_block_hash", "", "height_vote_set", json_round(rpc, members, count, height),
        "proposer", json_proposer(rpc, members, count));
    free(members);
    return state;
}
