/* A stand-in for Apple's push service of a test's own (tests/fakes/apns). links: test_apns */
#ifndef TESTS_HELPERS_APNS_FAKE_APNS_H
#define TESTS_HELPERS_APNS_FAKE_APNS_H

#include <stdint.h>
#include <sys/types.h>

#define FAKE_APNS_TEAM  "TEAM123456"
#define FAKE_APNS_KID   "KEY1234567"
#define FAKE_APNS_TOPIC "org.example.coffee"

struct fake_apns {
    pid_t pid;
    int port, control;
    char directory[64];
    char url[64];      /* "https://127.0.0.1:PORT" */
    char ca_file[96];  /* what a client must trust */
    char key_file[96]; /* the provider's private key */
};

/* Ends the test program when it cannot. */
void fake_apns_start(struct fake_apns *fake);
void fake_apns_stop(struct fake_apns *fake); /* SIGKILL; its files go, too */

/* What it answers from now on: a JSON list, see tests/fakes/apns/main.go. */
void fake_apns_program(const struct fake_apns *fake, const char *program);
void fake_apns_reset(const struct fake_apns *fake); /* forgets pushes and program */
/* The record of all pushes, a line of JSON each, until the next call. */
const char *fake_apns_record(const struct fake_apns *fake);
/* How many lines of the record hold all these texts; the list ends with NULL. */
int fake_apns_count(const struct fake_apns *fake, const char *const *texts);
#define FAKE_APNS_COUNT(fake, ...) fake_apns_count((fake), (const char *const[]){__VA_ARGS__, NULL})
/* Waits until there are at least as many; false after within_ms. */
int fake_apns_wait(const struct fake_apns *fake, int count, int64_t within_ms,
                   const char *const *texts);
#define FAKE_APNS_WAIT(fake, count, within_ms, ...) \
    fake_apns_wait((fake), (count), (within_ms), (const char *const[]){__VA_ARGS__, NULL})
int fake_apns_connections(const struct fake_apns *fake);

#endif
