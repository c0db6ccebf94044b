/* The settings under fuzzing: the input is the text of a configuration file. Whatever it holds, it is taken or refused
 * with one printable line that names it; what was taken can be asked for, printed, and read again where nothing
 * secret had to be left out; and a text that is refused names a line that exists. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/settings.h"

#define NAME "fuzz.conf"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fault_check(const struct fault *fault)
{
    size_t length = strlen(fault->text);
    assert(length > 0 && length < FAULT_MAX);
    for (size_t i = 0; i < length; i++)
        assert(fault->text[i] >= ' ' && fault->text[i] <= '~');
}

static char *print(const struct settings *settings)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert(out);
    settings_print(settings, out);
    assert(fclose(out) == 0);
    return text;
}

static void values_check(const struct settings *settings)
{
    const char *urls[SETTINGS_LIST_MAX + 1];
    struct charter charter;
    struct fault fault;
    uint32_t count = settings_urls(settings, urls);
    assert(count >= 1 && count <= SETTINGS_LIST_MAX + 1);
    for (uint32_t i = 0; i < count; i++)
        assert(strstr(urls[i], "://"));
    assert(settings_ms(settings, SETTING_CHAIN_TIMEOUT) >= 100);
    if (settings_charter(settings, "x-1", 1, &charter, &fault))
        assert(charter_check(&charter, settings_chain_kind(settings) == CHAIN_KIRA) == NULL);
    else
        fault_check(&fault);
    const char *signer = settings_text(settings, SETTING_ACCOUNT_SIGNER);
    char **words = signer ? settings_words(signer, &fault) : NULL;
    for (char **word = words; word && *word; word++)
        assert(strlen(*word) <= strlen(signer));
    free(words);
}

/* What is printed means the same again, but for what was left out on purpose. */
static void print_check(const struct settings *settings)
{
    struct fault fault;
    char *first = print(settings);
    struct settings *again = settings_create();
    assert(again);
    if (!strstr(first, "***@") && !settings_given(settings, SETTING_ACCOUNT_SIGNER) &&
        settings_read_text(again, "again.conf", first, strlen(first), &fault)) {
        for (enum setting i = 0; i < SETTING_COUNT; i++)
            assert(settings_given(settings, i) == settings_given(again, i));
        assert(settings_chain_kind(settings) == settings_chain_kind(again));
    }
    settings_destroy(&again);
    free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault fault;
    struct settings *settings = settings_create();
    assert(settings);
    if (size > SETTINGS_FILE_MAX)
        size = SETTINGS_FILE_MAX;
    if (settings_read_text(settings, NAME, (const char *)data, size, &fault)) {
        values_check(settings);
        print_check(settings);
    } else {
        fault_check(&fault);
        assert(strncmp(fault.text, NAME ":", sizeof NAME) == 0);
        assert(strtoul(fault.text + sizeof NAME, NULL, 10) >= 1);
        values_check(settings); /* what was taken before stays whole */
    }
    settings_destroy(&settings);
    return 0;
}
