/* The settings: what files, environment and flags may say, which of them wins, and how a mistake is named. And the
 * tables, whose cells come from strangers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "node/settings.h"
#include "node/table.h"

#define TEXT_MAX 8192

/* --- helpers --- */

static struct settings *fresh(void)
{
    struct settings *settings = settings_create();
    assert_non_null(settings);
    return settings;
}

static bool reads(struct settings *settings, const char *text, struct fault *fault)
{
    return settings_read_text(settings, "a.conf", text, strlen(text), fault);
}

/* The text is refused, and the line says so: it begins with `begin` and holds `part`. */
static void refused(const char *text, const char *begin, const char *part)
{
    struct settings *settings = fresh();
    struct fault fault;
    if (reads(settings, text, &fault))
        fail_msg("accepted: %s", text);
    if (strncmp(fault.text, begin, strlen(begin)) != 0 || !strstr(fault.text, part))
        fail_msg("%s\n  is refused with: %s\n  expected: %s ... %s", text, fault.text, begin, part);
    settings_destroy(&settings);
}

static void accepted(struct settings *settings, const char *text)
{
    struct fault fault;
    if (!reads(settings, text, &fault))
        fail_msg("%s\n  is refused: %s", text, fault.text);
}

static char *printed(const struct settings *settings)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    settings_print(settings, out);
    fclose(out);
    return text;
}

/* --- the table of options --- */

static void every_row_is_complete(void **state)
{
    (void)state;
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = setting_row(i);
        assert_non_null(row->section);
        assert_non_null(row->key);
        assert_non_null(row->help);
        assert_non_null(row->argument);
        assert_null(strchr(row->key, '-')); /* files are written with '_' */
        if (row->kind == SETTING_IS_CHOICE)
            assert_non_null(row->choices);
        for (enum setting j = 0; j < i; j++) {
            const struct setting_row *other = setting_row(j);
            assert_false(strcmp(row->section, other->section) == 0 &&
                         strcmp(row->key, other->key) == 0);
            assert_false(row->flag && other->flag && strcmp(row->flag, other->flag) == 0);
        }
    }
}

static void sections_stand_together(void **state)
{
    (void)state;
    for (enum setting i = 2; i < SETTING_COUNT; i++)
        for (enum setting j = 0; j + 1 < i; j++)
            assert_false(strcmp(setting_row(i)->section, setting_row(j)->section) == 0 &&
                         strcmp(setting_row(i)->section, setting_row(i - 1)->section) != 0);
}

static void defaults(void **state)
{
    (void)state;
    struct settings *settings = fresh();
    const char *urls[SETTINGS_LIST_MAX + 1];
    assert_int_equal(settings_chain_kind(settings), CHAIN_KIRA);
    assert_string_equal(settings_text(settings, SETTING_CHAIN_NODE), "http://127.0.0.1:26657");
    assert_int_equal(settings_urls(settings, urls), 1);
    assert_int_equal(settings_ms(settings, SETTING_CHAIN_TIMEOUT), 10000);
    assert_int_equal(settings_whole(settings, SETTING_TX_GAS), 200000);
    assert_false(settings_given(settings, SETTING_CHAIN_ID));
    assert_null(settings_text(settings, SETTING_CHAIN_ID));
    assert_true(settings_is_default(settings, SETTING_CHAIN_KIND));
    settings_destroy(&settings);
    assert_null(settings);
}

/* --- files --- */

