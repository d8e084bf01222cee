// Only speed: chooses the instruction set.

#include "isa.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include "../error.h"
#include "isa/table.h"

namespace primer::kernels {
namespace {

constexpr std::array<Isa, 4> kAll{Isa::reference, Isa::baseline, Isa::avx2, Isa::avx512};

Isa choose() {
    const char* wanted = std::getenv("PRIMER_ISA");
    if (wanted != nullptr && *wanted != '\0') {
        for (Isa candidate : kAll) {
            if (std::string_view(wanted) != name(candidate)) continue;
            check(supported(candidate), "PRIMER_ISA: this processor has no ", wanted);
            return candidate;
        }
        fail("PRIMER_ISA: expected reference, baseline, avx2 or avx512, got '", wanted, "'");
    }
    Isa best = Isa::baseline;
    for (Isa candidate : kAll) {
        if (supported(candidate)) best = candidate;
    }
    return best;
}

}  // namespace

bool supported(Isa isa) {
    switch (isa) {
        case Isa::reference:
        case Isa::baseline:
            return true;
#ifdef __x86_64__
        case Isa::avx2:
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        case Isa::avx512:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("fma");
#endif
        default:
            return false;
    }
}

Isa isa() {
    static const Isa chosen = choose();
    return chosen;
}

const Table& table() {
    static const Table chosen = isa() == Isa::avx512 ? avx512::make_table()
                                : isa() == Isa::avx2 ? avx2::make_table()
                                                     : baseline::make_table();
    return chosen;
}

const char* name(Isa isa) {
    switch (isa) {
        case Isa::reference:
            return "reference";
        case Isa::baseline:
            return "baseline";
        case Isa::avx2:
            return "avx2";
        case Isa::avx512:
            return "avx512";
    }
    return "unknown";
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT
