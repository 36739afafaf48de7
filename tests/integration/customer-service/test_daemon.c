/* links: test_db common_token common_crypto common_rpc common_events
 * The daemon itself, spoken to over gRPC: starting, what it does while others are away, who may
 * call what, events from Kafka. */
#include "coffee/auth/v1/auth.pb-c.h"
#include "coffee/customer/v1/customer.pb-c.h"
#include "common/events/event.h"
#include "common/events/producer.h"
#include "common/rpc/identity.h"
#include "common/rpc/rpc_client.h"
#include "tests/helpers/free_port.h"
#include "tests/integration/customer-service/shop.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { READY_MS = 30000, CALL_MS = 30000, EVENT_MS = 30000, CROWD_MS = 60000 };

#define AUTH     "/coffee.auth.v1.AuthService/"
#define CUSTOMER "/coffee.customer.v1.CustomerService/"
#define DEMO_ID  "019aa1f0-0000-7000-8000-000000000001"

static struct {
    pid_t pid;
    int grpc_port, admin_port;
    struct identity_keys *keys;
    struct rpc_client *client;
} daemon_;

/* The status line's code of GET /readyz; 0 while nobody answers. */
static int readyz(char *body, size_t size)
{
    static const char request[] = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)daemon_.admin_port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), code = 0;
    size_t length = 0;
    ssize_t got = 1;

    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
        write(fd, request, sizeof(request) - 1) > 0) {
        while (length + 1 < size && got > 0) {
            got = read(fd, body + length, size - 1 - length);
            length += got > 0 ? (size_t)got : 0;
        }
    }
    close(fd);
    body[length] = '\0';
    return sscanf(body, "HTTP/1.%*d %d", &code) == 1 ? code : 0;
}

static void wait_until(int wanted)
{
    int64_t until = clock_monotonic_ms() + READY_MS;
    char body[2048];
    int code = 0;

    while (clock_monotonic_ms() < until && (code = readyz(body, sizeof(body))) != wanted) {
        clock_pause_ms(20);
    }
    ck_assert_msg(code == wanted, "/readyz says %d: %s", code, body);
}

static void start_daemon(void)
{
    char self[512] = "", *slash;
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 32);

    ck_assert(length > 0);
    slash = strrchr(self, '/');
    snprintf(slash, 32, "/../bin/customer-service");
    daemon_.grpc_port = free_port();
    daemon_.admin_port = free_port();
    daemon_.pid = fork();
    if (daemon_.pid == 0) {
        shop_setenv_number("GRPC_PORT", daemon_.grpc_port);
        shop_setenv_number("METRICS_PORT", daemon_.admin_port);
        execl(self, self, (char *)NULL);
        _exit(127);
    }
}