static void a_whole_file(void **state)
{
    (void)state;
    struct settings *settings = fresh();
    const char *urls[SETTINGS_LIST_MAX + 1], *denom;
    accepted(settings, "\xef\xbb\xbf# a comment\r\n"
                       "[chain]\r\n"
                       "kind = dcl ; another\r\n"
                       "id=dclchain\n"
                       "node : https://user:word@rpc.example.org:443/path\n"
                       "others = http://10.0.0.1:1,\n"
                       "   tcp://[::1]:26657 ; more\n"
                       "\thttps://rpc.example.org\n"
                       "in-flight = 4\n"
                       "[account]\n"
                       "signer = /usr/bin/sign --slot 'a b'\n"
                       "   --more\n"
                       "[tx]\n"
                       "fee = 250ukex\n"
                       "timeout_blocks = 7");
    assert_int_equal(settings_chain_kind(settings), CHAIN_DCL);
    assert_string_equal(settings_text(settings, SETTING_CHAIN_ID), "dclchain");
    assert_int_equal(settings_urls(settings, urls), 4);
    assert_string_equal(urls[0], "https://user:word@rpc.example.org:443/path");
    assert_string_equal(urls[2], "tcp://[::1]:26657");
    assert_int_equal(settings_whole(settings, SETTING_CHAIN_IN_FLIGHT), 4);
    assert_int_equal(settings_coin(settings, SETTING_TX_FEE, &denom), 250);
    assert_string_equal(denom, "ukex");
    assert_int_equal(settings_whole(settings, SETTING_TX_TIMEOUT_BLOCKS), 7);
    assert_string_equal(settings_text(settings, SETTING_ACCOUNT_SIGNER),
                        "/usr/bin/sign --slot 'a b' --more");
    settings_destroy(&settings);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    refused("[chain]\nkind = kria\n", "a.conf:2: chain.kind: ", "did you mean kira?");
    refused("[chain]\nkidn = kira\n", "a.conf:2: chain.kidn: ", "did you mean kind?");
    refused("[chian]\nkind = kira\n", "a.conf:2: there is no section [chian]", "[chain]?");
    refused("[tx]\nkind = kira\n", "a.conf:2: tx.kind: ", "it belongs to [chain]");
    refused("kind = kira\n", "a.conf:1: ", "before every section");
    refused("[chain]\nkind = kira\nnode = http://a\nkind = dcl\n",
            "a.conf:4: chain.kind: ", "line 2");
    refused("[chain]\nid = a\n[tx]\n[chain]\nid = b\n", "a.conf:5: chain.id: ", "line 2");
    refused("[chain]\nkind kira\n", "a.conf:2: ", "key = value");
    refused("[chain\nkind = kira\n", "a.conf:1: ", "[section]");
    refused("[chain] kind = kira\n", "a.conf:1: ", "[section]");
    refused("[chain]\nkind = kira\n node = http://a\n", "a.conf:3: ", "first column");
    refused("[chain]\nkind =\n", "a.conf:2: chain.kind: it is empty", "kira or dcl");
    refused("[chain]\nid = a\x1b[2J\n", "a.conf:2: ", "control character");
}

