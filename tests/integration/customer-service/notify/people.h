/* What the tests of notices share: a fake Apple, people with devices, and orders whose events are
 * told. Included by those tests only. */
#ifndef TESTS_INTEGRATION_CUSTOMER_SERVICE_NOTIFY_PEOPLE_H
#define TESTS_INTEGRATION_CUSTOMER_SERVICE_NOTIFY_PEOPLE_H

#include "common/base/clock.h"
#include "common/events/event.h"
#include "customer-service/notify/device.h"
#include "customer-service/notify/notify.h"
#include "customer-service/notify/notify_events.h"
#include "tests/helpers/apns/fake_apns.h"
#include "tests/helpers/patience.h"
#include "tests/integration/customer-service/shop.h"

static struct fake_apns fake; /* of the whole program */
static struct ctx *ctx;
static int64_t shift_ms; /* how old the events are */

static __attribute__((unused)) void make(void)
{
    fake_apns_start(&fake);
    setenv("APNS_KEY_FILE", fake.key_file, 1);
    setenv("APNS_KEY_ID", FAKE_APNS_KID, 1);
    setenv("APNS_TEAM_ID", FAKE_APNS_TEAM, 1);
    setenv("APNS_TOPIC", FAKE_APNS_TOPIC, 1);
    setenv("APNS_URL", fake.url, 1);
    setenv("APNS_SANDBOX_URL", fake.url, 1);
    setenv("APNS_CA_FILE", fake.ca_file, 1);
    setenv("VAPID_KEY_FILE", fake.key_file, 1);
    setenv("VAPID_SUBJECT", "mailto:test@example.org", 1);
    setenv("WEB_PUSH_CA_FILE", fake.ca_file, 1);
    setenv("WEB_PUSH_LOOPBACK", "1", 1);
    shop_make();
}

static __attribute__((unused)) void drop(void)
{
    shop_drop();
    fake_apns_stop(&fake);
}

static __attribute__((unused)) void before(void)
{
    fake_apns_reset(&fake);
    test_db_run("TRUNCATE notify.devices, notify.notices, notify.shifts, notify.live_activities,"
                " notify.preferences, jobs.jobs CASCADE");
    shop_open();
    service_start_jobs(shop.service);
    ctx = ctx_new_system("test");
}

static __attribute__((unused)) void after(void)
{
    ctx_free(ctx);
    shop_close();
}

/* ---- people and their devices ---- */

struct person {
    char id[ID_TEXT_SIZE];
    char token[65];
    struct device device;
};

static __attribute__((unused)) void add_device(struct person *person, enum role role)
{
    struct ctx *theirs = shop_ctx(person->id, role);
    struct device_wish wish = {.channel = "apns",
                               .address = person->token,
                               .environment = "sandbox",
                               .p256dh = "",
                               .secret = ""};
    uint8_t bytes[32];

    random_bytes(bytes, sizeof(bytes));
    hex_encode(bytes, sizeof(bytes), person->token);
    shop_insist(theirs, device_register(theirs, shop.service, &wish, &person->device));
    ctx_free(theirs);
}

static __attribute__((unused)) struct person add_person(enum role role)
{
    struct person person;

    uuid_v7(person.id);
    test_db_run(arena_printf(ctx->arena,
                             "INSERT INTO customer.customers (id, handle, email, name, role)"
                             " VALUES ('%s', 'p%.8s%.4s', '%s@example.org', 'P', '%s')",
                             person.id, person.id + 28, person.id + 24, person.id,
                             role_name(role)));
    add_device(&person, role);
    return person;
}

static __attribute__((unused)) void on_shift(const struct person *person, bool on)
{
    struct ctx *theirs = shop_ctx(person->id, ROLE_BARISTA);
    int64_t since;

    shop_insist(theirs, device_set_shift(theirs, shop.service, on, &since));
    ctx_free(theirs);
}

/* ---- orders and their events ---- */

struct story {
    char order[ID_TEXT_SIZE];
    const struct person *who;
    int64_t seq;
};

static __attribute__((unused)) struct story begin_story(const struct person *who)
{
    struct story story = {.who = who};

    uuid_v7(story.order);
    return story;
}

static const struct caller staff = {.subject = "019aa1f0-0000-7000-8000-00000000ba01",
                                    .role = ROLE_BARISTA};

static __attribute__((unused)) enum status tell_id(struct story *story, const char *type,
                                                   const char *id, const struct caller *actor)
{
    struct ctx *own = ctx_new_system("customer-service");
    struct event_draft draft = {.type = type,
                                .subject = "orderId",
                                .subject_id = story->order,
                                .seq = story->seq,
                                .at_ms = clock_wall_ms() + shift_ms,
                                .actor = actor};

    text_copy(draft.id, sizeof(draft.id), id);
    draft.data = arena_printf(own->arena,
                              "{\"number\":7,\"id\":\"%s\",\"customerId\":\"%s\",\"items\":"
                              "[{\"name\":\"Flat White\",\"quantity\":1}],\"totalCents\":440}",
                              story->order, story->who->id);
    const char *payload = event_envelope(own->arena, &draft);
    struct event event = {.topic = "audit.events",
                          .key = story->order,
                          .payload = payload,
                          .size = strlen(payload),
                          .id = id,
                          .type = type,
                          .seq = story->seq,
                          .at_ms = draft.at_ms};
    enum status st = notify_on_audit(own, shop.service, &event);
    ctx_free(own);
    return st;
}

static __attribute__((unused)) void tell_by(struct story *story, const char *type,
                                            const struct caller *actor)
{
    char id[ID_TEXT_SIZE];

    uuid_v7(id);
    story->seq++;
    shop_insist(ctx, tell_id(story, type, id, actor));
}

static __attribute__((unused)) void tell(struct story *story, const char *type)
{
    tell_by(story, type, &staff);
}

/* Until nothing is open. */
static __attribute__((unused)) void settle_within(int within_ms)
{
    int64_t until = clock_monotonic_ms() + within_ms;

    while (*test_db_ask("SELECT 1 FROM jobs.jobs WHERE state NOT IN ('done', 'dead') LIMIT 1")) {
        ck_assert_msg(clock_monotonic_ms() < until, "jobs stay open");
        clock_pause_ms(100);
    }
}

static __attribute__((unused)) void settle(void)
{
    settle_within(PATIENCE_MS);
}

#endif