static int stop_daemon(void)
{
    int status = 0;

    kill(daemon_.pid, SIGTERM);
    waitpid(daemon_.pid, &status, 0);
    daemon_.pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void connect_client(void)
{
    static char target[64];

    snprintf(target, sizeof(target), "127.0.0.1:%d", daemon_.grpc_port);
    daemon_.keys = identity_keys_load(getenv("IDENTITY_KEYS_FILE"), stderr);
    daemon_.client = rpc_client_new(&(struct rpc_client_options){
        .target = target, .audience = "customer-service", .keys = daemon_.keys});
}

static void disconnect_client(void)
{
    rpc_client_free(daemon_.client);
    identity_keys_free(daemon_.keys);
}

static void before(void)
{
    start_daemon();
}

static void after(void)
{
    if (daemon_.pid) {
        kill(daemon_.pid, SIGKILL); /* leaving slowly is a test of its own */
        waitpid(daemon_.pid, NULL, 0);
    }
}

static struct ctx *as(const char *subject, enum role role)
{
    struct ctx *ctx = shop_ctx(subject, role);

    ctx->deadline_ms = clock_monotonic_ms() + CALL_MS;
    return ctx;
}

static enum status call(struct ctx *ctx, const char *path, const ProtobufCMessage *in,
                        const ProtobufCMessageDescriptor *out_type, void *out)
{
    ctx_forgive(ctx);
    return rpc_call(ctx, daemon_.client, path, in, out_type, CALL_MS, out);
}

static Coffee__Auth__V1__Session *login(struct ctx *ctx, const char *handle)
{
    Coffee__Auth__V1__LoginRequest in = COFFEE__AUTH__V1__LOGIN_REQUEST__INIT;
    Coffee__Auth__V1__Session *session = NULL;

    in.handle = arena_strdup(ctx->arena, handle);
    in.password = arena_strdup(ctx->arena, "coffee-demo");
    ck_assert_int_eq(
        call(ctx, AUTH "Login", &in.base, &coffee__auth__v1__session__descriptor, &session), ST_OK);
    return session;
}

START_TEST(the_demonstration_is_there_when_the_daemon_is_ready)
{
    struct ctx *ctx = as("", ROLE_NOBODY), *carla = as(DEMO_ID, ROLE_CUSTOMER);
    Coffee__Customer__V1__GetUsualRequest ask = COFFEE__CUSTOMER__V1__GET_USUAL_REQUEST__INIT;
    Coffee__Customer__V1__Favorite *usual;

    wait_until(200);
    connect_client();
    Coffee__Auth__V1__Session *session = login(ctx, "customer");
    ck_assert_str_eq(session->customer->id, DEMO_ID);
    ck_assert_str_eq(session->token_type, "Bearer");
    ck_assert_int_eq(session->expires_in, 900);
    ck_assert_int_eq(login(ctx, "admin")->customer->role, COFFEE__CUSTOMER__V1__ROLE__ROLE_ADMIN);
    ck_assert_int_eq(call(carla, CUSTOMER "GetUsual", &ask.base,
                          &coffee__customer__v1__favorite__descriptor, &usual),
                     ST_OK);
    ck_assert_str_eq(usual->menu_item_id, "flat-white");
    ck_assert_str_eq(usual->customizations[0]->id, "oat-milk");
    disconnect_client();
    ctx_free(carla);
    ctx_free(ctx);
}
END_TEST

/* Whether Valkey says within some seconds that this session is denied. */
static bool becomes_denied(struct ctx *ctx, struct cache *cache, const char *session)
{
    const char *key = arena_printf(ctx->arena, "customer:deny:%s", session), *value = NULL;
    int64_t until = clock_monotonic_ms() + CALL_MS;
    size_t size;

    while (!value && clock_monotonic_ms() < until) {
        clock_pause_ms(50);
        if (cache_get(ctx, cache, key, &value, &size) != ST_OK) {
            ctx_forgive(ctx);
        }
    }
    return value != NULL;
}

START_TEST(a_denied_session_stays_denied_though_valkey_is_emptied)
{
    struct ctx *ctx = as("", ROLE_NOBODY);
    struct cache *cache =
        cache_new(&(struct cache_options){.host = "127.0.0.1", .port = shop.valkey.port});
    Coffee__Auth__V1__LogoutRequest out = COFFEE__AUTH__V1__LOGOUT_REQUEST__INIT;
    struct cache_reply reply;
    ProtobufCMessage *empty;

    ctx->deadline_ms = 0;
    wait_until(200);
    connect_client();
    Coffee__Auth__V1__Session *session = login(ctx, "driver");
    out.refresh_token = session->refresh_token;
    ck_assert_int_eq(
        call(ctx, AUTH "Logout", &out.base, &google__protobuf__empty__descriptor, &empty), ST_OK);
    const char *sid = test_db_ask("SELECT id FROM auth.sessions WHERE end_reason = 'signed out'");
    ck_assert(becomes_denied(ctx, cache, sid));
    SHOP_VALKEY(ctx, cache, &reply, "FLUSHALL");
    ck_assert(becomes_denied(ctx, cache, sid));
    cache_free(cache);
    disconnect_client();
    ctx_free(ctx);
}
END_TEST

/* AUTH-03 */
START_TEST(roles_decide_who_may_call)
{
    struct ctx *nobody = as("", ROLE_NOBODY), *carla = as(DEMO_ID, ROLE_CUSTOMER);
    Coffee__Customer__V1__GetProfileRequest get = COFFEE__CUSTOMER__V1__GET_PROFILE_REQUEST__INIT;
    Coffee__Customer__V1__SetRoleRequest set = COFFEE__CUSTOMER__V1__SET_ROLE_REQUEST__INIT;
    Coffee__Auth__V1__ListDeniedRequest denied = COFFEE__AUTH__V1__LIST_DENIED_REQUEST__INIT;
    const ProtobufCMessageDescriptor *customer = &coffee__customer__v1__customer__descriptor;
    ProtobufCMessage *out;
    char id[] = DEMO_ID;

    wait_until(200);
    connect_client();
    set.id = id;
    set.role = COFFEE__CUSTOMER__V1__ROLE__ROLE_ADMIN;
    ck_assert_int_eq(call(nobody, CUSTOMER "GetProfile", &get.base, customer, &out),
                     ST_UNAUTHENTICATED);
    ck_assert_int_eq(call(carla, CUSTOMER "GetProfile", &get.base, customer, &out), ST_OK);
    ck_assert_int_eq(call(carla, CUSTOMER "SetRole", &set.base, customer, &out), ST_FORBIDDEN);
    ck_assert_int_eq(call(carla, AUTH "ListDenied", &denied.base,
                          &coffee__auth__v1__list_denied_response__descriptor, &out),
                     ST_FORBIDDEN);
    disconnect_client();
    ctx_free(carla);
    ctx_free(nobody);
}
END_TEST

/* SEC-09 */
START_TEST(bad_input_is_refused_with_its_fields)
{
    struct ctx *ctx = as("", ROLE_NOBODY);
    Coffee__Auth__V1__SignUpRequest in = COFFEE__AUTH__V1__SIGN_UP_REQUEST__INIT;
    char handle[] = "No Capitals", email[] = "no-at-sign", empty[] = "", password[] = "x";
    ProtobufCMessage *out;
    size_t fields = 0;

    wait_until(200);
    connect_client();
    in.handle = handle;
    in.email = email;
    in.name = empty;
    in.password = password;
    ck_assert_int_eq(
        call(ctx, AUTH "SignUp", &in.base, &coffee__auth__v1__sign_up_response__descriptor, &out),
        ST_INVALID);
    for (const struct field_error *f = ctx->failure.fields; f; f = f->next) {
        fields++;
    }
    ck_assert_uint_eq(fields, 3);
    disconnect_client();
    ctx_free(ctx);
}
END_TEST

#define TEN                                 "0123456789"
#define A_HUNDRED_BYTES_IN_FIFTY_CHARACTERS "ääääääääääääääääääääääääääääääääääääääääääääääääää"

static const char *field_refused(struct ctx *ctx, enum status st)
{
    return st == ST_INVALID && ctx->failure.fields ? ctx->failure.fields->field : "";
}

/* SEC-09, AUTH-02: it travels in tokens and in a header of lines, and is compared whole. */
START_TEST(a_device_id_that_would_be_cut_or_break_a_line_is_refused)
{
    static const char *const refused[] = {TEN TEN TEN TEN TEN TEN "12345",
                                          "x" A_HUNDRED_BYTES_IN_FIFTY_CHARACTERS,
                                          A_HUNDRED_BYTES_IN_FIFTY_CHARACTERS,
                                          "a\nb",
                                          "a\tb",
                                          "\x7f"};
    static const char *const taken[] = {"", TEN TEN TEN TEN TEN TEN "1234", "Großmutters Händi"};
    Coffee__Auth__V1__LoginRequest in = COFFEE__AUTH__V1__LOGIN_REQUEST__INIT;
    Coffee__Auth__V1__RefreshRequest again = COFFEE__AUTH__V1__REFRESH_REQUEST__INIT;
    const ProtobufCMessageDescriptor *session = &coffee__auth__v1__session__descriptor;
    struct ctx *ctx = as("", ROLE_NOBODY);
    ProtobufCMessage *out;

    wait_until(200);
    connect_client();
    in.handle = arena_strdup(ctx->arena, "customer");
    in.password = arena_strdup(ctx->arena, "coffee-demo");
    again.refresh_token = arena_strdup(ctx->arena, "never given out");
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        in.device_id = again.device_id = arena_strdup(ctx->arena, refused[i]);
        enum status st = call(ctx, AUTH "Login", &in.base, session, &out);
        ck_assert_msg(strcmp(field_refused(ctx, st), "deviceId") == 0, "%zu: %d", i, st);
        st = call(ctx, AUTH "Refresh", &again.base, session, &out);
        ck_assert_msg(strcmp(field_refused(ctx, st), "deviceId") == 0, "%zu: %d", i, st);
    }
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        in.device_id = arena_strdup(ctx->arena, taken[i]);
        ck_assert_int_eq(call(ctx, AUTH "Login", &in.base, session, &out), ST_OK);
    }
    disconnect_client();
    ctx_free(ctx);
}
END_TEST

