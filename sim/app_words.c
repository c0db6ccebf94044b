/* Messages that were refused, in the chains' words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/app_internal.h"

static const char *slashing_words(const struct app_tx *tx, const struct model_result *refused,
                                  char room[APP_WORDS_MAX])
{
    enum tx_message_kind kind = tx->decoded.messages[refused->message].kind;
    const struct model_record *record;
    switch (refused->code) {
    case 2:
        return "address is not associated with any known validator";
    case 4:
        return "Can NOT pause jailed validator: validator jailed";
    case 5:
        if (kind == TX_MESSAGE_PAUSE)
            return "Can NOT pause inactivated validator: validator still inactivated; cannot be "
                   "activated";
        record = model_record(tx->app->model, tx->model.signer);
        (void)snprintf(room, APP_WORDS_MAX,
                       "Can NOT activate inactivate validator, jail time remaining %" PRId64
                       " seconds: validator still inactivated; cannot be activated",
                       (record->inactive_until_ms - tx->app->time_ms) / 1000);
        return room;
    case 6:
        return "Can NOT activate NOT inactivated validator: validator not inactivated; cannot be "
               "activated";
    case 7:
        return "Can NOT unpause NOT paused validator: validator not paused";
    case 8:
        return "Can NOT pause already paused validator: validator paused";
    default:
        return "pause not allowed on poor network";
    }
}

static const char *dcl_words(const struct app_tx *tx, const struct model_result *refused,
                             char room[APP_WORDS_MAX])
{
    char valoper[BECH32_TEXT_MAX];
    app_address_text(tx->app, "valoper", tx->signer, valoper);
    if (strcmp(refused->codespace, "staking") == 0)
        return refused->code == 4
                   ? "validator already exist for this operator address; must use new validator "
                     "operator address"
                   : "validator does not exist";
    switch (refused->code) {
    case 601:
        return "Pool ledger already contains maximum number of active nodes: \"100\": maximum "
               "number of active nodes reached";
    case 604:
        (void)snprintf(room, APP_WORDS_MAX,
                       "Disabled validator with address=%s already exists on the ledger: disabled "
                       "validator already exist",
                       valoper);
        return room;
    default:
        (void)snprintf(room, APP_WORDS_MAX,
                       "Disabled validator with address=%s does not exist on the ledger: disabled "
                       "validator does not exist",
                       valoper);
        return room;
    }
}

void app_words_refuse(const struct app_tx *tx, const struct model_result *refused,
                      struct app_result *result)
{
    char room[APP_WORDS_MAX];
    const char *words = tx->words;
    if (!*words)
        words = tx->app->genesis.kind == CHAIN_KIRA ? slashing_words(tx, refused, room)
                                                    : dcl_words(tx, refused, room);
    app_refuse(result, refused->code, refused->codespace,
               "failed to execute message; message index: %" PRIu32 ": %s", refused->message,
               words);
}
