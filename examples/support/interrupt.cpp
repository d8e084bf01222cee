#include "interrupt.h"

#include <atomic>
#include <csignal>

namespace primer::examples {
namespace {

std::atomic<int> noted{0};
static_assert(std::atomic<int>::is_always_lock_free, "or a signal's handler may not touch it");

constexpr int kSignals[] = {SIGINT, SIGTERM};

void note(int number) {
    noted = number;
    for (const int each : kSignals) std::signal(each, SIG_DFL);  // the next one is not ours
}

}  // namespace

void note_interrupts() {
    for (const int each : kSignals) {
        struct sigaction action {};
        if (sigaction(each, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
        action.sa_handler = note;
        action.sa_flags = SA_RESTART;  // a write that is under way goes on
        sigaction(each, &action, nullptr);
    }
}

int interrupt() { return noted; }

}  // namespace primer::examples
