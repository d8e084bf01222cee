#include "streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

#include <primer/core/error.h>

namespace primer::examples {

void open_missing_streams() {
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
        // The lowest number that is free is the one that open() gives.
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF) {
            [[maybe_unused]] const int opened = open("/dev/null", O_RDWR);
        }
    }
}

void check_output() {
    errno = 0;
    std::cout << std::flush;
    bool good = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
    // Some file systems tell only on closing. Of a copy: others may still want to print.
    const int copy = good ? dup(STDOUT_FILENO) : -1;
    if (copy >= 0) good = close(copy) == 0;
    check(good, "standard output: failed to write all that was printed: ",
          errno != 0 ? std::strerror(errno) : "an earlier write has failed");
}

}  // namespace primer::examples
