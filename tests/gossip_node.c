/* One member of gossip as a process, for tests and measurements. Keys follow from the member's number, so all who know
 * how many members there are know one another.
 *
 *     gossip_node --members 8 --number 3 [--listen ENDPOINT] [--seed NUMBER=ENDPOINT]... [--proxy HOST:PORT]
 *                 [--lose PERCENT] [--random SEED] [--neighbours N] [--strangers N] [--peers N]
 *     gossip_node --members 8 --forge
 *
 * Lines in:                            and out:
 *     plan TEXT                            said SEQUENCE MS           our record says so from now on
 *     lose PERCENT                                                    of the frames that arrive
 *     show                                 {"rss_kb":...}             one line of JSON
 *     level                                digest HEX                 of all that is known
 *                                          heard NUMBER TEXT MS       the plan of another has changed
 *                                          void NUMBER MS             another equivocates
 *
 * --forge answers what a hostile peer needs, each with one line of hexadecimal digits, and opens nothing:
 *     curve N (secret and public key)   hello N   record N SEQUENCE TEXT
 */
#include <assert.h>
#include <czmq.h>
#include <getopt.h>

#include "node/lean.h"
#include "node/transport_zmq.h"

#define SERIAL 1700000000
#define MEMBERS_MAX 1000
#define LINE_MAX_SIZE 1024
#define BLOCK_MS 6000
#define OWN_MS 1000
#define LEAN_FIRST_MS 5000
#define LEAN_MS 60000 /* as the agent does */

struct keys {
    uint8_t account[ACCOUNT_KEY_SIZE], identity[RECORD_KEY_SIZE], secret[RECORD_KEY_SIZE];
    struct record_binding binding;
};

struct heard {
    uint8_t address[ADDRESS_SIZE];
    uint64_t sequence;
    bool is_void;
    char plan[RECORD_PLAN_MAX + 1];
};

struct node {
    struct record_network network;
    uint32_t members, number, lose_percent, neighbours, strangers, peers;
    uint64_t random;
    bool forge;
    const char *listen, *proxy;
    struct gossip_seed seeds[GOSSIP_SEEDS_MAX];
    uint32_t seed_count;
    struct heard heard[MEMBERS_MAX];
    uint64_t records_seen; /* new records and proofs that were looked at */
    int64_t own_ms;
    struct record fields;
    struct keys keys;
    zloop_t *loop;
    struct gossip *gossip;
    struct transport *transport;
    char line[LINE_MAX_SIZE];
    size_t line_size;
};

static void fail(const char *text)
{
    fprintf(stderr, "gossip_node: %s\n", text);
    exit(1);
}

static struct instant now(void)
{
    return (struct instant){zclock_time()};
}

/* --- keys --- */

static void fill(uint8_t *bytes, size_t size, uint32_t number, uint32_t what)
{
    uint64_t state = ((uint64_t)what << 32) + number + 1;
    for (size_t i = 0; i < size; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (uint8_t)(state >> 56);
    }
}

static void make_keys(const struct record_network *network, uint32_t number, struct keys *keys)
{
    memset(keys, 0, sizeof *keys);
    fill(keys->account, sizeof keys->account, number, 1);
    keys->account[0] = 1; /* below the order of the group */
    fill(keys->identity, sizeof keys->identity, number, 2);
    fill(keys->secret, sizeof keys->secret, number, 3);
    fill(keys->binding.validator, sizeof keys->binding.validator, number, 4);
    keys->binding.serial = SERIAL;
    record_identity(keys->identity, keys->binding.identity);
    if (!transport_public(keys->secret, keys->binding.curve) ||
        !record_bind(network, &keys->binding, keys->account))
        fail("no keys");
}

static struct gossip_member make_member(const struct keys *keys)
{
    struct gossip_member member;
    memcpy(member.address, keys->binding.validator, ADDRESS_SIZE);
    account_address(keys->binding.account, member.account);
    return member;
}

/* --- what a hostile peer needs --- */

static void print_hex(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
}

static void forge_hello(const struct node *n, const struct keys *keys)
{
    uint8_t binding[RECORD_BINDING_SIZE];
    const uint8_t head[] = {GOSSIP_VERSION, 1, 1};
    const uint8_t charter[] = {0, 0, 0, 7};
    record_binding_encode(&keys->binding, binding);
    print_hex(head, sizeof head);
    print_hex(n->network.hash, HASH_SIZE);
    print_hex(charter, sizeof charter);
    print_hex(binding, sizeof binding);
}

