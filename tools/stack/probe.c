/* Asks a server whether it serves; exit 0 says yes.
 *   probe http HOST PORT PATH    a GET answered with 200; prints the body
 *   probe kafka HOST PORT        the broker answers an ApiVersions request
 *   probe port HOST PORT         something accepts connections
 * Waits at most two seconds. No curl on a fresh machine, hence this. */
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_BYTES = 65536 };

static int connect_to(const char *host, const char *port)
{
    struct addrinfo want = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    struct timeval patience = {.tv_sec = 2};
    int fd = -1;

    if (getaddrinfo(host, port, &want, &found) != 0) {
        return -1;
    }
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        if (fd < 0) {
            continue;
        }
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        if (connect(fd, at->ai_addr, at->ai_addrlen) < 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static bool answers_http(int fd, const char *host, const char *path)
{
    char request[512], answer[ANSWER_BYTES];
    size_t have = 0;
    ssize_t got = 1;

    snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, host);
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
        return false;
    }
    while (got > 0 && have < sizeof(answer) - 1) {
        got = recv(fd, answer + have, sizeof(answer) - 1 - have, 0);
        have += got > 0 ? (size_t)got : 0;
    }
    answer[have] = '\0';
    const char *body = strstr(answer, "\r\n\r\n");
    if (body) {
        puts(body + 4);
    }
    return strncmp(answer, "HTTP/1.", 7) == 0 && strncmp(answer + 8, " 200", 4) == 0;
}

/* ApiVersions version 0: length, key 18, version 0, correlation id 7, no client id. The
 * answer repeats the correlation id and has an error code, 0 when all is well. */
static bool answers_kafka(int fd)
{
    static const uint8_t request[] = {0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff};
    uint8_t answer[10];

    return send(fd, request, sizeof(request), MSG_NOSIGNAL) == (ssize_t)sizeof(request) &&
           recv(fd, answer, sizeof(answer), MSG_WAITALL) == (ssize_t)sizeof(answer) &&
           answer[7] == 7 && answer[8] == 0 && answer[9] == 0;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: probe http|kafka|port HOST PORT [PATH]\n");
        return 2;
    }
    int fd = connect_to(argv[2], argv[3]);
    if (fd < 0) {
        return 1;
    }
    if (strcmp(argv[1], "http") == 0) {
        return answers_http(fd, argv[2], argc > 4 ? argv[4] : "/") ? 0 : 1;
    }
    return strcmp(argv[1], "kafka") != 0 || answers_kafka(fd) ? 0 : 1;
}
