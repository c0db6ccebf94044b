/* What the files of the settings share: how a value is kept. */
#ifndef STAGGER_NODE_SETTINGS_INTERNAL_H
#define STAGGER_NODE_SETTINGS_INTERNAL_H

#include "node/settings.h"

#define SETTING_EXPECTED_MAX 200
#define SETTING_QUOTE_MAX 80

struct setting_value {
    bool given;
    enum setting_source source;
    char *where; /* "default", "/etc/stagger.conf:7", "STAGGER_CHAIN_KIND", "--chain"; owned */
    char *text;  /* as it was given; owned */
    char *items[SETTINGS_LIST_MAX]; /* of a list; of a coin the denomination; owned */
    uint32_t item_count;
    uint64_t
        number[2]; /* whole, ms, bool, index of the choice; numerator and denominator; a pair */
};

struct settings {
    struct setting_value values[SETTING_COUNT];
};

/* Parses `text` and takes it in. The fault is "WHERE: SECTION.KEY: ...", of a flag "WHERE: ...". */
MUST_CHECK bool setting_take(struct settings *settings, enum setting setting, const char *text,
                             enum setting_source source, const char *where, struct fault *fault);

/* Fills `value` but for `where`; on a fault too it may hold memory. setting_value_clear() is due. */
MUST_CHECK bool setting_parse(const struct setting_row *row, const char *text,
                              struct setting_value *value, struct fault *fault);
void setting_value_clear(struct setting_value *value);

/* What a setting takes: "a duration from 100ms to 5m". */
void setting_expected(const struct setting_row *row, char out[SETTING_EXPECTED_MAX]);

/* A URL without user and password. */
void setting_url_shown(const char *url, char *out, size_t size);

/* Whether its value is a list, whose items stand in `items`. */
bool setting_is_list(const struct setting_row *row);

/* Whether '-' and '_' aside the names are one. */
bool setting_key_is(const struct setting_row *row, const char *key);

#endif