static void values_out_of_bounds(void **state)
{
    (void)state;
    refused("[chain]\nin_flight = 65\n", "a.conf:2: chain.in_flight: \"65\"", "from 1 to 64");
    refused("[chain]\nin_flight = 0\n", "a.conf:2: chain.in_flight:", "from 1 to 64");
    refused("[chain]\nin_flight = +4\n", "a.conf:2: chain.in_flight:", "whole number");
    refused("[chain]\nin_flight = 4.0\n", "a.conf:2: chain.in_flight:", "whole number");
    refused("[chain]\nin_flight = 99999999999999999999\n", "a.conf:2: chain.in_flight:", "whole");
    refused("[chain]\ntimeout = 10\n", "a.conf:2: chain.timeout:", "a duration from 100ms to 5m");
    refused("[chain]\ntimeout = 99ms\n", "a.conf:2: chain.timeout:", "a duration");
    refused("[chain]\nnode = ftp://a\n", "a.conf:2: chain.node:", "a URL");
    refused("[chain]\nnode = http://\n", "a.conf:2: chain.node:", "a URL");
    refused("[chain]\nnode = http://a:0\n", "a.conf:2: chain.node:", "a URL");
    refused("[chain]\nnode = http://a:65536\n", "a.conf:2: chain.node:", "a URL");
    refused("[chain]\nnode = http://a b\n", "a.conf:2: chain.node:", "a URL");
    refused("[chain]\nnode = http://[::1\n", "a.conf:2: chain.node:", "a URL");
    refused("[chain]\nnode = http://a?b\n", "a.conf:2: chain.node:", "a URL");
    refused("[chain]\nothers = http://a,,http://b\n", "a.conf:2: chain.others:", "number 2");
    refused("[charter]\nphi = 1/2\n", "a.conf:2: charter.phi:", "at least 2/3 and below 1");
    refused("[charter]\nphi = 1\n", "a.conf:2: charter.phi:", "below 1");
    refused("[charter]\nramp = 4\n", "a.conf:2: charter.ramp:", "two whole numbers");
    refused("[tx]\nfee = 100\n", "a.conf:2: tx.fee:", "such as 100ukex");
    refused("[tx]\nfee = ukex\n", "a.conf:2: tx.fee:", "such as 100ukex");
    refused("[tx]\nfee = 100 ukex\n", "a.conf:2: tx.fee:", "such as 100ukex");
    refused("[tx]\nfee = 1.5ukex\n", "a.conf:2: tx.fee:", "such as 100ukex");
    refused("[tx]\nfee = 18446744073709551616ukex\n", "a.conf:2: tx.fee:", "such as 100ukex");
    refused("[account]\npassphrase_fd = -1\n", "a.conf:2: account.passphrase_fd:", "0 to 65535");
}

/* libinih would cut a long line in two and read the rest as another setting. */
static void long_lines(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    for (int pad = 150; pad < 1200; pad += 7) {
        struct settings *settings = fresh();
        struct fault fault;
        snprintf(text, sizeof text, "[chain]\n;%*skind = dcl\nid = x\n", pad, "");
        if (!reads(settings, text, &fault))
            assert_non_null(strstr(fault.text, "a.conf:2: the line has "));
        else
            assert_string_equal(settings_text(settings, SETTING_CHAIN_ID), "x");
        assert_int_equal(settings_chain_kind(settings), CHAIN_KIRA);
        settings_destroy(&settings);
    }
}

static void zero_bytes(void **state)
{
    (void)state;
    static const char text[] = "[chain]\nid = a\0b\n";
    struct settings *settings = fresh();
    struct fault fault;
    assert_false(settings_read_text(settings, "a.conf", text, sizeof text - 1, &fault));
    assert_non_null(strstr(fault.text, "a.conf:2: a control character"));
    settings_destroy(&settings);
}

/* --- which of them wins --- */

struct folder {
    char path[64];
};

static void folder_write(const struct folder *folder, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static struct folder folder_create(void)
{
    struct folder folder;
    char path[96];
    strcpy(folder.path, "settings-XXXXXX");
    assert_non_null(mkdtemp(folder.path));
    snprintf(path, sizeof path, "%s/conf.d", folder.path);
    assert_int_equal(mkdir(path, 0700), 0);
    return folder;
}

static void folder_destroy(const struct folder *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder->path);
    assert_int_equal(system(command), 0);
}

