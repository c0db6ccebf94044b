/* `stagger keys add|import|show|list|delete`: the store of sealed keys. */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/command_keys.h"
#include "node/commands.h"
#include "node/options.h"
#include "node/prompt.h"
#include "node/table.h"
#include "proto/encoding.h"
#include "proto/input.h"

#define WORDS_DEFAULT 24
#define ARGUMENTS_MAX 64
#define PREFIX_MAX 32

struct subcommand {
    const char *name, *command, *summary, *about;
    bool (*run)(const struct keys_call *call, struct fault *fault);
    bool takes_name;
    const struct option_row *own;
    uint32_t own_count;
    uint32_t setting_count; /* of SETTINGS */
};

/* --- the public half --- */

struct shown {
    char account[BECH32_TEXT_MAX], valoper[BECH32_TEXT_MAX];
    char public_key[HEX_TEXT(ACCOUNT_PUBLIC_SIZE)];
};

static bool shown_make(const char *prefix, const struct sealed_key *sealed, struct shown *shown,
                       struct fault *fault)
{
    uint8_t address[ACCOUNT_ADDRESS_SIZE];
    char operator[PREFIX_MAX + sizeof "valoper"];
    account_address(sealed->public_key, address);
    snprintf(operator, sizeof operator, "%.*svaloper", PREFIX_MAX, prefix);
    hex_encode(sealed->public_key, sizeof sealed->public_key, shown->public_key);
    if (!bech32_encode(prefix, address, sizeof address, shown->account) ||
        !bech32_encode(operator, address, sizeof address, shown->valoper))
        return fault_set(fault, "--prefix: no address can begin so; expected lower case such as "
                                "kira or cosmos");
    return true;
}

static json_t *shown_json(const struct sealed_key *sealed, const struct shown *shown)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s}", "name", sealed->name, "account", shown->account,
                  "valoper", shown->valoper, "public_key", shown->public_key);
    assert(object);
    return object;
}

static bool output_finish(struct fault *fault)
{
    return (fflush(stdout) == 0 && !ferror(stdout)) ||
           fault_set(fault, "standard output cannot be written to");
}

static bool json_print(json_t *json, struct fault *fault)
{
    (void)json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
    return output_finish(fault);
}

bool keys_print(const struct keys_call *call, const struct sealed_key *sealed, struct fault *fault)
{
    struct shown shown;
    if (!shown_make(call->prefix, sealed, &shown, fault))
        return false;
    if (call->json)
        return json_print(shown_json(sealed, &shown), fault);
    printf("name        %s\naccount     %s\nvaloper     %s\npublic key  %s\n", sealed->name,
           shown.account, shown.valoper, shown.public_key);
    return output_finish(fault);
}

static bool keys_show(const struct keys_call *call, struct fault *fault)
{
    struct sealed_key sealed;
    return keys_load(call->directory, call->name, &sealed, fault) &&
           keys_print(call, &sealed, fault);
}

/* --- list --- */

/* What the names stand for, as rows or JSON; what cannot be read is said and counted. */
static bool list_fill(const struct keys_call *call, char (*names)[KEYS_NAME_MAX + 1], size_t count,
                      struct table *table, json_t *array, size_t *bad, struct fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        struct sealed_key sealed;
        struct shown shown;
        if (!keys_load(call->directory, names[i], &sealed, fault)) {
            options_say(call->command, "%s", fault->text);
            ++*bad;
            continue;
        }
        if (!shown_make(call->prefix, &sealed, &shown, fault))
            return false;
        table_cell(table, "%s", sealed.name);
        table_cell(table, "%s", shown.account);
        table_cell(table, "%s", shown.valoper);
        json_array_append_new(array, shown_json(&sealed, &shown));
    }
    return true;
}

static bool keys_list(const struct keys_call *call, struct fault *fault)
{
    char(*names)[KEYS_NAME_MAX + 1];
    size_t count, bad = 0;
    if (!keys_names(call->directory, &names, &count, fault))
        return false;
    struct table *table = table_create("NAME ACCOUNT VALOPER");
    json_t *array = json_array();
    assert(array);
    bool good = list_fill(call, names, count, table, array, &bad, fault);
    free(names);
    if (good && call->json)
        good = json_print(json_incref(array), fault);
    else if (good) {
        table_print(table, stdout);
        good = output_finish(fault);
    }
    json_decref(array);
    table_destroy(&table);
    if (good && bad > 0)
        return fault_set(fault, "%zu of %zu keys cannot be read", bad, count);
    return good;
}

/* --- delete --- */

static bool delete_confirm(const struct keys_call *call, const char *account, struct fault *fault)
{
    struct secret answer SECRET_WIPED = SECRET_NONE;
    char question[256];
    snprintf(question, sizeof question,
             "Delete key %s%s%s%s? Only its mnemonic or raw key can bring it back. Type yes: ",
             call->name, account[0] ? " (" : "", account, account[0] ? ")" : "");
    if (!prompt_line(question, true, &answer, fault)) {
        struct fault reason = *fault;
        return fault_set(fault, "%s; --yes deletes without asking", reason.text);
    }
    return strcmp(answer.bytes, "yes") == 0 ||
           fault_set(fault, "not confirmed; nothing was deleted");
}