/* ---- many who sign in at once ---- */

enum { CROWD = 40, GUESSES = 16 };

static const char *guessed_handle; /* NULL: each has an account of their own, that is not there */
static atomic_int signed_in, wrong, told_to_wait;

static void *sign_in_wrongly(void *number)
{
    Coffee__Auth__V1__LoginRequest in = COFFEE__AUTH__V1__LOGIN_REQUEST__INIT;
    struct ctx *ctx = as("", ROLE_NOBODY);
    ProtobufCMessage *out;

    ctx->deadline_ms = clock_monotonic_ms() + CROWD_MS;
    in.handle = guessed_handle ? arena_strdup(ctx->arena, guessed_handle)
                               : arena_printf(ctx->arena, "nobody-%d", *(int *)number);
    in.password = arena_strdup(ctx->arena, "a wrong password");
    ck_assert_int_ne(rpc_call(ctx, daemon_.client, AUTH "Login", &in.base,
                              &coffee__auth__v1__session__descriptor, CROWD_MS, &out),
                     ST_OK);
    atomic_fetch_add(&wrong, ctx->failure.problem == PROBLEM_BAD_CREDENTIALS);
    atomic_fetch_add(&told_to_wait, ctx->failure.problem == PROBLEM_TOO_MANY_REQUESTS);
    atomic_fetch_add(&signed_in, 1);
    ctx_free(ctx);
    return NULL;
}