static void later_ones_win(void **state)
{
    (void)state;
    struct folder folder = folder_create();
    struct settings *settings = fresh();
    struct fault fault;
    char path[96], *environment[] = {"HOME=/", "STAGGER_CHAIN_TIMEOUT=4s",
                                     "STAGGER_CHAIN_ID=", "STAGGER_SOURCE_DIR=/", NULL};
    folder_write(&folder, "main.conf",
                 "[chain]\nid = one\nprefix = one\ndenom = one\n"
                 "timeout = 1s\nin_flight = 1\n");
    folder_write(&folder, "conf.d/10-b.conf",
                 "[chain]\nprefix = two\ndenom = two\ntimeout = 2s\n"
                 "in_flight = 2\n");
    folder_write(&folder, "conf.d/9-a.conf",
                 "[chain]\ndenom = three\ntimeout = 3s\nin_flight = 3\n");
    folder_write(&folder, "conf.d/.hidden.conf", "nonsense");
    folder_write(&folder, "conf.d/note.txt", "nonsense");
    snprintf(path, sizeof path, "%s/main.conf", folder.path);
    assert_true(settings_read_file(settings, path, &fault));
    assert_true(settings_read_environment(settings, environment, &fault));
    assert_true(settings_read_flag(settings, SETTING_CHAIN_IN_FLIGHT, "5", &fault));
    assert_string_equal(settings_text(settings, SETTING_CHAIN_ID), "one");
    assert_string_equal(settings_text(settings, SETTING_CHAIN_PREFIX), "two");
    assert_string_equal(settings_text(settings, SETTING_CHAIN_DENOM), "three"); /* byte order */
    assert_int_equal(settings_ms(settings, SETTING_CHAIN_TIMEOUT), 4000);
    assert_int_equal(settings_whole(settings, SETTING_CHAIN_IN_FLIGHT), 5);
    char *text = printed(settings);
    assert_non_null(strstr(text, "main.conf:2\n"));
    assert_non_null(strstr(text, "conf.d/10-b.conf:2\n"));
    assert_non_null(strstr(text, "; STAGGER_CHAIN_TIMEOUT\n"));
    assert_non_null(strstr(text, "; --in-flight\n"));
    assert_non_null(strstr(text, "; default\n"));
    free(text);
    settings_destroy(&settings);
    folder_destroy(&folder);
}

static void fragments_name_themselves(void **state)
{
    (void)state;
    struct folder folder = folder_create();
    struct settings *settings = fresh();
    struct fault fault;
    char path[96];
    folder_write(&folder, "main.conf", "[chain]\nid = one\n");
    folder_write(&folder, "conf.d/a.conf", "\n[chain]\nidd = one\n");
    snprintf(path, sizeof path, "%s/main.conf", folder.path);
    assert_false(settings_read_file(settings, path, &fault));
    assert_non_null(strstr(fault.text, "/conf.d/a.conf:3: chain.idd: "));
    assert_false(settings_read_file(settings, "no-such.conf", &fault));
    assert_non_null(strstr(fault.text, "no-such.conf: it cannot be opened"));
    assert_false(settings_read_file(settings, folder.path, &fault));
    assert_non_null(strstr(fault.text, "it is a directory"));
    settings_destroy(&settings);
    folder_destroy(&folder);
}

static void variables_are_named(void **state)
{
    (void)state;
    struct settings *settings = fresh();
    struct fault fault;
    char *wrong[] = {"STAGGER_CHAIN_NODEE=http://a", NULL};
    char *bad[] = {"STAGGER_CHAIN_NODE=a", NULL};
    char *good[] = {"STAGGER_ACCOUNT_KEY_FILE=/k", "STAGGER_CONFIG=x", "STAGGER_PORT_80_TCP=x",
                    NULL};
    assert_false(settings_read_environment(settings, wrong, &fault));
    assert_non_null(strstr(fault.text, "STAGGER_CHAIN_NODEE: "));
    assert_non_null(strstr(fault.text, "did you mean node?"));
    assert_false(settings_read_environment(settings, bad, &fault));
    assert_non_null(strstr(fault.text, "STAGGER_CHAIN_NODE: chain.node: \"a\""));
    assert_true(settings_read_environment(settings, good, &fault));
    assert_string_equal(settings_text(settings, SETTING_ACCOUNT_KEY_FILE), "/k");
    settings_destroy(&settings);
}

static void a_refused_value_changes_nothing(void **state)
{
    (void)state;
    struct settings *settings = fresh();
    struct fault fault;
    assert_true(settings_read_flag(settings, SETTING_CHAIN_OTHERS, "http://a,http://b", &fault));
    assert_false(settings_read_flag(settings, SETTING_CHAIN_OTHERS, "http://c,nonsense", &fault));
    const char *urls[SETTINGS_LIST_MAX + 1];
    assert_int_equal(settings_urls(settings, urls), 3);
    assert_string_equal(urls[1], "http://a");
    settings_destroy(&settings);
}