static void forge_record(const struct node *n, const struct keys *keys, const char *sequence,
                         const char *plan)
{
    struct record record = {.binding = keys->binding, .charter = 7};
    uint8_t bytes[RECORD_MAX];
    struct fault fault;
    record.sequence = strtoull(sequence, NULL, 10);
    snprintf(record.plan, sizeof record.plan, "%s", plan);
    size_t size = record_seal(&n->network, &record, keys->identity, bytes, &fault);
    if (size == 0)
        fail(fault.text);
    print_hex(bytes, size);
}

static void forge(const struct node *n, char *line)
{
    struct keys keys;
    char *rest, *what = strtok_r(line, " \n", &rest);
    char *number = strtok_r(NULL, " \n", &rest), *sequence = strtok_r(NULL, " \n", &rest);
    char *plan = strtok_r(NULL, " \n", &rest);
    if (!number)
        fail("expected: curve, hello or record, and a number");
    make_keys(&n->network, (uint32_t)strtoul(number, NULL, 10), &keys);
    if (strcmp(what, "curve") == 0) {
        print_hex(keys.secret, sizeof keys.secret);
        print_hex(keys.binding.curve, sizeof keys.binding.curve);
    } else if (strcmp(what, "hello") == 0) {
        forge_hello(n, &keys);
    } else if (sequence && plan) {
        forge_record(n, &keys, sequence, plan);
    }
    printf("\n");
}

static void forge_all(const struct node *n)
{
    char line[LINE_MAX_SIZE];
    while (fgets(line, sizeof line, stdin))
        forge(n, line);
}

/* --- what is heard --- */

static void notice(struct node *n, uint32_t number)
{
    struct heard *heard = &n->heard[number];
    struct gossip_entry entry = gossip_entry(n->gossip, gossip_find(n->gossip, heard->address));
    struct record_peek peek;
    struct record record;
    struct fault fault;
    if (entry.is_void && !heard->is_void)
        printf("void %u %" PRId64 "\n", number, zclock_time());
    heard->is_void = entry.is_void;
    if (!entry.known || entry.is_void ||
        !record_peek(entry.record, entry.record_size, &peek, &fault) ||
        peek.sequence == heard->sequence ||
        !record_decode(entry.record, entry.record_size, &record, &fault))
        return;
    heard->sequence = peek.sequence;
    if (strcmp(heard->plan, record.plan) == 0)
        return;
    memcpy(heard->plan, record.plan, sizeof heard->plan);
    if (number != n->number)
        printf("heard %u %s %" PRId64 "\n", number, record.plan[0] ? record.plan : "-",
               zclock_time());
}

static void say(struct node *n, bool aloud)
{
    uint64_t sequence;
    struct fault fault;
    n->own_ms = zclock_time();
    n->fields.head = height_at((uint64_t)(n->own_ms / BLOCK_MS));
    enum gossip_own did = gossip_own(n->gossip, &n->fields, now(), &sequence, &fault);
    notice(n, n->number);
    if (aloud && did == GOSSIP_OWN_FAILED)
        printf("failed %s\n", fault.text);
    else if (aloud)
        printf("said %" PRIu64 " %" PRId64 "\n", did == GOSSIP_OWN_SAME ? 0 : sequence,
               zclock_time());
}

static void on_heard(void *owner)
{
    struct node *n = owner;
    struct gossip_stats stats = gossip_stats(n->gossip);
    if (zclock_time() - n->own_ms >= OWN_MS)
        say(n, false);
    if (stats.records_new + stats.proofs == n->records_seen)
        return;
    n->records_seen = stats.records_new + stats.proofs;
    for (uint32_t i = 0; i < n->members; i++)
        notice(n, i);
}

static bool on_lose(void *owner)
{
    struct node *n = owner;
    n->random = n->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (n->random >> 33) % 100 < n->lose_percent;
}

/* --- lines in --- */

static long read_status(const char *field)
{
    char line[128];
    long value = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            value = strtol(line + strlen(field), NULL, 10);
    if (file)
        fclose(file);
    return value;
}

