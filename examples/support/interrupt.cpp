#include "interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace primer::examples {
namespace {

std::atomic<int> noted{0};
static_assert(std::atomic<int>::is_always_lock_free, "or a signal's handler may not touch it");

// What ends a program, other than by its own fault. Not SIGQUIT, the way out that asks nobody.
constexpr int kSignals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGPIPE, SIGUSR1,
                            SIGUSR2, SIGALRM, SIGXCPU, SIGXFSZ};

bool insists(int number) { return number == SIGINT || number == SIGTERM; }

void note(int number, siginfo_t* info, void*) {
    // The system sends this one to a process that writes beyond the limit on a file's size: then it
    // is an error of that write. From any other process it asks for the end.
    if (number == SIGXFSZ && info->si_pid == getpid()) return;
    int none = 0;
    // The first one counts. Batch systems repeat SIGXCPU each second, and each line that is printed
    // to a closed pipe is another SIGPIPE: they do not end a save that is under way.
    if (noted.compare_exchange_strong(none, number)) {
        for (const int each : kSignals) {
            if (insists(each)) std::signal(each, SIG_DFL);
        }
    }
}

}  // namespace

void note_interrupts() {
    for (const int each : kSignals) {
        struct sigaction action {};
        if (sigaction(each, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
        action.sa_sigaction = note;
        action.sa_flags = SA_RESTART | SA_SIGINFO;  // a write that is under way goes on
        sigaction(each, &action, nullptr);
    }
}

int interrupt() { return noted; }

}  // namespace primer::examples
