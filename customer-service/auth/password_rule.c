/* Long enough, and none of those that are tried first. Length is what counts (NIST SP 800-63B):
 * no rules about digits or signs. */
#include "customer-service/auth/password_rule.h"

#include "common/base/auto.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* The commonest of ten characters and more in published lists. */
static const char *const commonest[] = {
    "0000000000",   "0123456789",   "0987654321",       "1111111111",   "1122334455",
    "1234512345",   "12345678910",  "1234567890",       "1234567891",   "123456789a",
    "123456789q",   "1234567899",   "123qweasdzxc",     "147258369147", "1q2w3e4r5t",
    "1q2w3e4r5t6y", "1qaz2wsx3edc", "aaaaaaaaaa",       "abc1234567",   "abcd123456",
    "abcdefghij",   "abcdefghijk",  "administrator",    "asdfghjkl1",   "asdfghjklq",
    "basketball1",  "changeme123",  "chocolate1",       "coffeecoffee", "computer123",
    "football123",  "iloveyou12",   "iloveyou123",      "letmein123",   "liverpool1",
    "michael123",   "password00",   "password01",       "password10",   "password11",
    "password12",   "password123",  "password1234",     "password2024", "password2025",
    "password2026", "password99",   "passwordpassword", "princess123",  "q1w2e3r4t5",
    "q1w2e3r4t5y6", "qazwsxedcrfv", "qwerty1234",       "qwerty12345",  "qwerty123456",
    "qwertyuiop",   "qwertyuiop1",  "qwertyuiop123",    "qwertzuiop",   "sunshine123",
    "superman123",  "welcome123",   "welcome1234",      "zaq12wsxcde3", "zxcvbnm123",
};

static size_t characters(const char *text)
{
    size_t count = 0;

    for (; *text; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80; /* UTF-8: not a continuation */
    }
    return count;
}

static bool is_one_character(const char *text)
{
    return strspn(text, (const char[]){text[0], '\0'}) == strlen(text);
}

const char *password_weakness(const char *password, const char *handle, const char *email)
{
    if (characters(password) < PASSWORD_MIN_LENGTH) {
        return "must have at least 10 characters";
    }
    if (is_one_character(password)) {
        return "must be more than one character over and over";
    }
    if (strcasecmp(password, handle) == 0 || strcasecmp(password, email) == 0) {
        return "must not be your handle or e-mail address";
    }
    for (size_t i = 0; i < ARRAY_LEN(commonest); i++) {
        if (strcasecmp(password, commonest[i]) == 0) {
            return "is one of the passwords that are tried first";
        }
    }
    return NULL;
}