static void show(const struct node *n)
{
    struct gossip_stats g = gossip_stats(n->gossip);
    struct transport_stats t = transport_stats(n->transport);
    const struct {
        const char *name;
        uint64_t value;
    } values[] = {
        {"peers", g.peers},
        {"bound", g.bound},
        {"known", g.known},
        {"voids", g.voids},
        {"frames_in", g.frames_in},
        {"frames_out", g.frames_out},
        {"bytes_in", g.bytes_in},
        {"bytes_out", g.bytes_out},
        {"limited", g.frames_limited},
        {"bad", g.frames_bad},
        {"new", g.records_new},
        {"old", g.records_old},
        {"records_limited", g.records_limited},
        {"forged", g.records_forged},
        {"verified", g.verified},
        {"proofs", g.proofs},
        {"lines", t.lines},
        {"strangers", t.strangers},
        {"accepted", t.accepted},
        {"dialled", t.dialled},
        {"unsent", t.unsent},
        {"rss_kb", (uint64_t)read_status("VmRSS:")},
        {"peak_kb", (uint64_t)read_status("VmHWM:")},
        {"double", gossip_double(n->gossip)},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        printf("%s\"%s\":%" PRIu64, i == 0 ? "{" : ",", values[i].name, values[i].value);
    printf(",\"plans\":[");
    for (uint32_t i = 0; i < n->members; i++)
        printf("%s\"%s\"", i == 0 ? "" : ",", n->heard[i].is_void ? "VOID" : n->heard[i].plan);
    printf("]}\n");
}

static void print_level(const struct node *n)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (uint32_t i = 0; i < n->members; i++) {
        struct gossip_entry entry =
            gossip_entry(n->gossip, gossip_find(n->gossip, n->heard[i].address));
        for (size_t k = 0; !entry.is_void && k < entry.record_size; k++)
            hash = (hash ^ entry.record[k]) * UINT64_C(1099511628211);
        hash = (hash ^ (uint64_t)(entry.is_void + 2 * entry.known)) * UINT64_C(1099511628211);
    }
    printf("digest %016" PRIx64 "\n", hash);
}

static void obey(struct node *n, char *line)
{
    if (strncmp(line, "plan ", 5) == 0) {
        snprintf(n->fields.plan, sizeof n->fields.plan, "%.*s", RECORD_PLAN_MAX, line + 5);
        say(n, true);
        transport_pump(n->transport);
    } else if (strncmp(line, "lose ", 5) == 0) {
        n->lose_percent = (uint32_t)strtoul(line + 5, NULL, 10);
    } else if (strcmp(line, "show") == 0) {
        show(n);
    } else if (strcmp(line, "level") == 0) {
        print_level(n);
    } else if (strcmp(line, "peak") == 0) {
        FILE *file = fopen("/proc/self/clear_refs", "w"); /* the peak counts from here */
        if (file && (fputs("5", file) < 0 || fclose(file) != 0))
            fail("the peak cannot be set back");
        printf("peak\n");
    } else {
        printf("unknown %s\n", line);
    }
}

static int on_line(zloop_t *loop, zmq_pollitem_t *item, void *owner)
{
    struct node *n = owner;
    (void)loop;
    ssize_t size = read(item->fd, n->line + n->line_size, sizeof n->line - n->line_size - 1);
    if (size <= 0)
        return -1;
    n->line_size += (size_t)size;
    n->line[n->line_size] = '\0';
    for (char *end; (end = strchr(n->line, '\n')) != NULL;) {
        *end = '\0';
        obey(n, n->line);
        n->line_size -= (size_t)(end + 1 - n->line);
        memmove(n->line, end + 1, n->line_size + 1);
    }
    return n->line_size < sizeof n->line - 1 ? 0 : -1;
}

/* --- life --- */

static int on_lean(zloop_t *loop, int timer, void *owner)
{
    (void)timer;
    lean_now();
    zloop_timer(loop, LEAN_MS, 1, on_lean, owner);
    return 0;
}

static void add_seed(struct node *n, const char *text)
{
    struct keys keys;
    char *equals;
    uint32_t number = (uint32_t)strtoul(text, &equals, 10);
    if (*equals != '=' || n->seed_count == GOSSIP_SEEDS_MAX)
        fail("--seed NUMBER=ENDPOINT");
    struct gossip_seed *seed = &n->seeds[n->seed_count++];
    make_keys(&n->network, number, &keys);
    snprintf(seed->endpoint, sizeof seed->endpoint, "%s", equals + 1);
    memcpy(seed->curve, keys.binding.curve, RECORD_KEY_SIZE);
}