/* A damaged file can be deleted as well, but no missing one. */
static bool keys_remove(const struct keys_call *call, struct fault *fault)
{
    struct sealed_key sealed;
    struct shown shown = {.account = ""};
    struct fault unreadable;
    bool readable = keys_load(call->directory, call->name, &sealed, &unreadable) &&
                    shown_make(call->prefix, &sealed, &shown, &unreadable);
    if (!readable && keys_vacant(call->directory, call->name, fault)) {
        *fault = unreadable;
        return false;
    }
    if (!call->yes && !delete_confirm(call, shown.account, fault))
        return false;
    return keys_delete(call->directory, call->name, fault);
}

/* --- the command line --- */

#define OPTION_DIR                                                                                 \
    {                                                                                              \
        "dir", "PATH", "where the keys lie; the same as --keys-dir", false                         \
    }
#define OPTION_PATH                                                                                \
    {                                                                                              \
        "path", "PATH", "derivation path of the mnemonic, default " HD_PATH, false                 \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        "json", NULL, "print JSON", false                                                          \
    }

static const struct option_row add_options[] = {
    {"words", "N", "length of the mnemonic, 12 or 24, default 24", false},
    OPTION_PATH,
    OPTION_DIR,
};
static const struct option_row import_options[] = {
    {"file", "FILE", "read the mnemonic or key from a file; - is standard input", false},
    OPTION_PATH,
    OPTION_DIR,
};
static const struct option_row show_options[] = {OPTION_JSON, OPTION_DIR};
static const struct option_row delete_options[] = {
    {"yes", NULL, "do not ask", false},
    OPTION_DIR,
};

#define OWN(rows) rows, sizeof rows / sizeof rows[0]

static const enum setting SETTINGS[] = {
    SETTING_ACCOUNT_KEYS_DIR,      SETTING_CHAIN_KIND,
    SETTING_CHAIN_PREFIX,          SETTING_ACCOUNT_PASSPHRASE_FILE,
    SETTING_ACCOUNT_PASSPHRASE_FD,
};
#define SETTINGS_PUBLIC 3 /* those of commands that open no key */
#define SETTINGS_ALL 5

static const struct subcommand SUBCOMMANDS[] = {
    {"add", "keys add", "make a new key with a new mnemonic",
     "stagger keys add NAME makes a key from a new mnemonic, seals it with a passphrase, and shows "
     "the mnemonic\nonce. The passphrase is asked for at the terminal unless a file or file "
     "descriptor gives it.",
     keys_add, true, OWN(add_options), SETTINGS_ALL},
    {"import", "keys import", "seal a mnemonic or raw key that exists",
     "stagger keys import NAME reads a mnemonic, or a raw key as 64 hex digits, from a file, from "
     "standard input or\nat the terminal, and seals it with a passphrase. `sekaid keys export NAME "
     "--unarmored-hex --unsafe` prints a\nraw key.",
     keys_import, true, OWN(import_options), SETTINGS_ALL},
    {"show", "keys show", "print addresses and public key",
     "stagger keys show NAME prints the addresses and the public key, which need no passphrase.",
     keys_show, true, OWN(show_options), SETTINGS_PUBLIC},
    {"list", "keys list", "print all keys",
     "stagger keys list prints the names and addresses of all keys.", keys_list, false,
     OWN(show_options), SETTINGS_PUBLIC},
    {"delete", "keys delete", "delete a key for good",
     "stagger keys delete NAME deletes the sealed key after asking.", keys_remove, true,
     OWN(delete_options), SETTINGS_PUBLIC},
};
#define SUBCOMMAND_COUNT (sizeof SUBCOMMANDS / sizeof SUBCOMMANDS[0])

struct reading { /* of one command line */
    const struct subcommand *sub;
    struct keys_call *call;
    const char *directory;
};

static bool option_take(void *owner, uint32_t option, const char *value, struct fault *fault)
{
    struct reading *reading = owner;
    struct keys_call *call = reading->call;
    const char *name = reading->sub->own[option].name;
    uint64_t words;
    if (strcmp(name, "json") == 0)
        call->json = true;
    else if (strcmp(name, "yes") == 0)
        call->yes = true;
    else if (strcmp(name, "file") == 0)
        call->file = value;
    else if (strcmp(name, "dir") == 0)
        reading->directory = value;
    else if (strcmp(name, "path") == 0) {
        call->path_given = true;
        return hd_path_read(value, &call->path, fault);
    } else {
        assert(strcmp(name, "words") == 0);
        if (!input_whole(value, &words) || (words != 12 && words != 24))
            return fault_set(fault, "expected 12 or 24");
        call->words = (uint32_t)words;
    }
    return true;
}

