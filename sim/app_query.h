/* What the parts of app_query_*.c share: paths, pages, refusals. Nobody else includes this. */
#ifndef STAGGER_SIM_APP_QUERY_H
#define STAGGER_SIM_APP_QUERY_H

#include "sim/app_internal.h"

struct app_ask_path {
    const char *path;
    enum answer_shape shape;
    void (*run)(const struct app *app, const struct answer_request *request,
                struct app_answer *answer);
};
extern const struct app_ask_path app_ask_paths_kira[],
    app_ask_paths_dcl[]; /* a NULL path ends each */

/* Things in the order of their keys, a page of which is asked for. */
struct app_ask_list {
    const struct app *app;
    const struct answer_request *request;
    const void *items; /* the caller's */
    uint32_t count;
    size_t (*key)(const struct app_ask_list *list, uint32_t item, uint8_t key[ANSWER_KEY_MAX]);
    bool (*matches)(const struct app_ask_list *list, uint32_t item); /* NULL: all do */

    uint32_t *hits; /* of the page; free() */
    uint32_t hit_count;
    struct answer_tail tail;
};

/* False when the page is none; the answer says so. */
MUST_CHECK bool app_ask_page_run(struct app_ask_list *list, const struct answer_request *request,
                                 struct app_answer *answer);

void app_ask_refuse(struct app_answer *answer, uint32_t code, const char *codespace,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
void app_ask_not_found(struct app_answer *answer, const char *what);

struct tx_bytes app_ask_bytes(const struct app_text *text);

/* Bech32 of this network and kind: "", "valoper", "valcons". */
MUST_CHECK bool app_ask_address_read(const struct app *app, const char *kind, const char *text,
                                     uint8_t address[ACCOUNT_ADDRESS_SIZE],
                                     struct app_answer *answer);

/* Both chains' accounts. */
void app_ask_account_fill(const struct app *app, uint32_t account, struct answer_account *to);

/* KIRA: governance. */
void app_ask_proposal(const struct app *app, const struct answer_request *request,
                      struct app_answer *answer);
void app_ask_proposals(const struct app *app, const struct answer_request *request,
                       struct app_answer *answer);
void app_ask_proposal_votes(const struct app *app, const struct answer_request *request,
                            struct app_answer *answer);
void app_ask_proposal_voters(const struct app *app, const struct answer_request *request,
                             struct app_answer *answer);
void app_ask_plan_current(const struct app *app, const struct answer_request *request,
                          struct app_answer *answer);
void app_ask_plan_next(const struct app *app, const struct answer_request *request,
                       struct app_answer *answer);

#endif