static void read_options(struct node *n, int argc, char **argv)
{
    static const struct option options[] = {
        {"members", 1, NULL, 'm'}, {"number", 1, NULL, 'n'},     {"listen", 1, NULL, 'l'},
        {"seed", 1, NULL, 's'},    {"proxy", 1, NULL, 'x'},      {"lose", 1, NULL, 'd'},
        {"random", 1, NULL, 'r'},  {"neighbours", 1, NULL, 'b'}, {"strangers", 1, NULL, 't'},
        {"peers", 1, NULL, 'p'},   {"forge", 0, NULL, 'f'},      {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint32_t value = optarg ? (uint32_t)strtoul(optarg, NULL, 10) : 0;
        switch (option) {
        case 'm':
            n->members = value;
            break;
        case 'n':
            n->number = value;
            break;
        case 'l':
            n->listen = optarg;
            break;
        case 's':
            add_seed(n, optarg);
            break;
        case 'x':
            n->proxy = optarg;
            break;
        case 'd':
            n->lose_percent = value;
            break;
        case 'r':
            n->random = value;
            break;
        case 'b':
            n->neighbours = value;
            break;
        case 't':
            n->strangers = value;
            break;
        case 'p':
            n->peers = value;
            break;
        case 'f':
            n->forge = true;
            break;
        default:
            exit(1);
        }
    }
    if (n->members == 0 || n->members > MEMBERS_MAX || n->number >= n->members)
        fail("--members 1 to 1000, --number below it");
}

static void make_gossip(struct node *n)
{
    struct gossip_member *members = calloc(n->members, sizeof *members);
    struct gossip_config config = {.network = n->network,
                                   .charter = 7,
                                   .seeds = n->seeds,
                                   .seed_count = n->seed_count,
                                   .random_seed = n->random + n->number,
                                   .peers_max = n->peers};
    struct fault fault;
    struct keys keys;
    make_keys(&n->network, n->number, &n->keys);
    config.binding = n->keys.binding;
    memcpy(config.identity, n->keys.identity, sizeof config.identity);
    n->gossip = gossip_create(&config, now(), &fault);
    if (!n->gossip || !members)
        fail(fault.text);
    for (uint32_t i = 0; i < n->members; i++) {
        make_keys(&n->network, i, &keys);
        members[i] = make_member(&keys);
        memcpy(n->heard[i].address, members[i].address, ADDRESS_SIZE);
    }
    if (!gossip_allow(n->gossip, members, n->members, now()))
        fail("memory is short");
    free(members);
}

static void make_transport(struct node *n)
{
    struct transport_config config = {.listen = n->listen,
                                      .proxy = n->proxy,
                                      .strangers_max = n->strangers,
                                      .neighbours_max = n->neighbours,
                                      .heard = on_heard,
                                      .lose = on_lose,
                                      .owner = n};
    struct fault fault;
    if (n->listen) {
        n->fields.endpoint_count = 1;
        snprintf(n->fields.endpoints[0], sizeof n->fields.endpoints[0], "%s", n->listen);
    }
    n->fields.charter = 7;
    memcpy(config.secret, n->keys.secret, sizeof config.secret);
    memcpy(config.curve, n->keys.binding.curve, sizeof config.curve);
    n->transport = transport_create(n->loop, n->gossip, &config, &fault);
    if (!n->transport)
        fail(fault.text);
}

int main(int argc, char **argv)
{
    static struct node node;
    struct node *n = &node;
    struct fault fault;
    setvbuf(stdout, NULL, _IOLBF, 0);
    lean_begin();
    zsys_handler_set(NULL);
    if (!record_network_set(&n->network, "localnet-1", "kira", &fault))
        fail(fault.text);
    read_options(n, argc, argv);
    if (n->forge) {
        forge_all(n);
        return 0;
    }
    n->loop = zloop_new();
    make_gossip(n);
    make_transport(n);
    say(n, true);
    transport_pump(n->transport);
    zmq_pollitem_t input = {.fd = STDIN_FILENO, .events = ZMQ_POLLIN};
    zloop_poller(n->loop, &input, on_line, n);
    zloop_timer(n->loop, LEAN_FIRST_MS, 1, on_lean, n);
    zloop_start(n->loop);
    transport_destroy(&n->transport);
    gossip_destroy(&n->gossip);
    zloop_destroy(&n->loop);
    return 0;
}
