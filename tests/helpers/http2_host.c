/* A frame is nine bytes, and what they announce; ":status: 200" is one byte of HPACK. */
#include "tests/helpers/http2_host.h"

#include "tests/helpers/patience.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD = 9, DAY_S = 86400, STATUS_200 = 0x88, MAX_CONCURRENT_STREAMS = 3, BACKLOG = 16 };

/* ---- the certificate ---- */

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    ck_assert_ptr_nonnull(extension);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

static X509 *certify(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), DAY_S);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"host", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, NID_subject_alt_name, "IP:127.0.0.1");
    ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
    return certificate;
}

static void write_file(struct http2_host *host, X509 *certificate)
{
    snprintf(host->ca_file, sizeof(host->ca_file), "/tmp/http2_host.XXXXXX");
    FILE *file = fdopen(mkstemp(host->ca_file), "w");
    ck_assert_ptr_nonnull(file);
    PEM_write_X509(file, certificate);
    fclose(file);
}

static int choose_h2(SSL *tls, const uint8_t **chosen, uint8_t *size, const uint8_t *offered,
                     unsigned offered_size, void *user)
{
    static const uint8_t h2[] = "\x2h2";

    (void)tls, (void)user;
    return SSL_select_next_proto((uint8_t **)(uintptr_t)chosen, size, h2, sizeof(h2) - 1, offered,
                                 offered_size) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void make_tls(struct http2_host *host)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = certify(key);

    host->tls = SSL_CTX_new(TLS_server_method());
    ck_assert_int_eq(SSL_CTX_use_certificate(host->tls, certificate), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(host->tls, key), 1);
    SSL_CTX_set_alpn_select_cb(host->tls, choose_h2, NULL);
    write_file(host, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

void http2_host_start(struct http2_host *host)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    signal(SIGPIPE, SIG_IGN); /* as in a daemon */
    make_tls(host);
    host->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(host->listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(host->listener, BACKLOG), 0);
    ck_assert_int_eq(getsockname(host->listener, (struct sockaddr *)&address, &size), 0);
    host->port = ntohs(address.sin_port);
    snprintf(host->url, sizeof(host->url), "https://127.0.0.1:%d", host->port);
}

void http2_host_stop(struct http2_host *host)
{
    unlink(host->ca_file);
    close(host->listener);
    SSL_CTX_free(host->tls);
}

/* ---- connections ---- */

static bool is_called_within(const struct http2_host *host, int most_ms)
{
    return poll(&(struct pollfd){.fd = host->listener, .events = POLLIN}, 1, most_ms) == 1;
}

bool http2_host_is_called(const struct http2_host *host)
{
    return is_called_within(host, 0);
}

int http2_host_accept_tcp(struct http2_host *host)
{
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};

    ck_assert(is_called_within(host, PATIENCE_MS));
    int fd = accept4(host->listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return fd;
}

struct http2_peer http2_host_accept_tls(struct http2_host *host, bool corked)
{
    struct http2_peer peer = {.fd = http2_host_accept_tcp(host), .tls = SSL_new(host->tls)};

    setsockopt(peer.fd, IPPROTO_TCP, TCP_CORK, &(int){corked}, sizeof(int));
    SSL_set_fd(peer.tls, peer.fd);
    do {
        errno = 0;
    } while (SSL_accept(peer.tls) != 1 && errno == EINTR);
    if (!SSL_is_init_finished(peer.tls)) {
        SSL_free(peer.tls);
        peer.tls = NULL;
    }
    return peer;
}

struct http2_peer http2_host_accept(struct http2_host *host)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    struct http2_peer peer = http2_host_accept_tls(host, false);
    char came[sizeof(preface)] = "";

    ck_assert_ptr_nonnull(peer.tls);
    ck_assert(http2_peer_read_bytes(&peer, came, sizeof(preface) - 1));
    ck_assert_str_eq(came, preface);
    return peer;
}

void http2_peer_close(struct http2_peer *peer)
{
    if (peer->tls) {
        SSL_shutdown(peer->tls);
        SSL_free(peer->tls);
    }
    close(peer->fd);
    *peer = (struct http2_peer){.fd = -1}; /* a second time does nothing */
}

/* ---- frames ---- */

/* As recv(). That the process was stopped for a while ends a wait that has a limit: it goes on. */
static ssize_t read_some(struct http2_peer *peer, void *bytes, size_t room)
{
    size_t size = 0;
    ssize_t count;

    do {
        errno = 0;
        if (peer->tls) {
            count = SSL_read_ex(peer->tls, bytes, room, &size) ? (ssize_t)size : -1;
        } else {
            count = recv(peer->fd, bytes, room, 0);
        }
    } while (count < 0 && errno == EINTR);
    return count;
}

bool http2_peer_read_bytes(struct http2_peer *peer, void *bytes, size_t size)
{
    size_t count = 0;
    ssize_t more = 0;

    while (count < size && (more = read_some(peer, (char *)bytes + count, size - count)) > 0) {
        count += (size_t)more;
    }
    ck_assert_msg(more >= 0 || errno != EAGAIN, "silence");
    return count == size;
}

uint32_t http2_number(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool http2_peer_read(struct http2_peer *peer, struct http2_frame *frame)
{
    uint8_t head[HEAD];

    if (!http2_peer_read_bytes(peer, head, sizeof(head))) {
        return false;
    }
    frame->size = http2_number(head) >> 8;
    frame->type = head[3];
    frame->flags = head[4];
    frame->stream = http2_number(head + 5);
    ck_assert_uint_le(frame->size, sizeof(frame->payload));
    return http2_peer_read_bytes(peer, frame->payload, frame->size);
}

/* A client that has gone in the meantime is no fault of the host's. */
void http2_peer_send_bytes(struct http2_peer *peer, const void *bytes, size_t size)
{
    if (peer->tls) {
        SSL_write(peer->tls, bytes, (int)size);
    } else {
        send(peer->fd, bytes, size, 0);
    }
}

void http2_peer_send(struct http2_peer *peer, int type, int flags, uint32_t stream,
                     const void *payload, size_t size)
{
    uint32_t number = htonl(stream);
    uint8_t frame[HEAD + 256] = {[2] = (uint8_t)size, [3] = (uint8_t)type, [4] = (uint8_t)flags};

    ck_assert_uint_lt(size, 256);
    memcpy(frame + 5, &number, sizeof(number));
    memcpy(frame + HEAD, payload, size);
    http2_peer_send_bytes(peer, frame, HEAD + size);
}

void http2_peer_send_number(struct http2_peer *peer, int type, uint32_t stream, uint32_t number)
{
    number = htonl(number);
    http2_peer_send(peer, type, 0, stream, &number, sizeof(number));
}

void http2_peer_settle(struct http2_peer *peer, uint32_t streams)
{
    uint8_t entry[6] = {0, MAX_CONCURRENT_STREAMS};

    streams = htonl(streams);
    memcpy(entry + 2, &streams, sizeof(streams));
    http2_peer_send(peer, H2_SETTINGS, 0, 0, entry, sizeof(entry));
}

void http2_peer_answer(struct http2_peer *peer, uint32_t stream)
{
    http2_peer_send(peer, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, stream,
                    &(uint8_t){STATUS_200}, 1);
}

void http2_peer_go_away(struct http2_peer *peer, uint32_t last_stream)
{
    uint32_t words[] = {htonl(last_stream), H2_NO_ERROR};

    http2_peer_send(peer, H2_GOAWAY, 0, 0, words, sizeof(words));
}
