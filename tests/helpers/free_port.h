/* A port of loopback that nobody has, for servers that want to be told one. */
#ifndef TESTS_HELPERS_FREE_PORT_H
#define TESTS_HELPERS_FREE_PORT_H

/* It stays free until its server takes it, also while other tests run and while a server that was
 * killed comes back: no other process is given it until this one ends, and it is below the range
 * that the kernel hands out (32768 on), away from the ports of ./everything, and another for each
 * call. */
int free_port(void);

#endif
