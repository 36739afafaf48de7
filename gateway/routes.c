/* Built once, sorted so that the first match is the right one: more literal from the left comes
 * first. */
#include "gateway/routes.h"

#include "common/base/text.h"
#include "gateway/contracts.h"

#include <stdlib.h>
#include <string.h>

struct routes {
    struct route *all;
    size_t count, room;
};

static const struct {
    const char *name;
    enum http_verb verb;
} verbs[] = {
    {"GET",    VERB_GET   },
    {"HEAD",   VERB_GET   },
    {"POST",   VERB_POST  },
    {"PUT",    VERB_PUT   },
    {"PATCH",  VERB_PATCH },
    {"DELETE", VERB_DELETE},
};

enum http_verb verb_parse(const char *method)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(verbs[i].name, method) == 0) {
            return verbs[i].verb;
        }
    }
    return VERB_NONE;
}

const char *verb_name(enum http_verb verb)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (verbs[i].verb == verb) {
            return verbs[i].name;
        }
    }
    return "";
}

const char *verbs_text(struct arena *arena, unsigned mask)
{
    struct text text = text_new(arena, 64);

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (mask & 1u << verbs[i].verb) {
            text_printf(&text, "%s%s", text.length ? ", " : "", verbs[i].name);
        }
    }
    return text.data;
}

static bool split_template(struct arena *arena, struct route *route)
{
    char *rest = arena_strdup(arena, route->template + 1);

    while (rest) {
        char *segment = strsep(&rest, "/");
        size_t length = strlen(segment);
        bool is_variable = *segment == '{';

        if (route->count == ROUTE_MAX_SEGMENTS) {
            return false;
        }
        if (is_variable) {
            segment[length - 1] = '\0';
            segment++;
        }
        route->segments[route->count++] = (struct route_segment){segment, is_variable};
    }
    return true;
}

static struct route *add(struct arena *arena, struct routes *routes, enum http_verb verb,
                         const char *template)
{
    struct route *route = &routes->all[routes->count++];

    route->verb = verb;
    route->template = template;
    route->label = arena_printf(arena, "%s %s", verb_name(verb), template);
    return route;
}

static bool add_method(struct arena *arena, struct routes *routes,
                       const struct contract_method *method, FILE *complaints)
{
    struct route *route = add(arena, routes, method->verb, method->template);

    route->roles = method->call.roles;
    route->limit = method->call.limit;
    route->step_up = method->call.step_up;
    route->method = method;
    if (!contract_backend(method->service, &route->backend)) {
        fprintf(complaints, "%s: no daemon serves %s\n", route->label, method->service);
        return false;
    }
    if (!split_template(arena, route)) {
        fprintf(complaints, "%s: too many segments\n", route->label);
        return false;
    }
    return true;
}

static bool add_extra(struct arena *arena, struct routes *routes, const struct extra_route *extra,
                      FILE *complaints)
{
    struct route *route = add(arena, routes, extra->verb, extra->template);

    route->roles = extra->roles;
    route->limit = extra->limit;
    route->extra = extra;
    if (!split_template(arena, route)) {
        fprintf(complaints, "%s: too many segments\n", route->label);
        return false;
    }
    return true;
}

/* By shape: all that two templates can tell apart. */
static int compare_shapes(const struct route *a, const struct route *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const struct route_segment *x = &a->segments[i], *y = &b->segments[i];
        int order = x->is_variable != y->is_variable ? x->is_variable - y->is_variable
                    : x->is_variable                 ? 0
                                                     : strcmp(x->text, y->text);

        if (order != 0) {
            return order;
        }
    }
    return (a->count > b->count) - (a->count < b->count);
}

static int compare(const void *x, const void *y)
{
    const struct route *a = x, *b = y;
    int order = compare_shapes(a, b);

    return order != 0 ? order : (int)a->verb - (int)b->verb;
}

static bool all_differ(const struct routes *routes, FILE *complaints)
{
    bool ok = true;

    for (size_t i = 1; i < routes->count; i++) {
        if (compare(&routes->all[i - 1], &routes->all[i]) == 0) {
            fprintf(complaints, "%s and %s are the same route\n", routes->all[i - 1].label,
                    routes->all[i].label);
            ok = false;
        }
    }
    return ok;
}

struct routes *routes_new(struct arena *arena, const struct contract *contract,
                          const struct extra_route *extra, FILE *complaints)
{
    struct routes *routes = arena_new_struct(arena, struct routes);
    bool ok = true;

    routes->room = contract_count(contract);
    for (const struct extra_route *one = extra; one && one->template; one++) {
        routes->room++;
    }
    routes->all = arena_new_array(arena, struct route, routes->room);
    for (size_t i = 0; i < contract_count(contract); i++) {
        const struct contract_method *method = contract_at(contract, i);

        if (method->verb != VERB_NONE) {
            ok = add_method(arena, routes, method, complaints) && ok;
        }
    }
    for (; extra && extra->template; extra++) {
        ok = add_extra(arena, routes, extra, complaints) && ok;
    }
    qsort(routes->all, routes->count, sizeof(*routes->all), compare);
    return all_differ(routes, complaints) && ok ? routes : NULL;
}

size_t routes_count(const struct routes *routes)
{
    return routes->count;
}

const struct route *routes_at(const struct routes *routes, size_t i)
{
    return &routes->all[i];
}

/* 0 when the path cannot be any route's. */
static size_t split_path(struct arena *arena, const char *path, char *segments[ROUTE_MAX_SEGMENTS])
{
    size_t count = 0;

    if (*path != '/') {
        return 0;
    }
    char *rest = arena_strdup(arena, path + 1);

    while (rest) {
        char *segment = strsep(&rest, "/");

        if (count == ROUTE_MAX_SEGMENTS || !http_decode(segment, false)) {
            return 0;
        }
        segments[count++] = segment;
    }
    return count;
}

static bool matches(const struct route *route, char *const *segments, size_t count)
{
    if (route->count != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct route_segment *want = &route->segments[i];

        if (want->is_variable ? !*segments[i] : strcmp(want->text, segments[i]) != 0) {
            return false;
        }
    }
    return true;
}

void routes_match(struct arena *arena, const struct routes *routes, enum http_verb verb,
                  const char *path, struct route_match *match)
{
    char *segments[ROUTE_MAX_SEGMENTS];
    size_t count = split_path(arena, path, segments);
    const struct route *shape = NULL; /* of the templates that match, the most literal one */

    *match = (struct route_match){0};
    for (size_t i = 0; count && i < routes->count; i++) {
        const struct route *route = &routes->all[i];

        if (!matches(route, segments, count)) {
            continue;
        }
        shape = shape ? shape : route; /* a literal has its own verbs: /orders/usual is no order */
        if (compare_shapes(route, shape) != 0) {
            break;
        }
        match->verbs |= 1u << route->verb;
        if (route->verb != verb) {
            continue;
        }
        match->route = route;
        for (size_t k = 0, value = 0; k < count; k++) {
            if (route->segments[k].is_variable) {
                match->values[value++] = segments[k];
            }
        }
    }
}
