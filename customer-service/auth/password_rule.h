/* Which passwords are too easy to guess. Pure. */
#ifndef CUSTOMER_SERVICE_AUTH_PASSWORD_RULE_H
#define CUSTOMER_SERVICE_AUTH_PASSWORD_RULE_H

enum { PASSWORD_MIN_LENGTH = 10 };

/* NULL when it will do, else a sentence for the person. */
const char *password_weakness(const char *password, const char *handle, const char *email);

#endif
