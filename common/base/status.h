/* The outcomes a piece of work can have, and the problems a client is told of.
 *
 * A status says what to do (retry? whose fault?) and has the value of its gRPC
 * code. A problem says what happened, in a word that clients may act on; it is the
 * 'code' of problem+json. One list each makes the enums, the HTTP status, the
 * titles and the OpenAPI document, so that none can drift. */
#ifndef COMMON_BASE_STATUS_H
#define COMMON_BASE_STATUS_H

/*    name            gRPC  problem when none was named */
#define STATUS_LIST(X)                    \
    X(OK, 0, NONE)                        \
    X(CANCELLED, 1, CLIENT_GONE)          \
    X(INVALID, 3, BAD_REQUEST)            \
    X(TIMEOUT, 4, TIMEOUT)                \
    X(NOT_FOUND, 5, NOT_FOUND)            \
    X(EXISTS, 6, ALREADY_EXISTS)          \
    X(FORBIDDEN, 7, FORBIDDEN)            \
    X(TOO_MANY, 8, TOO_MANY_REQUESTS)     \
    X(CONFLICT, 9, CONFLICT)              \
    X(RETRY, 10, BUSY)                    \
    X(UNIMPLEMENTED, 12, NOT_IMPLEMENTED) \
    X(INTERNAL, 13, INTERNAL)             \
    X(UNAVAILABLE, 14, UNAVAILABLE)       \
    X(UNAUTHENTICATED, 16, UNAUTHENTICATED)

/*    name, code, HTTP, status, title */
#define PROBLEM_LIST(X)                                                                         \
    X(NONE, "", 200, OK, "")                                                                    \
    X(CLIENT_GONE, "client_gone", 499, CANCELLED, "The client went away")                       \
    X(BAD_REQUEST, "bad_request", 400, INVALID, "The request cannot be understood")             \
    X(INVALID_FIELDS, "invalid_fields", 422, INVALID, "A field was refused")                    \
    X(IDEMPOTENCY_MISMATCH, "idempotency_mismatch", 422, INVALID,                               \
      "This Idempotency-Key was used for another request")                                      \
    X(IN_FLIGHT, "in_flight", 409, RETRY, "The same request is still being worked on")          \
    X(WEAK_PASSWORD, "weak_password", 422, INVALID, "The password is too easy to guess")        \
    X(TIMEOUT, "timeout", 504, TIMEOUT, "It took too long")                                     \
    X(NOT_FOUND, "not_found", 404, NOT_FOUND, "There is no such thing")                         \
    X(NO_USUAL, "no_usual", 404, NOT_FOUND, "No usual is set")                                  \
    X(ALREADY_EXISTS, "already_exists", 409, EXISTS, "It exists already")                       \
    X(HANDLE_TAKEN, "handle_taken", 409, EXISTS, "This handle is taken")                        \
    X(FORBIDDEN, "forbidden", 403, FORBIDDEN, "You may not do that")                            \
    X(STEP_UP_REQUIRED, "step_up_required", 403, FORBIDDEN, "Please sign in again first")       \
    X(TOO_MANY_REQUESTS, "too_many_requests", 429, TOO_MANY, "Too many requests")               \
    X(CONFLICT, "conflict", 409, CONFLICT, "It cannot be done in this state")                   \
    X(ILLEGAL_MOVE, "illegal_move", 409, CONFLICT, "The order cannot make that move")           \
    X(SHOP_CLOSED, "shop_closed", 409, CONFLICT, "The shop is not taking orders")               \
    X(TOO_MANY_OPEN_ORDERS, "too_many_open_orders", 409, CONFLICT,                              \
      "You have too many open orders")                                                          \
    X(SOLD_OUT, "sold_out", 422, INVALID, "Something in the order is sold out")                 \
    X(PRECONDITION_FAILED, "precondition_failed", 412, CONFLICT, "It was changed meanwhile")    \
    X(PAYMENT_DECLINED, "payment_declined", 402, CONFLICT, "The payment was declined")          \
    X(BUSY, "busy", 409, RETRY, "Somebody else was faster, please try again")                   \
    X(METHOD_NOT_ALLOWED, "method_not_allowed", 405, UNIMPLEMENTED,                             \
      "This address does not take that method")                                                 \
    X(NOT_IMPLEMENTED, "not_implemented", 501, UNIMPLEMENTED, "Not implemented")                \
    X(TOO_LARGE, "too_large", 413, INVALID, "The request is too large")                         \
    X(UNSUPPORTED_MEDIA, "unsupported_media", 415, INVALID, "A body of that kind is not taken") \
    X(HEADERS_TOO_LARGE, "headers_too_large", 431, INVALID, "The headers are too large")        \
    X(URI_TOO_LONG, "uri_too_long", 414, INVALID, "The address is too long")                    \
    X(INTERNAL, "internal", 500, INTERNAL, "Something went wrong on our side")                  \
    X(UNAVAILABLE, "unavailable", 503, UNAVAILABLE, "A part of the shop is away for a moment")  \
    X(OVERLOADED, "overloaded", 503, UNAVAILABLE, "Too busy just now")                          \
    X(UNAUTHENTICATED, "unauthenticated", 401, UNAUTHENTICATED, "Please sign in")               \
    X(BAD_CREDENTIALS, "bad_credentials", 401, UNAUTHENTICATED, "Handle or password is wrong")  \
    X(TOKEN_REVOKED, "token_revoked", 401, UNAUTHENTICATED, "This sign-in has ended")           \
    X(OTP_REQUIRED, "otp_required", 401, UNAUTHENTICATED, "A one-time code is needed")

/* ST_x has the value of its gRPC code: no table is needed for that direction. */
enum status {
#define X(name, grpc, problem) ST_##name = grpc,
    STATUS_LIST(X)
#undef X
};

enum problem {
#define X(name, code, http, status, title) PROBLEM_##name,
    PROBLEM_LIST(X)
#undef X
        PROBLEM_COUNT
};

const char *status_name(enum status st);
enum problem status_problem(enum status st); /* the one meant when none was named */
enum status status_from_grpc(int code);      /* codes we never send become ST_INTERNAL */

const char *problem_code(enum problem problem);
const char *problem_title(enum problem problem);
int problem_http(enum problem problem);
enum status problem_status(enum problem problem);
enum problem problem_parse(const char *code); /* PROBLEM_NONE when unknown */

#define MUST_CHECK __attribute__((warn_unused_result))

/* The one macro that returns from its caller. Safe at any line, because memory
 * is the arena's and handles are AUTO(): nothing needs a goto to be released. */
#define TRY(call)                         \
    do {                                  \
        enum status try_status_ = (call); \
        if (try_status_ != ST_OK) {       \
            return try_status_;           \
        }                                 \
    } while (0)

#endif
