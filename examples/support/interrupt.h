#pragma once

#include <stdexcept>
#include <string>

namespace primer::examples {

/// From now on, the first Ctrl-C (SIGINT), SIGTERM, SIGHUP (the terminal was closed), SIGPIPE (who
/// read the output has gone), SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU or SIGXFSZ (a batch system wants
/// the end) only makes a note, for the program to stop where it does no harm. After it, SIGINT and
/// SIGTERM end the program at once, and the others are no longer heeded; SIGQUIT always ends it. A
/// signal that the program was started to ignore, as SIGHUP under nohup, stays ignored. A write
/// beyond the limit on a file's size is an error of that write.
void note_interrupts();

/// The signal that has come, or 0.
int interrupt();

/// Thrown by a training run that stops for a signal, with what there is to say of it.
class Interrupted : public std::runtime_error {
  public:
    Interrupted(int number, const std::string& message)
        : std::runtime_error(message), signal(number) {}

    int signal;
};

}  // namespace primer::examples
