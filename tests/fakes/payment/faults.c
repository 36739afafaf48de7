/* A short list of rules under a lock. */
#include "tests/fakes/payment/faults.h"

#include "common/base/auto.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RULES = 16, RULE_SIZE = 128 };

struct faults {
    pthread_mutex_t lock; /* guards all below */
    uint64_t random;      /* never 0 */
    struct fault_rule rules[MOST_RULES];
    int left[MOST_RULES]; /* of rules with a count */
    size_t count;
};

static const char *const names[] = {"none",  "away", "unavailable", "decline",
                                    "error", "cut",  "silent",      "slow"};

struct faults *faults_new(unsigned seed)
{
    struct faults *faults = calloc(1, sizeof(*faults));

    if (!faults) {
        abort();
    }
    pthread_mutex_init(&faults->lock, NULL);
    faults->random = UINT64_C(0x9e3779b97f4a7c15) ^ seed;
    return faults;
}

void faults_free(struct faults *faults)
{
    if (faults) {
        pthread_mutex_destroy(&faults->lock);
        free(faults);
    }
}

static bool parse(const char *text, struct fault_rule *rule)
{
    char fault[16] = "", act[16] = "", rest;

    *rule = (struct fault_rule){.percent = 100};
    if (sscanf(text, "%15[a-z]:%15[a-z]:%d:%d:%d%c", fault, act, &rule->percent, &rule->count,
               &rule->delay_ms, &rest) != 5) {
        return false;
    }
    rule->any = strcmp(act, "any") == 0;
    for (size_t i = 1; i < ARRAY_LEN(names); i++) {
        rule->fault = strcmp(names[i], fault) == 0 ? (enum fault)i : rule->fault;
    }
    return rule->fault != FAULT_NONE && (rule->any || act_parse(act, &rule->act)) &&
           rule->percent >= 0 && rule->percent <= 100 && rule->count >= 0 && rule->delay_ms >= 0 &&
           rule->delay_ms <= 600000;
}

bool faults_add(struct faults *faults, const char *text)
{
    struct fault_rule rule;

    if (!parse(text, &rule)) {
        return false;
    }
    pthread_mutex_lock(&faults->lock);
    bool fits = faults->count < MOST_RULES;
    if (fits) {
        faults->left[faults->count] = rule.count;
        faults->rules[faults->count++] = rule;
    }
    pthread_mutex_unlock(&faults->lock);
    return fits;
}

bool faults_add_all(struct faults *faults, const char *rules)
{
    while (*rules) {
        char rule[RULE_SIZE] = "";
        size_t length = strcspn(rules, " ");

        if (length >= sizeof(rule)) {
            return false;
        }
        memcpy(rule, rules, length);
        if (length && !faults_add(faults, rule)) {
            return false;
        }
        rules += length + strspn(rules + length, " ");
    }
    return true;
}

void faults_clear(struct faults *faults)
{
    pthread_mutex_lock(&faults->lock);
    faults->count = 0;
    pthread_mutex_unlock(&faults->lock);
}

static int roll(struct faults *faults) /* 0 to 99; xorshift64 */
{
    faults->random ^= faults->random << 13;
    faults->random ^= faults->random >> 7;
    faults->random ^= faults->random << 17;
    return (int)((faults->random >> 33) % 100);
}

static bool fires(struct faults *faults, size_t i, enum act act)
{
    const struct fault_rule *rule = &faults->rules[i];

    if (!rule->any && rule->act != act) {
        return false;
    }
    if (rule->count && faults->left[i] == 0) {
        return false;
    }
    if (roll(faults) >= rule->percent) {
        return false;
    }
    faults->left[i] -= rule->count ? 1 : 0;
    return true;
}

struct fault_rule faults_roll(struct faults *faults, enum act act)
{
    struct fault_rule rolled = {.fault = FAULT_NONE};

    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->count && rolled.fault == FAULT_NONE; i++) {
        if (fires(faults, i, act)) {
            rolled = faults->rules[i];
        }
    }
    pthread_mutex_unlock(&faults->lock);
    return rolled;
}
