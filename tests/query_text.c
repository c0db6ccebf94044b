#include "tests/query_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/encoding.h"

static const char own_records[] =
    "CuwBCitraXJhMXp5ZzN6eWczenlnM3p5ZzN6eWczenlnM3p5ZzN6eWczM2phdm56EjJraXJhdmFsb3BlcjF6"
    "eWczenlnM3p5ZzN6eWczenlnM3p5ZzN6eWczenlnM3o1cDB0dxpPUHViS2V5RWQyNTUxOXs4QTg4RTNERDc0"
    "MDlGMTk1RkQ1MkRCMkQzQ0JBNUQ3MkNBNjcwOUJGMUQ5NDEyMUJGMzc0ODgwMUI0MEY2RjVDfSIoMzQ3NTBG"
    "OThCRDU5RkNGQzk0NkRBNDVBQUFCRTkzM0JFMTU0QTRCNSoCdjAyBkFDVElWRTgFQAQK8AEKK2tpcmExZDJl"
    "bnp4bDcwM2ZkanZ5Y3VlczR0enM1Y3Rqa2xzNWRqbG01cXoSMmtpcmF2YWxvcGVyMWQyZW56eGw3MDNmZGp2"
    "eWN1ZXM0dHpzNWN0amtsczVkcGU4aGN3Gk9QdWJLZXlFZDI1NTE5ezgxMzk3NzBFQTg3RDE3NUY1NkEzNTQ2"
    "NkMzNEM3RUNDQ0I4RDhBOTFCNEVFMzdBMjVERjYwRjVCOEZDOUIzOTR9Iig2QTM4MDNENUYwNTk5MDJBMUM2"
    "REFGQkM5QkE0NzI5MjEyRjdDQUFDKgZ6d8O2bGYyBlBBVVNFRDgFQAQK7AEKK2tpcmExMjkwZXFtMnB3dXN4"
    "MmZsc3lndjl5Z3ZocHRhdWg0bXlsOHVkemoSMmtpcmF2YWxvcGVyMTI5MGVxbTJwd3VzeDJmbHN5Z3Y5eWd2"
    "aHB0YXVoNG15dnBxdzY3Gk9QdWJLZXlFZDI1NTE5e0VENDkyOEM2MjhEMUMyQzZFQUU5MDMzODkwNTk5NTYx"
    "Mjk1OTI3M0E1QzYzRjkzNjM2QzE0NjE0QUM4NzM3RDF9IihCNjJFODY3RkEyRjMzQUZFNjJENUQ2QjE2NDJF"
    "MTYyMUQ1NDMzMDc4KgJ2MjIGSkFJTEVEOAVABBoGCgIAKhAH";
static const char own_records_dcl[] =
    "CoMBCjRjb3Ntb3N2YWxvcGVyMXp5ZzN6eWczenlnM3p5ZzN6eWczenlnM3p5ZzN6eWczeWZyaDd1EgQKAnYw"
    "GkMKHS9jb3Ntb3MuY3J5cHRvLmVkMjU1MTkuUHViS2V5EiIKIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0"
    "iAG0D29cIAoKgwEKNGNvc21vc3ZhbG9wZXIxZDJlbnp4bDcwM2ZkanZ5Y3VlczR0enM1Y3Rqa2xzNWQ4eTkw"
    "ZHUSBAoCdjEaQwodL2Nvc21vcy5jcnlwdG8uZWQyNTUxOS5QdWJLZXkSIgoggTl3Dqh9F19Wo1Rmw0x+zMuN"
    "ipG07jeiXfYPW4/Js5QoAQqDAQo0Y29zbW9zdmFsb3BlcjEyOTBlcW0ycHd1c3gyZmxzeWd2OXlndmhwdGF1"
    "aDRteTJ1emswdhIECgJ2MhpDCh0vY29zbW9zLmNyeXB0by5lZDI1NTE5LlB1YktleRIiCiDtSSjGKNHCxurp"
    "AziQWZVhKVknOlxj+TY2wUYUrIc30SAKEgIQAw==";
static const char own_disabled[] =
    "CmwKNGNvc21vc3ZhbG9wZXIxZDJlbnp4bDcwM2ZkanZ5Y3VlczR0enM1Y3Rqa2xzNWQ4eTkwZHUSNGNvc21v"
    "c3ZhbG9wZXIxZDJlbnp4bDcwM2ZkanZ5Y3VlczR0enM1Y3Rqa2xzNWQ4eTkwZHU=";
