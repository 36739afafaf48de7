/* See edge_error.h. */
#include "gateway/edge/edge_error.h"

#include <string.h>

static void add_fields(struct text *out, const struct field_error *field)
{
    text_add(out, ",\"errors\":[");
    for (const struct field_error *one = field; one; one = one->next) {
        text_add(out, one == field ? "{\"field\":" : ",{\"field\":");
        text_add_json(out, one->field);
        text_add(out, ",\"message\":");
        text_add_json(out, one->message);
        text_add_char(out, '}');
    }
    text_add_char(out, ']');
}

/* A name of a field may be whatever the client has sent. */
static const char *printable(const char *text)
{
    return text_is_utf8(text, strlen(text)) ? text : "?";
}

void problem_write(struct text *out, const struct ctx *ctx)
{
    const struct failure *failure = &ctx->failure;
    enum problem problem = failure->problem ? failure->problem : PROBLEM_INTERNAL;
    const char *detail = failure->message;

    if (problem == PROBLEM_INTERNAL || !detail || !*detail) {
        detail = problem_title(problem);
    }
    text_add(out, "{\"type\":\"/docs#problem-");
    text_add(out, problem_code(problem));
    text_add(out, "\",\"title\":");
    text_add_json(out, problem_title(problem));
    text_add(out, ",\"status\":");
    text_add_number(out, problem_http(problem));
    text_add(out, ",\"detail\":");
    text_add_json(out, printable(detail));
    text_add(out, ",\"code\":");
    text_add_json(out, problem_code(problem));
    text_add(out, ",\"correlationId\":");
    text_add_json(out, ctx->correlation_id);
    if (failure->fields && problem != PROBLEM_INTERNAL) {
        add_fields(out, failure->fields);
    }
    text_add_char(out, '}');
}