/* --- secrets --- */

static void secrets_stay_out(void **state)
{
    (void)state;
    struct settings *settings = fresh();
    struct fault fault;
    accepted(settings, "[chain]\nnode = http://u:hush@a\nothers = http://hush@b, http://c\n"
                       "[account]\nsigner = sign --token hush\n");
    char *text = printed(settings);
    assert_null(strstr(text, "hush"));
    assert_non_null(strstr(text, "http://***@a"));
    free(text);
    assert_false(settings_read_flag(settings, SETTING_CHAIN_NODE, "http://u:hush@a:x", &fault));
    assert_null(strstr(fault.text, "hush"));
    assert_false(settings_read_flag(settings, SETTING_CHAIN_OTHERS, "http://u:hush@a:x", &fault));
    assert_null(strstr(fault.text, "hush"));
    assert_false(settings_read_flag(settings, SETTING_ACCOUNT_KEY,
                                    "hushhushhushhushhushhushhushhushhush", &fault));
    assert_null(strstr(fault.text, "hush"));
    settings_destroy(&settings);
}

static void commands_keep_their_arguments(void **state)
{
    (void)state;
    static const enum setting commands[] = {
        SETTING_PROCESS_ARGS,     SETTING_SYSTEMD_REINIT,  SETTING_COMMAND_STOP,
        SETTING_COMMAND_HEALTH,   SETTING_HOOKS_PRE_STOP,  SETTING_HOOKS_POST_START,
        SETTING_ACCOUNT_SIGNER,   SETTING_COMMAND_RESTORE, SETTING_COMMAND_REINIT,
        SETTING_HOOKS_PRE_REINIT,
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct settings *settings = fresh();
        struct fault fault;
        assert_int_equal(setting_row(commands[i])->kind, SETTING_IS_COMMAND);
        assert_true(settings_read_flag(settings, commands[i], "'/a b/run' --token hush", &fault));
        assert_string_equal(settings_text(settings, commands[i]), "'/a b/run' --token hush");
        char *text = printed(settings);
        assert_null(strstr(text, "hush"));
        assert_non_null(strstr(text, " = '/a b/run' ..."));
        free(text);
        assert_false(settings_read_flag(settings, commands[i], "run 'hush", &fault));
        assert_null(strstr(fault.text, "hush"));
        settings_destroy(&settings);
    }
}

/* --- gossip --- */

#define KEY_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void seeds_and_endpoints(void **state)
{
    (void)state;
    struct settings *settings = fresh();
    const char *items[SETTINGS_LIST_MAX];
    assert_int_equal(settings_list(settings, SETTING_GOSSIP_SEEDS, items), 0);
    accepted(settings, "[gossip]\nseeds = " KEY_A "@tcp://a.example:1,\n"
                       "  " KEY_A "@tcp://[2001:db8::1]:65535\n"
                       "listen = tcp://[::]:26670\nadvertise = tcp://a:1, tcp://b:2\n"
                       "proxy = 127.0.0.1:9050\n");
    assert_int_equal(settings_list(settings, SETTING_GOSSIP_SEEDS, items), 2);
    assert_string_equal(items[1], KEY_A "@tcp://[2001:db8::1]:65535");
    assert_int_equal(settings_list(settings, SETTING_GOSSIP_ADVERTISE, items), 2);
    assert_string_equal(items[0], "tcp://a:1");
    assert_string_equal(settings_text(settings, SETTING_GOSSIP_LISTEN), "tcp://[::]:26670");
    settings_destroy(&settings);
    refused("[gossip]\nseeds = a@tcp://a:1\n", "a.conf:2: gossip.seeds: ", "number 1");
    refused("[gossip]\nseeds = " KEY_A "0@tcp://a:1\n", "a.conf:2: gossip.seeds: ", "64 hex");
    refused("[gossip]\nseeds = " KEY_A "@a:1\n", "a.conf:2: gossip.seeds: ", "tcp://");
    refused("[gossip]\nlisten = tcp://*:1\n", "a.conf:2: gossip.listen: ", "tcp://0.0.0.0");
    refused("[gossip]\nlisten = tcp://a:65536\n", "a.conf:2: gossip.listen: ", "expected");
    refused("[gossip]\nproxy = [::1]\n", "a.conf:2: gossip.proxy: ", "port");
    refused("[gossip]\nproxy = a:b\n", "a.conf:2: gossip.proxy: ", "port");
}

