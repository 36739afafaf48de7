/* The accounts of a demonstration, with ids that other data of a demonstration may refer to.
 * Refused off loopback by config.c: the password is in the documentation. */
#include "common/base/text.h"
#include "customer-service/auth/password_queue.h"
#include "customer-service/auth/session.h"
#include "customer-service/service.h"

#define DEMO_PASSWORD  "coffee-demo"
#define DEMO_ID(digit) "019aa1f0-0000-7000-8000-00000000000" digit

static const struct {
    struct customer_id id;
    const char *handle, *name;
    enum role role;
} accounts[] = {
    {{DEMO_ID("1")}, "customer",  "Carla Customer", ROLE_CUSTOMER},
    {{DEMO_ID("2")}, "customer2", "Chris Customer", ROLE_CUSTOMER},
    {{DEMO_ID("3")}, "barista",   "Bea Barista",    ROLE_BARISTA },
    {{DEMO_ID("4")}, "barista2",  "Ben Barista",    ROLE_BARISTA },
    {{DEMO_ID("5")}, "admin",     "Ada Admin",      ROLE_ADMIN   },
    {{DEMO_ID("6")}, "driver",    "Dan Driver",     ROLE_DRIVER  },
};

static enum status seed_one(struct ctx *ctx, struct db_conn *tx, size_t i, const char *hash)
{
    struct customer customer = {
        .id = accounts[i].id,
        .handle = accounts[i].handle,
        .name = accounts[i].name,
        .email = arena_printf(ctx->arena, "%s@example.org", accounts[i].handle),
        .role = accounts[i].role,
    };

    TRY(customer_create_once(ctx, tx, &customer));
    /* Somebody may have taken the handle before DEMO was switched on: then it is theirs. */
    enum status st = customer_get(ctx, tx, customer.id, &customer);
    if (st == ST_NOT_FOUND) {
        ctx_forgive(ctx);
        return ST_OK;
    }
    TRY(st);
    return auth_store_add_password(ctx, tx, customer.id, hash, true);
}

/* So that a daemon which starts anew need not hash the password again: 50 ms and 19 MiB. */
static enum status are_seeded(struct ctx *ctx, struct service *service, bool *seeded)
{
    struct db_conn *db = NULL;

    *seeded = true;
    TRY(service_db(ctx, service, &db));
    for (size_t i = 0; i < ARRAY_LEN(accounts) && *seeded; i++) {
        const char *hash;
        enum status st = auth_store_password(ctx, db, accounts[i].id, &hash);

        *seeded = st == ST_OK;
        if (st == ST_NOT_FOUND) {
            ctx_forgive(ctx);
        } else {
            TRY(st);
        }
    }
    db_give_back(&db);
    return ST_OK;
}

enum status auth_seed_demo(struct ctx *ctx, struct service *service)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;
    char hash[PASSWORD_HASH_SIZE];
    bool seeded;

    TRY(are_seeded(ctx, service, &seeded));
    if (seeded) {
        return ST_OK;
    }
    TRY(password_queue_hash(ctx, service_passwords(service), DEMO_PASSWORD, hash));
    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    for (size_t i = 0; i < ARRAY_LEN(accounts); i++) {
        TRY(seed_one(ctx, tx, i, hash));
    }
    TRY(db_commit(ctx, &tx));
    db_give_back(&db);
    return ST_OK;
}