static const char own_signing[] =
    "CksKMmtpcmF2YWxjb25zMXlnM3p5ZzN6eWczenlnM3p5ZzN6eWczenlnM3p5ZzN6ZTZoNDBjGgsI2PvE1QYQ"
    "wKPaYiAKKG8wPDh8QEA=";
static const char own_properties[] = "CisIZBDAhD0aEjMzMDAwMDAwMDAwMDAwMDAwMCAUKAVQblgKaAF42ATwA9gE";
static const char own_fees[] = "ChEKCGFjdGl2YXRlEGQY6AcgCgoNCgVwYXVzZRBkGGQgChIFcGF1c2U=";
static const char own_plan[] =
    "CmIKA3VwMRI2CgVzZWthaRIZaHR0cHM6Ly9leGFtcGxlLm9yZy9zZWthaRoHdjAuNC4xNCIJc2hhMjU2OjAw"
    "GICkp9oGIgVvbGQtMSoFbmV3LTEyA2FiYzg8QAFIAVABWAVgAQ==";
static const char own_plan_dcl[] = "ChkKAnAyEgsIgJK4w5j+////ARiQvwUiAnt9";
static const char own_votes[] =
    "ChoIBRIUMzMzMzMzMzMzMzMzMzMzMzMzMzMYBAoaCAUSFCIiIiIiIiIiIiIiIiIiIiIiIiIiGAE=";
static const char own_voters[] =
    "ChgKFDMzMzMzMzMzMzMzMzMzMzMzMzMzGAIKGAoUIiIiIiIiIiIiIiIiIiIiIiIiIiIYAg==";
static const char own_ballots[] =
    "Cp0BCAkSAXQiiwEKJS9raXJhLnVwZ3JhZGUuUHJvcG9zYWxTb2Z0d2FyZVVwZ3JhZGUSYgoDdXAxEjYKBXNl"
    "a2FpEhlodHRwczovL2V4YW1wbGUub3JnL3Nla2FpGgd2MC40LjE0IglzaGEyNTY6MDAYgKSn2gYiBW9sZC0x"
    "KgVuZXctMTIDYWJjODxCBG1lbW9IAVgBKgYIgPfE1QZQBAqdAQgIEgF0IosBCiUva2lyYS51cGdyYWRlLlBy"
    "b3Bvc2FsU29mdHdhcmVVcGdyYWRlEmIKA3VwMRI2CgVzZWthaRIZaHR0cHM6Ly9leGFtcGxlLm9yZy9zZWth"
    "aRoHdjAuNC4xNCIJc2hhMjU2OjAwGICkp9oGIgVvbGQtMSoFbmV3LTEyA2FiYzg8QgRtZW1vSAFYASoGCID3"
    "xNUGUAEKnQEIBxIBdCKLAQolL2tpcmEudXBncmFkZS5Qcm9wb3NhbFNvZnR3YXJlVXBncmFkZRJiCgN1cDES"
    "NgoFc2VrYWkSGWh0dHBzOi8vZXhhbXBsZS5vcmcvc2VrYWkaB3YwLjQuMTQiCXNoYTI1NjowMBiApKfaBiIF"
    "b2xkLTEqBW5ldy0xMgNhYmM4PEIEbWVtb0gBWAEqBgiA98TVBlAGCpQBCAYSAXQiggEKHC9raXJhLmdvdi5D"
    "cmVhdGVSb2xlUHJvcG9zYWwSYgoDdXAxEjYKBXNla2FpEhlodHRwczovL2V4YW1wbGUub3JnL3Nla2FpGgd2"
    "MC40LjE0IglzaGEyNTY6MDAYgKSn2gYiBW9sZC0xKgVuZXctMTIDYWJjODxCBG1lbW9IAVgBKgYIgPfE1QZQ"
    "BBICEAQ=";
static const char own_ballots_dcl[] =
    "CqEBCggKAnAyGJC/BRItY29zbW9zMWczenlnM3p5ZzN6eWczenlnM3p5ZzN6eWczenlnM3p5cjNkeGZ5GjUK"
    "LWNvc21vczFnM3p5ZzN6eWczenlnM3p5ZzN6eWczenlnM3p5ZzN6eXIzZHhmeRCA98TVBiIvCi1jb3Ntb3Mx"
    "eHZlbnh2ZW54dmVueHZlbnh2ZW54dmVueHZlbnh2ZW51NzllMDI=";
static const char own_account[] =
    "ClYKIC9jb3Ntb3MuYXV0aC52MWJldGExLkJhc2VBY2NvdW50EjIKK2tpcmExenlnM3p5ZzN6eWczenlnM3p5"
    "ZzN6eWczenlnM3p5ZzMzamF2bnoYnQUgag==";