static void begin(pthread_t *threads, int *numbers, int count)
{
    for (int i = 0; i < count; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_in_wrongly, &numbers[i]), 0);
    }
}

static void join(const pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* Counted in logins, not in time: how many were answered while another call was. */
START_TEST(a_crowd_that_signs_in_holds_up_nobody_else)
{
    Coffee__Auth__V1__GetJwksRequest ask = COFFEE__AUTH__V1__GET_JWKS_REQUEST__INIT;
    struct ctx *gateway = as("gateway", ROLE_SYSTEM);
    pthread_t threads[CROWD];
    int numbers[CROWD], fewest = CROWD;
    ProtobufCMessage *out;

    wait_until(200);
    connect_client();
    begin(threads, numbers, CROWD);
    while (atomic_load(&signed_in) < 1) { /* the line has formed, and moves */
        clock_pause_ms(1);
    }
    while (atomic_load(&signed_in) < CROWD / 2) {
        int before = atomic_load(&signed_in);

        ck_assert_int_eq(
            call(gateway, AUTH "GetJwks", &ask.base, &coffee__auth__v1__jwks__descriptor, &out),
            ST_OK);
        int meanwhile = atomic_load(&signed_in) - before;
        fewest = meanwhile < fewest ? meanwhile : fewest;
    }
    join(threads, CROWD);
    ck_assert_int_eq(wrong, CROWD); /* none was turned away: the line is that long */
    ck_assert_int_le(fewest, 2);
    disconnect_client();
    ctx_free(gateway);
}
END_TEST

/* AUTH-31 */
START_TEST(guesses_made_at_once_are_no_more_than_guesses_in_a_row)
{
    pthread_t threads[GUESSES];
    int numbers[GUESSES];

    wait_until(200);
    connect_client();
    guessed_handle = "barista";
    begin(threads, numbers, GUESSES);
    join(threads, GUESSES);
    ck_assert_int_eq(wrong, 5);
    ck_assert_int_eq(told_to_wait, GUESSES - 5);
    disconnect_client();
}
END_TEST

START_TEST(it_starts_and_drains_while_everything_else_is_away)
{
    char body[2048];
    int64_t until = clock_monotonic_ms() + READY_MS;
    int code = 0;

    while (!(code = readyz(body, sizeof(body))) && clock_monotonic_ms() < until) {
        clock_pause_ms(20);
    }
    ck_assert_int_eq(code, 503);
    ck_assert_ptr_nonnull(strstr(body, "postgres"));
    ck_assert_int_eq(stop_daemon(), 0);
}
END_TEST

static void before_alone(void)
{
    setenv("DB_PORT", "1", 1);
    setenv("VALKEY_PORT", "1", 1);
    setenv("KAFKA_BROKERS", "127.0.0.1:1", 1);
    start_daemon();
}

static int64_t stat_of(struct ctx *ctx, int64_t *points)
{
    Coffee__Customer__V1__GetStatsRequest ask = COFFEE__CUSTOMER__V1__GET_STATS_REQUEST__INIT;
    Coffee__Customer__V1__CheckLoyaltyBalanceRequest check =
        COFFEE__CUSTOMER__V1__CHECK_LOYALTY_BALANCE_REQUEST__INIT;
    Coffee__Customer__V1__Stats *stats;
    Coffee__Customer__V1__Loyalty *loyalty;

    ck_assert_int_eq(
        call(ctx, CUSTOMER "GetStats", &ask.base, &coffee__customer__v1__stats__descriptor, &stats),
        ST_OK);
    ck_assert_int_eq(call(ctx, CUSTOMER "CheckLoyaltyBalance", &check.base,
                          &coffee__customer__v1__loyalty__descriptor, &loyalty),
                     ST_OK);
    *points = loyalty->points;
    return stats->orders_completed;
}

static void publish(struct ctx *ctx, const char *order, const char *event_id, int times)
{
    static const struct topic topics[] = {
        {"order.placed", 3, 86400000, -1},
        {"order.completed",      3, 86400000, -1},
        {"order.cancelled",              3, 86400000, -1},
        {0       }
    };
    struct producer *producer = producer_new(&(struct producer_options){
        .brokers = getenv("KAFKA_BROKERS"), .daemon = "test", .topics = topics});
    struct event_draft draft = {.type = "OrderCompleted",
                                .subject = "orderId",
                                .subject_id = order,
                                .seq = 5,
                                .at_ms = clock_wall_ms()};
    int64_t until = clock_monotonic_ms() + EVENT_MS;

    text_copy(draft.id, sizeof(draft.id), event_id);
    draft.data =
        arena_printf(ctx->arena, "{\"id\":\"%s\",\"customerId\":\"%s\",\"totalCents\":1234}", order,
                     ctx->caller.subject);
    const char *payload = event_envelope(ctx->arena, &draft);
    while (!producer_is_up(producer) && clock_monotonic_ms() < until) {
        clock_pause_ms(50);
    }
    for (int i = 0; i < times; i++) {
        struct produced message = {
            .topic = "order.completed", .key = order, .payload = payload, .size = strlen(payload)};

        producer_send(producer, &message, 1, 10000);
        ck_assert_int_eq(message.outcome, ST_OK);
    }
    producer_free(producer);
}

/* CUST-03, CUST-04, CUST-05, EVT-12 */
START_TEST(an_event_from_kafka_counts_once_though_it_comes_twice)
{
    char who[ID_TEXT_SIZE], order[ID_TEXT_SIZE], event[ID_TEXT_SIZE];
    int64_t until = clock_monotonic_ms() + EVENT_MS, points = 0, completed = 0;

    uuid_v7(who);
    uuid_v7(order);
    uuid_v7(event);
    struct ctx *ctx = as(who, ROLE_CUSTOMER);
    ctx->deadline_ms = 0;
    wait_until(200);
    connect_client();
    publish(ctx, order, event, 2);
    while (!completed && clock_monotonic_ms() < until) {
        clock_pause_ms(100);
        completed = stat_of(ctx, &points);
    }
    clock_pause_ms(500); /* for the second one */
    ck_assert_int_eq(stat_of(ctx, &points), 1);
    ck_assert_int_eq(points, 12);
    disconnect_client();
    ctx_free(ctx);
}
END_TEST

static void make(void)
{
    char group[64];

    snprintf(group, sizeof(group), "customer-test-%d", (int)getpid());
    setenv("KAFKA_GROUP", group, 1); /* a stack's own daemon keeps its partitions */
    shop_make();
}

int main(void)
{
    const TTest *const tests[] = {the_demonstration_is_there_when_the_daemon_is_ready,
                                  a_denied_session_stays_denied_though_valkey_is_emptied,
                                  roles_decide_who_may_call,
                                  bad_input_is_refused_with_its_fields,
                                  a_device_id_that_would_be_cut_or_break_a_line_is_refused,
                                  an_event_from_kafka_counts_once_though_it_comes_twice,
                                  a_crowd_that_signs_in_holds_up_nobody_else,
                                  guesses_made_at_once_are_no_more_than_guesses_in_a_row};
    const TTest *const alone[] = {it_starts_and_drains_while_everything_else_is_away};
    const struct test_around around = {
        .start = make, .stop = shop_drop, .before = before, .after = after};
    const struct test_around away = {
        .start = make, .stop = shop_drop, .before = before_alone, .after = after};
    int failed = house_test_run("daemon", &around, tests, ARRAY_LEN(tests));

    return house_test_run("daemon_alone", &away, alone, ARRAY_LEN(alone)) || failed;
}
