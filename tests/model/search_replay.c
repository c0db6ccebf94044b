/* One path of the search again, told block by block; and how an agent came to where it broke a rule. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model/search.h"

static const char *const tx_names[] = {"nothing", "join", "pause", "unpause", "activate"};
static const char *const step_names[] = {"nothing", "stop", "reinitialise", "start", "restore"};

static void print_action(const struct action *a)
{
    static const char *const names[] = {
        [ACT_START_KEPT] = "starts with its journal",
        [ACT_START_LOST] = "starts without a journal",
        [ACT_COMMAND] = "the operator wants a reboot",
        [ACT_SHOW] = "sees block",
        [ACT_RUNTIME] = "the runtime's step ends",
        [ACT_SELF] = "hears of itself as of block",
        [ACT_NODE] = "hears of its node",
        [ACT_REFUSE] = "hears a refusal",
        [ACT_DOUBT] = "hears a refusal that is none",
        [ACT_TIME] = "the time to try again",
    };
    printf("%s", names[a->kind]);
    if (a->kind == ACT_SHOW || a->kind == ACT_SELF)
        printf(" %" PRIu64, a->height);
    if (a->ahead)
        printf(" (view ahead)");
}

void replay_last(const struct action *action)
{
    printf("then: ");
    if (action)
        print_action(action);
    else
        printf("the state itself");
    printf("\n");
    fflush(stdout); /* what follows goes to stderr */
}

void replay_step(const struct action *action, uint32_t crash, const struct local *l)
{
    printf("        ");
    if (action)
        print_action(action);
    else
        printf("the block is there");
    if (crash != NO_CRASH)
        printf(", dies after %" PRIu32 " effects of the last step", crash);
    printf(" -> %s, journal %s", l->alive ? coord_state_name(l->core.memory.state) : "dead",
           l->lost ? "lost" : coord_state_name(l->journal.state));
    for (uint32_t i = 0; i < POOL_KINDS; i++)
        if (l->pool[i])
            printf(", %s until %" PRIu64, tx_names[i + 1], l->pool[i]);
    printf("%s", l->up ? "" : ", node down");
    if (l->runtime != STEP_NONE)
        printf(", %s under way", step_names[l->runtime]);
    printf("\n");
}

static const struct origin *origin_at(const struct search *s, uint32_t depth, uint32_t v,
                                      uint32_t index)
{
    return (const struct origin *)s->origins[depth][v].items + index;
}

static void print_path(const struct search *s, uint32_t depth, uint32_t v, uint32_t index)
{
    const struct origin *o = origin_at(s, depth, v, index);
    if (o->parent != UINT32_MAX)
        print_path(s, o->block ? depth - 1 : depth, v, o->parent);
    if (o->block)
        printf("    block %" PRIu64 "\n", s->world->first + depth);
    replay_step(o->block ? NULL : &o->action, o->block ? NO_CRASH : o->crash,
                set_local(s, o->local));
}

void replay_agent(const struct search *s, uint32_t validator, uint32_t depth, uint32_t index)
{
    printf("how validator %" PRIu32 " came there:\n", validator);
    print_path(s, depth, validator, index);
}

static void print_validator(const struct link *link, uint32_t v)
{
    if (link->kind[v] != TX_OTHER)
        printf("  %" PRIu32 " %s%s", v, tx_names[link->kind[v]], link->code[v] ? " (fails)" : "");
    if (link->silent >> v & 1)
        printf("  %" PRIu32 " silent", v);
}

static void print_mask(const char *what, uint32_t mask)
{
    printf("  %s", what);
    for (uint32_t v = 0; v < MEMBERS_MAX; v++)
        if (mask >> v & 1)
            printf(" %" PRIu32, v);
}

void replay_block(const struct search *s, const struct link *link)
{
    printf("block %" PRIu64 ":", link->height);
    for (uint32_t v = 0; v < s->world->count; v++)
        print_validator(link, v);
    if (link->next != link->signing)
        print_mask("next set:", link->next);
    if (link->ledger.boundary == link->height) {
        printf("  draw: floor %" PRId64 " budget %" PRId64, link->ledger.floor,
               link->ledger.budget);
        print_mask("live:", link->ledger.live);
        print_mask("permits:", link->ledger.permits);
    }
    printf("\n");
}
