#pragma once

#include <stdexcept>
#include <string>

namespace primer::examples {

/// From now on, the first Ctrl-C (SIGINT) or SIGTERM only makes a note, for the program to stop
/// where it does no harm; a second one ends the program at once. A signal that the program was
/// started to ignore, as one in the background of a script is, stays ignored.
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
