/* The signal alone is only the wish: a thread that is at work may answer once more. */
#include "tests/helpers/freeze.h"

#include <signal.h>
#include <sys/wait.h>

void freeze(pid_t server)
{
    kill(server, SIGSTOP);
    waitpid(server, NULL, WUNTRACED);
}

void thaw(pid_t server)
{
    kill(server, SIGCONT);
}
