/* The two lists of status.h, read as tables. */
#include "common/base/status.h"

#include <string.h>

static const struct {
    const char *code, *title;
    int http;
    enum status status;
} problems[] = {
#define X(name, code, http, status, title) {code, title, http, ST_##status},
    PROBLEM_LIST(X)
#undef X
};

const char *status_name(enum status st)
{
    switch (st) {
#define X(name, grpc, problem) \
    case ST_##name:            \
        return #name;
        STATUS_LIST(X)
#undef X
    }
    return "?";
}

enum problem status_problem(enum status st)
{
    switch (st) {
#define X(name, grpc, problem) \
    case ST_##name:            \
        return PROBLEM_##problem;
        STATUS_LIST(X)
#undef X
    }
    return PROBLEM_INTERNAL;
}

enum status status_from_grpc(int code)
{
    switch (code) {
#define X(name, grpc, problem) \
    case grpc:                 \
        return ST_##name;
        STATUS_LIST(X)
#undef X
    }
    return ST_INTERNAL;
}

const char *problem_code(enum problem problem)
{
    return problems[problem].code;
}

const char *problem_title(enum problem problem)
{
    return problems[problem].title;
}

int problem_http(enum problem problem)
{
    return problems[problem].http;
}

enum status problem_status(enum problem problem)
{
    return problems[problem].status;
}

enum problem problem_parse(const char *code)
{
    for (int i = 1; i < PROBLEM_COUNT; i++) {
        if (strcmp(problems[i].code, code) == 0) {
            return (enum problem)i;
        }
    }
    return PROBLEM_NONE;
}
