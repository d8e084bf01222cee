// Only speed: chooses the instruction set.

#include "isa.h"

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "../error.h"
#include "../text.h"
#include "isa/table.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace primer::kernels {
namespace {

constexpr std::array<Isa, 4> kAll{Isa::reference, Isa::baseline, Isa::avx2, Isa::avx512};

Isa choose() {
    const char* wanted = std::getenv("PRIMER_ISA");
    if (wanted != nullptr && *wanted != '\0') {
        std::string known;
        for (Isa candidate : kAll) {
            if (!supported(candidate)) continue;
            if (std::string_view(wanted) == name(candidate)) return candidate;
            known += (known.empty() ? "" : ", ") + std::string(name(candidate));
        }
        fail("PRIMER_ISA: expected one that this processor has (", known, "), got ",
             in_quotes(wanted));
    }
    Isa best = Isa::baseline;
    for (Isa candidate : kAll) {
        if (supported(candidate)) best = candidate;
    }
    return best;
}

#ifdef __x86_64__

// Whether the processor has the instructions and the system saves their registers. Not
// __builtin_cpu_supports, because it needs a part of the compiler's own library, and where a
// toolchain links another one, as for musl, it is always false.
bool has(Isa isa) {
    constexpr unsigned fma = 1U << 12, xsave = 1U << 27, avx = 1U << 28;
    constexpr unsigned avx2 = 1U << 5;
    constexpr unsigned avx512 = 1U << 16 | 1U << 17 | 1U << 30 | 1U << 31;  // F, DQ, BW, VL
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0) return false;
    constexpr unsigned basics = fma | xsave | avx;
    if ((c & basics) != basics || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
    unsigned saved = 0, rest = 0;
    asm("xgetbv" : "=a"(saved), "=d"(rest) : "c"(0));
    const unsigned features = isa == Isa::avx2 ? avx2 : avx2 | avx512;
    const unsigned registers = isa == Isa::avx2 ? 0x06 : 0xe6;  // ymm; and masks, zmm
    return (b & features) == features && (saved & registers) == registers;
}

#endif

}  // namespace

bool supported(Isa isa) {
    switch (isa) {
        case Isa::reference:
        case Isa::baseline:
            return true;
#ifdef __x86_64__
        case Isa::avx2:
        case Isa::avx512:
            return has(isa);
#endif
        default:
            return false;
    }
}

Isa isa() {
    static const Isa chosen = choose();
    return chosen;
}

Table make_table(Isa isa) {
    check(supported(isa), "make_table: this processor has no ", name(isa));
#ifdef __x86_64__
    if (isa == Isa::avx512) return avx512::make_table();
    if (isa == Isa::avx2) return avx2::make_table();
#endif
    return baseline::make_table();
}

const Table& table() {
    static const Table chosen = make_table(isa());
    return chosen;
}

const char* name(Isa isa) {
    switch (isa) {
        case Isa::reference:
            return "reference";
        case Isa::baseline:
#ifdef __aarch64__
            return "neon";
#else
            return "baseline";
#endif
        case Isa::avx2:
            return "avx2";
        case Isa::avx512:
            return "avx512";
    }
    return "unknown";
}

}  // namespace primer::kernels
// SPDX-License-Identifier: MIT
