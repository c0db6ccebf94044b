/* The words of the narration. $h is the head when it was said, $1 to $4 the sentence's numbers, $r the
 * reason's sentence, $s, $t, $k, $c and $v name number 1 as a state, transaction, step, command, verdict. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "coord/coord_internal.h"

static const char *const lines[SAY_LINE_COUNT] = {
    [SAY_STARTED] = "started in $s, as the journal says",
    [SAY_JOURNAL_LOST] = "started without a journal: the chain alone decides",
    [SAY_JOURNAL_DAMAGED] = "the journal is damaged and not used: the chain alone decides",
    [SAY_JOINING] = "head $h: asking for a turn of $1 minutes",
    [SAY_JOINED] = "head $h: our join stands in block $1",
    [SAY_WAITING] = "epoch $1: rank $2 of $4 candidates, budget $3 -> wait",
    [SAY_NO_PLACE] = "epoch $1: not in line: $v",
    [SAY_PERMIT] = "epoch $1: rank $2 of $4 candidates, budget $3 -> permit",
    [SAY_PERMIT_UNUSED] = "epoch $1: the permit is left unused: $r",
    [SAY_PAUSED] = "head $h: our pause happened in block $1",
    [SAY_TIMED_OUT] = "head $h: our $t stands in no block up to $2, it can no longer happen",
    [SAY_TX_FAILED] = "our $t was refused in block $3 with code $2",
    [SAY_TX_REFUSED] = "our $t was refused before any block with code $2; trying again",
    [SAY_LEFT] = "head $h: out of the set; $1 live members, floor $2",
    [SAY_FLOOR_ABORT] = "head $h: only $1 live members against a floor of $2: not going offline",
    [SAY_GIVEN_BACK] = "head $h: giving the turn back: $r",
    [SAY_OFFLINE] = "head $h: stopping the node, back in about $1 s",
    [SAY_MAINTENANCE] = "head $h: the node may be stopped by hand now; say unpause when it is back",
    [SAY_STEP] = "the runtime finished: $k",
    [SAY_STEP_FAILED] = "the runtime failed to $k, attempt $2",
    [SAY_RESTORING] = "giving this version up and restoring the one before",
    [SAY_SYNCING] = "the node is started; waiting until it is in step with the chain",
    [SAY_UNPAUSING] = "head $h: in step with the chain, asking back into the set",
    [SAY_FORCED_UNPAUSE] = "head $h: unpausing at once: $r",
    [SAY_ACTIVATING] = "head $h: in step with the chain, activating",
    [SAY_SETTLING] = "head $h: back since block $1, waiting to be seen signing",
    [SAY_DONE] = "head $h: done, signing again since block $1",
    [SAY_REJOIN] = "head $h: our join no longer stands, joining anew",
    [SAY_REFUSED] = "head $h: not now: $r",
    [SAY_COMMAND] = "the operator says $c",
    [SAY_FROZEN] =
        "head $h: frozen: $1 validators are overdue; nobody else goes until they are back",
    [SAY_THAWED] = "head $h: no longer frozen, $1 validators are overdue",
    [SAY_UNPAUSED_BY_OTHERS] = "head $h: in the set again though we did not ask: the chain wins",
    [SAY_OUT_OF_SET] = "head $h: out of the set without a turn; coming back",
    [SAY_MOVE_CHAIN] = "head $h: the chain is still; join number $1 moves it on",
    [SAY_FORCED] = "head $h: pausing by force, without a permit",
    [SAY_STORE_BROKEN] =
        "the journal cannot be written: free the disk; nothing is begun until then",
    [SAY_STORE_WORKS] = "the journal can be written again",
};

static const struct {
    const char *code, *sentence;
} reasons[REASON_COUNT] = {
    [REASON_NONE] = {"none", "nothing stands against it"},
    [REASON_HOLD] = {"hold", "the operator holds this agent; `stagger unhold` lets it go on"},
    [REASON_FROZEN] =
        {"frozen",
         "too many validators that paused are overdue; help them back, or `stagger unfreeze`"},
    [REASON_RECOVERING] = {"recovering",
                           "the agent has just started and has not heard from the chain yet"},
    [REASON_STORE] = {"store", "the journal cannot be written; free or repair the disk"},
    [REASON_CATCHING_UP] = {"catching-up", "our node is catching up or does not answer"},
    [REASON_HISTORY] =
        {"history", "blocks that the draw needs are missing; use a node that keeps more of them"},
    [REASON_NOT_MEMBER] = {"not-member", "this validator is not in the set"},
    [REASON_NO_YES_VOTE] =
        {"no-yes-vote", "an upgrade is pending and this validator has not voted YES; vote first"},
    [REASON_WINDOW] = {"window", "there is no time left for a turn before the upgrade"},
    [REASON_FUNDS] = {"funds",
                      "the account cannot pay join, pause, unpause and activate; send it funds"},
    [REASON_FOREIGN_HALF] =
        {"foreign-half", "half of the members play by another charter; compare charters with them"},
    [REASON_JOINS_EXHAUSTED] =
        {"joins-exhausted", "all joins of this round are spent; the next round brings new ones"},
    [REASON_OWN_FLOOR] = {"own-floor", "the live count would fall below the operator's own floor"},
    [REASON_OWN_CAP] = {"own-cap", "more members would be out than the operator's own cap allows"},
    [REASON_STAND_BACK] = {"stand-back",
                           "looking who stands in line; longer turns of the same class go first"},
    [REASON_WOULD_WITHHOLD] = {"would-withhold",
                               "a permit would be left unused because of the operator's own limit"},
    [REASON_SPACING] = {"spacing", "our last membership transaction is less than two blocks back"},
    [REASON_LAST_MEMBER] = {"last-member",
                            "no other live member is left: the chain would stop for good"},
    [REASON_RECHECK] = {"recheck", "the block after the boundary shows too few signatures"},
    [REASON_PEERS_AHEAD] = {"peers-ahead",
                            "others see blocks that our node does not show; look at its peers"},
    [REASON_PEERS_CONFLICT] = {"peers-conflict",
                               "others see another block hash at our height; check the node"},
    [REASON_PEERS_FAILED] = {"peers-failed",
                             "others report that their turn failed; ask them why before going"},
    [REASON_DOMAIN] = {"domain", "enough members of our failure domain are out; wait for them"},
    [REASON_HOURS] = {"hours", "it is outside the operator's maintenance hours"},
    [REASON_JAILED] = {"jailed", "this validator is jailed; only governance can help"},
    [REASON_TRUSTEES] = {"trustees",
                         "the trustees disabled this validator; it is never enabled automatically: "
                         "when they agree, `stagger tx enable-node`"},
    [REASON_BY_HAND] =
        {"by-hand", "this validator was paused by hand and stays so; `stagger unpause` ends it"},
    [REASON_NO_PERMIT] = {"no-permit", "the draw gave the places of this epoch to others"},
    [REASON_BUSY] = {"busy", "a turn is under way; wait for its end"},
    [REASON_NOT_PAUSED] = {"not-paused",
                           "this validator is in the set: there is nothing to unpause"},
};

static const char *const tx_names[] = {
    [TX_OTHER] = "transaction", [TX_JOIN] = "join",         [TX_PAUSE] = "pause",
    [TX_UNPAUSE] = "unpause",   [TX_ACTIVATE] = "activate",
};

static const char *const step_names[] = {
    [STEP_NONE] = "nothing", [STEP_STOP] = "stop",       [STEP_REINIT] = "reinitialise",
    [STEP_START] = "start",  [STEP_RESTORE] = "restore",
};

static const char *const command_names[COMMAND_COUNT] = {
    [COMMAND_REBOOT] = "reboot",     [COMMAND_PAUSE] = "pause", [COMMAND_FORCE] = "pause by force",
    [COMMAND_UNPAUSE] = "unpause",   [COMMAND_HOLD] = "hold",   [COMMAND_UNHOLD] = "unhold",
    [COMMAND_UNFREEZE] = "unfreeze",
};

const char *coord_reason_code(enum coord_reason reason)
{
    assert((unsigned)reason < REASON_COUNT);
    return reasons[reason].code;
}

const char *coord_reason_sentence(enum coord_reason reason)
{
    assert((unsigned)reason < REASON_COUNT);
    return reasons[reason].sentence;
}

static const char *word(const char *const *names, size_t count, int64_t index)
{
    return index >= 0 && (size_t)index < count && names[index] ? names[index] : "?";
}

/* What a placeholder stands for; numbers are written into `number`. */
static const char *fill(const struct coord_say *say, char key, char number[24])
{
    int64_t first = say->number[1];
    switch (key) {
    case 'r':
        return coord_reason_sentence(say->reason);
    case 's':
        return coord_state_name((enum coord_state)first);
    case 't':
        return word(tx_names, sizeof tx_names / sizeof *tx_names, first);
    case 'k':
        return word(step_names, sizeof step_names / sizeof *step_names, first);
    case 'c':
        return word(command_names, COMMAND_COUNT, first);
    case 'v':
        return view_reason_sentence((enum view_reason)say->number[2]);
    default:
        snprintf(number, 24, "%" PRId64, say->number[key == 'h' ? 0 : key - '0']);
        return number;
    }
}

const char *coord_sentence(const struct coord_say *say, char *text, size_t size)
{
    char number[24];
    size_t used = 0;
    assert(say->line < SAY_LINE_COUNT && size > 0);
    for (const char *p = lines[say->line]; *p && used + 1 < size; p++) {
        if (*p != '$') {
            text[used++] = *p;
            continue;
        }
        const char *with = fill(say, *++p, number);
        size_t length = strlen(with), room = size - 1 - used;
        length = length < room ? length : room;
        memcpy(text + used, with, length);
        used += length;
    }
    text[used] = '\0';
    return text;
}
