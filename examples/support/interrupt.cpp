#include "interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <ctime>

namespace primer::examples {
namespace {

std::atomic<int> noted{0};
static_assert(std::atomic<int>::is_always_lock_free, "or a signal's handler may not touch it");

// What ends a program, other than by its own fault. Not SIGQUIT, the way out that asks nobody.
constexpr int kSignals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGPIPE, SIGUSR1,
                            SIGUSR2, SIGALRM, SIGXCPU, SIGXFSZ};

// When the first of those came that a second one makes urgent, in milliseconds of some clock.
constexpr long long kNever = -1, kAtOnce = 100;
std::atomic<long long> first_insisted{kNever};
static_assert(std::atomic<long long>::is_always_lock_free,
              "or a signal's handler may not touch it");

long long milliseconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1'000'000;
}

bool insists(int number) { return number == SIGINT || number == SIGTERM; }

void note(int number, siginfo_t* info, void*) {
    // The system sends this one to a process that writes beyond the limit on a file's size: then it
    // is an error of that write. From any other process it asks for the end.
    if (number == SIGXFSZ && info->si_pid == getpid()) return;
    // The first one counts. Batch systems repeat SIGXCPU each second, and each line that is printed
    // to a closed pipe is another SIGPIPE: they do not end a save that is under way.
    int none = 0;
    const bool first = noted.compare_exchange_strong(none, number);
    if (!insists(number)) return;
    // Nor does the same wish again at once: timeout sends its signal to the program and then to the
    // program's group. Who asks once more after that does not want to wait.
    long long never = kNever;
    const long long now = milliseconds();
    if (first_insisted.compare_exchange_strong(never, now) || first) return;
    if (now - first_insisted < kAtOnce) return;
    std::signal(number, SIG_DFL);
    raise(number);
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