static const char own_account_dcl[] =
    "CkAKMwotY29zbW9zMXp5ZzN6eWczenlnM3p5ZzN6eWczenlnM3p5ZzN6eWczcGFoemowGAIgARIJTm9kZUFk"
    "bWlu";
static const char own_balance[] = "ChcKBHVrZXgSDzE0OTk5OTk5OTk5OTkwMA==";

uint8_t *query_bytes(const char *text, size_t *size)
{
    size_t length = strlen(text);
    uint8_t *bytes = malloc(BASE64_BYTES(length));
    assert(bytes);
    bool good = base64_decode(text, length, bytes, BASE64_BYTES(length), size);
    assert(good);
    return bytes;
}

/* Ends, fits and has no control characters. */
static void check_text(const char *text, size_t room)
{
    size_t size = strnlen(text, room);
    assert(size < room);
    for (size_t i = 0; i < size; i++)
        assert((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}
#define CHECK_TEXT(text) check_text(text, sizeof(text))

static void check_records(const struct query_page *page)
{
    assert(page->count <= QUERY_PAGE_MAX && page->next_key_size <= QUERY_KEY_MAX);
    for (uint32_t i = 0; i < page->count; i++) {
        const struct query_record *r = &page->records[i];
        CHECK_TEXT(r->moniker);
        assert(r->status >= COORD_ACTIVE && r->status <= COORD_JAILED && !r->by_trustees);
        assert(r->rank >= 0 && r->streak >= 0 && r->power >= 0);
    }
}

static bool read_records(enum chain_kind chain, const uint8_t *bytes, size_t size,
                         struct fault *fault)
{
    struct query_page page;
    if (!query_records_read(chain, bytes, size, &page, fault))
        return false;
    check_records(&page);
    query_page_destroy(&page);
    return true;
}

static bool read_records_kira(const uint8_t *bytes, size_t size, struct fault *fault)
{
    return read_records(CHAIN_KIRA, bytes, size, fault);
}

static bool read_records_dcl(const uint8_t *bytes, size_t size, struct fault *fault)
{
    return read_records(CHAIN_DCL, bytes, size, fault);
}

static bool read_disabled(const uint8_t *bytes, size_t size, struct fault *fault)
{
    struct query_record records[2] = {{.status = COORD_JAILED}, {.status = COORD_ACTIVE}};
    uint8_t key[QUERY_KEY_MAX];
    size_t key_size = 0;
    if (!query_disabled_read(bytes, size, records, 2, key, &key_size, fault))
        return false;
    assert(key_size <= QUERY_KEY_MAX);
    return true;
}

static bool read_signing(const uint8_t *bytes, size_t size, struct fault *fault)
{
    struct query_signing s;
    if (!query_signing_read(bytes, size, &s, fault))
        return false;
    assert(s.inactive_until_ms >= 0 && s.mischance >= 0 && s.mischance_confidence >= 0);
    assert(s.last_present_block >= 0 && s.missed_blocks >= 0 && s.produced_blocks >= 0);
    return true;
}

static bool read_properties(const uint8_t *bytes, size_t size, struct fault *fault)
{
    struct query_properties p;
    if (!query_properties_read(bytes, size, &p, fault))
        return false;
    CHECK_TEXT(p.vote_quorum);
    assert(p.min_validators >= 1 && p.max_tx_fee >= p.min_tx_fee);
    assert(strspn(p.vote_quorum, "0123456789.") == strlen(p.vote_quorum));
    return true;
}

static bool read_fees(const uint8_t *bytes, size_t size, struct fault *fault)
{
    struct query_fees fees;
    if (!query_fees_read(bytes, size, &fees, fault))
        return false;
    for (uint32_t i = 0; i < fees.count; i++)
        CHECK_TEXT(fees.fees[i].type);
    query_fees_destroy(&fees);
    return true;
}

static void check_plan(const struct query_plan *plan)
{
    CHECK_TEXT(plan->name);
    CHECK_TEXT(plan->info);
    CHECK_TEXT(plan->old_chain_id);
    CHECK_TEXT(plan->new_chain_id);
    CHECK_TEXT(plan->rollback_checksum);
    assert(plan->resource_count <= QUERY_RESOURCES_MAX && (!plan->present || plan->name[0]));
    assert(plan->height >= 0 && plan->upgrade_time_s >= 0 && plan->max_enrolment_s >= 0);
    for (uint32_t i = 0; i < plan->resource_count; i++)
        CHECK_TEXT(plan->resources[i].url);
}

static bool read_plan(enum chain_kind chain, const uint8_t *bytes, size_t size, struct fault *fault)
{
    static struct query_plan plan;
    if (!query_plan_read(chain, bytes, size, &plan, fault))
        return false;
    check_plan(&plan);
    return true;
}

static bool read_plan_kira(const uint8_t *bytes, size_t size, struct fault *fault)
{
    return read_plan(CHAIN_KIRA, bytes, size, fault);
}

static bool read_plan_dcl(const uint8_t *bytes, size_t size, struct fault *fault)
{
    return read_plan(CHAIN_DCL, bytes, size, fault);
}

static void check_votes(const struct query_votes *votes)
{
    for (uint32_t i = 0; i < votes->count; i++) {
        assert(votes->votes[i].option >= 1 && votes->votes[i].option <= 4);
        assert(i == 0 || memcmp(votes->votes[i - 1].account, votes->votes[i].account,
                                ACCOUNT_ADDRESS_SIZE) < 0);
    }
}

static bool read_votes(const uint8_t *bytes, size_t size, struct fault *fault)
{
    struct query_votes votes;
    if (!query_votes_read(bytes, size, &votes, fault))
        return false;
    check_votes(&votes);
    query_votes_destroy(&votes);
    return true;
}

static bool read_voters(const uint8_t *bytes, size_t size, struct fault *fault)
{
    uint8_t(*voters)[ACCOUNT_ADDRESS_SIZE];
    uint32_t count;
    if (!query_voters_read(bytes, size, &voters, &count, fault))
        return false;
    for (uint32_t i = 1; i < count; i++)
        assert(memcmp(voters[i - 1], voters[i], ACCOUNT_ADDRESS_SIZE) < 0);
    free(voters);
    return true;
}

static bool read_ballots(enum chain_kind chain, const uint8_t *bytes, size_t size,
                         struct fault *fault)
{
    struct query_ballots ballots;
    if (!query_ballots_read(chain, bytes, size, &ballots, fault))
        return false;
    assert(ballots.count <= QUERY_BALLOTS_MAX);
    for (uint32_t i = 0; i < ballots.count; i++) {
        assert(ballots.ballots[i].plan.present);
        check_plan(&ballots.ballots[i].plan);
        check_votes(&ballots.ballots[i].votes);
    }
    query_ballots_destroy(&ballots);
    return true;
}

static bool read_ballots_kira(const uint8_t *bytes, size_t size, struct fault *fault)
{
    return read_ballots(CHAIN_KIRA, bytes, size, fault);
}

static bool read_ballots_dcl(const uint8_t *bytes, size_t size, struct fault *fault)
{
    return read_ballots(CHAIN_DCL, bytes, size, fault);
}

static bool read_account_kira(const uint8_t *bytes, size_t size, struct fault *fault)
{
    struct query_account account;
    return query_account_read(CHAIN_KIRA, bytes, size, &account, fault);
}

static bool read_account_dcl(const uint8_t *bytes, size_t size, struct fault *fault)
{
    struct query_account account;
    return query_account_read(CHAIN_DCL, bytes, size, &account, fault);
}

static bool read_balance(const uint8_t *bytes, size_t size, struct fault *fault)
{
    uint64_t amount;
    return query_balance_read(bytes, size, "ukex", &amount, fault);
}

const struct query_reader query_readers[] = {
    {"records", own_records, read_records_kira},
    {"records_dcl", own_records_dcl, read_records_dcl},
    {"disabled", own_disabled, read_disabled},
    {"signing", own_signing, read_signing},
    {"properties", own_properties, read_properties},
    {"fees", own_fees, read_fees},
    {"plan", own_plan, read_plan_kira},
    {"plan_dcl", own_plan_dcl, read_plan_dcl},
    {"votes", own_votes, read_votes},
    {"voters", own_voters, read_voters},
    {"ballots", own_ballots, read_ballots_kira},
    {"ballots_dcl", own_ballots_dcl, read_ballots_dcl},
    {"account", own_account, read_account_kira},
    {"account_dcl", own_account_dcl, read_account_dcl},
    {"balance", own_balance, read_balance},
};
const size_t query_reader_count = sizeof query_readers / sizeof query_readers[0];

const struct query_reader *query_reader(const char *name)
{
    for (size_t i = 0; i < query_reader_count; i++) {
        if (strcmp(query_readers[i].name, name) == 0)
            return &query_readers[i];
    }
    abort();
}