/* --- where a value comes from --- */

static void sources_are_ranked(void **state)
{
    (void)state;
    struct settings *one = fresh(), *two = fresh();
    struct fault fault;
    char *environment[] = {"STAGGER_TX_GAS=5", NULL};
    assert_int_equal(settings_source(one, SETTING_TX_GAS), SETTING_FROM_DEFAULT);
    accepted(one, "[tx]\ngas = 4\n");
    assert_int_equal(settings_source(one, SETTING_TX_GAS), SETTING_FROM_FILE);
    assert_false(settings_refuse(one, SETTING_TX_GAS, &fault, "is %d", 4));
    assert_string_equal(fault.text, "a.conf:2: tx.gas: is 4");
    assert_true(settings_read_environment(one, environment, &fault));
    assert_int_equal(settings_source(one, SETTING_TX_GAS), SETTING_FROM_ENVIRONMENT);
    assert_false(settings_same(one, two, SETTING_TX_GAS));
    assert_true(settings_read_flag(two, SETTING_TX_GAS, "5", &fault));
    assert_int_equal(settings_source(two, SETTING_TX_GAS), SETTING_FROM_FLAG);
    assert_true(settings_same(one, two, SETTING_TX_GAS));
    assert_false(settings_refuse(two, SETTING_TX_GAS, &fault, "no"));
    assert_string_equal(fault.text, "--gas: no");
    assert_true(settings_same(one, two, SETTING_TX_FEE));
    assert_false(settings_refuse(two, SETTING_TX_FEE, &fault, "not set"));
    assert_string_equal(fault.text, "tx.fee: not set");
    settings_destroy(&one);
    settings_destroy(&two);
}

static void what_is_printed_can_be_read(void **state)
{
    (void)state;
    struct settings *one = fresh(), *two = fresh();
    accepted(one, "[chain]\nkind = dcl\nid = x\nothers = http://a, http://b\n[charter]\n"
                  "phi = 3/4\nramp = 4,2\n[tx]\nfee = 9ukex\n");
    char *text = printed(one);
    accepted(two, text);
    const char *urls[SETTINGS_LIST_MAX + 1];
    assert_int_equal(settings_urls(two, urls), 3);
    assert_int_equal(settings_numerator(two, SETTING_CHARTER_PHI), 3);
    assert_int_equal(settings_denominator(two, SETTING_CHARTER_PHI), 4);
    assert_int_equal(settings_pair(two, SETTING_CHARTER_RAMP, 1), 2);
    free(text);
    settings_destroy(&one);
    settings_destroy(&two);
}

/* --- the charter --- */

static void charters(void **state)
{
    (void)state;
    struct settings *settings = fresh();
    struct charter charter, plain = charter_default("x-1", 5, 6000);
    struct fault fault;
    assert_true(settings_charter(settings, "x-1", 5, &charter, &fault));
    assert_int_equal(charter.id, plain.id);
    accepted(settings, "[charter]\nepoch_blocks = 5\nround_blocks = 600\nreserve = 2\n"
                       "order = plain\nmin_validators = 7\nblock_time = 1s\n");
    assert_true(settings_charter(settings, "x-1", 5, &charter, &fault));
    assert_int_equal(charter.epoch_blocks, 5);
    assert_int_equal(charter.min_validators, 7);
    assert_int_equal(charter.reserve, 2);
    assert_int_equal(charter.order, ORDER_PLAIN);
    assert_int_equal(charter.reference_blocks, 43200);
    assert_int_not_equal(charter.id, plain.id);
    settings_destroy(&settings);
    settings = fresh();
    accepted(settings, "[charter]\nepoch_blocks = 100\n"); /* 20 W > L */
    assert_false(settings_charter(settings, "x-1", 5, &charter, &fault));
    assert_non_null(strstr(fault.text, "charter: round_blocks"));
    settings_destroy(&settings);
}

