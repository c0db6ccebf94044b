/* `stagger chain TOPIC`: what the files of the command share. Each topic asks a network through a session and
 * prints a table, or with --json one object, whose keys stand in node/COMMANDS.md. Texts from the chain are made valid
 * UTF-8 and written in ASCII there, so that they cannot steer a terminal either.
 */
#ifndef STAGGER_NODE_COMMAND_CHAIN_H
#define STAGGER_NODE_COMMAND_CHAIN_H

#include "node/commands.h"
#include "node/json_value.h"
#include "node/options.h"
#include "node/session.h"
#include "node/table.h"
#include "proto/utc.h"

struct chain_look {
    char command[32]; /* "chain status" */
    const struct settings *settings;
    struct session *session;
    bool json;
    struct fault fault;
};

enum command_status chain_look_status(struct chain_look *look);
enum command_status chain_look_validators(struct chain_look *look);
enum command_status chain_look_plan(struct chain_look *look);
enum command_status chain_look_properties(struct chain_look *look);

/* --- helpers: command_chain.c --- */

enum command_status chain_look_fail(const struct chain_look *look, enum command_status status);
json_t *json_account(const struct chain_look *look, const uint8_t account[ACCOUNT_ADDRESS_SIZE]);

void account_text(const struct chain_look *look, const uint8_t account[ACCOUNT_ADDRESS_SIZE],
                  char text[BECH32_TEXT_MAX]);
const char *status_text(enum coord_status status); /* "ACTIVE" */

#define SPAN_TEXT_MAX 48
int64_t now_ms(void); /* Unix */
/* "in 3d 4h 12m", "1m 05s ago" */
void span_text(int64_t ms_from_now, char text[SPAN_TEXT_MAX]);

#endif