/* Whether the word is an option whose value is the word behind it. */
static bool value_follows(const struct subcommand *sub, const char *word)
{
    const char *name = word + 2;
    if (strcmp(name, "config") == 0)
        return true;
    for (uint32_t i = 0; i < sub->own_count; i++)
        if (strcmp(name, sub->own[i].name) == 0)
            return sub->own[i].argument != NULL;
    for (uint32_t i = 0; i < sub->setting_count; i++)
        if (strcmp(name, setting_row(SETTINGS[i])->flag) == 0)
            return true;
    return false;
}

/* Splits the words into the name and the options. What stands in no place of its own is not repeated: it may be a
 * passphrase or key. */
static bool words_split(const struct subcommand *sub, int argc, char **argv, const char **name,
                        char **options, int *option_count, struct fault *fault)
{
    for (int i = 1; i < argc; i++) {
        if (*option_count + 1 >= ARGUMENTS_MAX)
            return fault_set(fault, "more than %d words", ARGUMENTS_MAX);
        if (secret_suspected(argv[i]) && !strchr(argv[i], '/'))
            return fault_set(fault, "a key or mnemonic is never given on the command line, where "
                                    "other processes read it and the shell keeps it; take it for "
                                    "known to others");
        if (argv[i][0] == '-') {
            options[(*option_count)++] = argv[i];
            if (value_follows(sub, argv[i]) && i + 1 < argc)
                options[(*option_count)++] = argv[++i];
        } else if (sub->takes_name && !*name)
            *name = argv[i];
        else
            return fault_set(fault,
                             "more words than expected; what is secret is never given on the "
                             "command line; see stagger %s --help",
                             sub->command);
    }
    options[*option_count] = NULL;
    return true;
}

static bool call_complete(struct reading *reading, const struct settings *settings,
                          char usual[KEYS_PATH_MAX], struct fault *fault)
{
    struct keys_call *call = reading->call;
    const char *set = settings_text(settings, SETTING_ACCOUNT_KEYS_DIR);
    const char *prefix = settings_text(settings, SETTING_CHAIN_PREFIX);
    struct shown unused; /* an impossible prefix is noticed before anything is done */
    if (reading->sub->takes_name && !call->name)
        return fault_set(fault, "the NAME of a key is missing; see stagger %s --help",
                         call->command);
    if (call->name && !keys_name_check(call->name, fault))
        return false;
    if (!reading->directory && !set && !keys_directory(usual, fault))
        return fault_within(fault, "--keys-dir");
    call->directory = reading->directory ? reading->directory : set ? set : usual;
    call->prefix = prefix ? prefix : settings_chain_kind(settings) == CHAIN_DCL ? "cosmos" : "kira";
    call->settings = settings;
    return shown_make(call->prefix, &(struct sealed_key){.name = ""}, &unused, fault);
}

static int subcommand_run(const struct subcommand *sub, int argc, char **argv)
{
    char *options[ARGUMENTS_MAX + 1] = {argv[0]}, usual[KEYS_PATH_MAX];
    struct keys_call call = {.command = sub->command, .words = WORDS_DEFAULT};
    struct reading reading = {.sub = sub, .call = &call};
    struct options_spec spec = {.command = sub->command,
                                .operand = sub->takes_name ? "NAME" : NULL,
                                .about = sub->about,
                                .settings = SETTINGS,
                                .setting_count = sub->setting_count,
                                .own = sub->own,
                                .own_count = sub->own_count,
                                .take = option_take};
    struct settings *settings = NULL;
    struct fault fault;
    int count = 1;
    bool good = hd_path_read(HD_PATH, &call.path, &fault) &&
                words_split(sub, argc, argv, &call.name, options, &count, &fault);
    if (good) {
        enum options_outcome outcome = options_parse(&spec, &reading, count, options, &settings);
        if (outcome != OPTIONS_GO)
            return outcome == OPTIONS_HELP ? COMMAND_DONE : COMMAND_USAGE;
        good = call_complete(&reading, settings, usual, &fault) && sub->run(&call, &fault);
    }
    if (!good)
        options_say(sub->command, "%s", fault.text);
    settings_destroy(&settings);
    return good ? COMMAND_DONE : COMMAND_USAGE;
}

static int help_print(void)
{
    struct fault fault;
    puts(
        "usage: stagger keys COMMAND [NAME] [OPTIONS]\n\nKeys are sealed with a passphrase, one file "
        "a key.\n");
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        printf("  %-8s %s\n", SUBCOMMANDS[i].name, SUBCOMMANDS[i].summary);
    puts("\n`stagger keys COMMAND --help` lists the options of a command.");
    return output_finish(&fault) ? COMMAND_DONE : COMMAND_USAGE;
}

int command_keys(int argc, char **argv)
{
    secret_guard();
    if (argc >= 2 && strcmp(argv[1], "--help") == 0)
        return help_print();
    for (size_t i = 0; i < SUBCOMMAND_COUNT; i++)
        if (argc >= 2 && strcmp(argv[1], SUBCOMMANDS[i].name) == 0)
            return subcommand_run(&SUBCOMMANDS[i], argc - 1, argv + 1);
    options_say("keys",
                "expected one of add, import, show, list and delete; see stagger keys --help");
    return COMMAND_USAGE;
}