/* --- command lines in a text --- */

static void words(void **state)
{
    (void)state;
    struct fault fault;
    char **list = settings_words("  sign --slot 'a b' \"\" x'y'\"z\"", &fault);
    assert_non_null(list);
    assert_string_equal(list[0], "sign");
    assert_string_equal(list[1], "--slot");
    assert_string_equal(list[2], "a b");
    assert_string_equal(list[3], "");
    assert_string_equal(list[4], "xyz");
    assert_null(list[5]);
    free(list);
    assert_null(settings_words(" \t", &fault));
    assert_null(settings_words("sign 'a", &fault));
    assert_non_null(strstr(fault.text, "quotation mark"));
}

/* --- tables --- */

static void strangers_cannot_steer_the_terminal(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct table *table = table_create("RANK> FULL_NAME LAST");
    table_cell(table, "%d", 7);
    table_cell(table, "%s",
               "caf\xe9 \x1b[2J\xc2\x9b"
               "1m\xe2\x80\xae"
               "ab\x7f\r\n");
    table_cell(table, "x");
    table_cell(table, "%d", 1234);
    table_cell(table, "%s", "\xe6\x97\xa5\xe6\x9c\xac e\xcc\x81");
    table_cell(table, "y");
    table_print(table, out);
    table_destroy(&table);
    fclose(out);
    assert_string_equal(text, "RANK  FULL NAME           LAST\n"
                              "   7  caf? ?[2J?1m?ab???  x\n"
                              "1234  \xe6\x97\xa5\xe6\x9c\xac e\xcc\x81              y\n");
    free(text);
}

static void long_cells_are_cut(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct table *table = table_create("A");
    table_cell(table, "%0500d", 1);
    table_print(table, out);
    table_destroy(&table);
    fclose(out);
    assert_int_equal(strlen(text), strlen("A\n") + TABLE_CELL_COLUMNS + 1);
    assert_non_null(strstr(text, "000...\n"));
    free(text);
}

static void texts_for_json_are_utf8(void **state)
{
    (void)state;
    char out[16];
    assert_string_equal(text_utf8("a\xff"
                                  "b",
                                  out, sizeof out),
                        "a\xef\xbf\xbd"
                        "b");
    assert_string_equal(text_utf8("\xc0\xaf\xed\xa0\x80", out, sizeof out),
                        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(text_utf8("\xf0\x9f\x98\x80", out, 4), "");
    assert_string_equal(text_utf8("\xf0\x9f\x98", out, sizeof out),
                        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_string_equal(text_shown("\x1b]0;x\x07", out, sizeof out), "?]0;x?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(sections_stand_together),
        cmocka_unit_test(defaults),
        cmocka_unit_test(a_whole_file),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(values_out_of_bounds),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(zero_bytes),
        cmocka_unit_test(later_ones_win),
        cmocka_unit_test(fragments_name_themselves),
        cmocka_unit_test(variables_are_named),
        cmocka_unit_test(a_refused_value_changes_nothing),
        cmocka_unit_test(secrets_stay_out),
        cmocka_unit_test(commands_keep_their_arguments),
        cmocka_unit_test(seeds_and_endpoints),
        cmocka_unit_test(sources_are_ranked),
        cmocka_unit_test(what_is_printed_can_be_read),
        cmocka_unit_test(charters),
        cmocka_unit_test(words),
        cmocka_unit_test(strangers_cannot_steer_the_terminal),
        cmocka_unit_test(long_cells_are_cut),
        cmocka_unit_test(texts_for_json_are_utf8),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
