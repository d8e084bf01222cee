// Compiled once for each instruction set, with PRIMER_ISA_LEVEL its name. Nothing but declarations
// may be included here: an inline function of a header, compiled with new instructions, could be
// the one copy that the linker keeps for the whole program, and an old processor would stumble.
#include "primer/core/kernels/isa/gemm_tile.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {
namespace {

// The tile of C is as large as the processor's registers allow: kRows x kVectors of them hold it
// through the whole loop over depth, and two or three more are needed for B's row and A's value.
#if defined(__AVX512F__)
constexpr int kBytes = 64, kRows = 12, kVectors = 2;  // of 32 registers
#elif defined(__AVX2__)
constexpr int kBytes = 32, kRows = 6, kVectors = 2;  // of 16
#elif defined(__aarch64__)
constexpr int kBytes = 16, kRows = 12, kVectors = 2;  // of 32
#else
constexpr int kBytes = 16, kRows = 6, kVectors = 2;  // of 16
#endif

constexpr int kLanes = kBytes / static_cast<int>(sizeof(Real));

// A register full of Reals.
using Vector [[gnu::vector_size(kBytes)]] = Real;

// Memory need not be aligned to a register's size; the compiler makes one instruction of each.
Vector load(const Real* from) {
    Vector v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
void store(const Vector& v, Real* to) { __builtin_memcpy(to, &v, sizeof v); }

void run(std::int64_t depth, const Real* a, const Real* b, Real* c, std::int64_t stride,
         bool accumulate) {
    Vector sum[kRows][kVectors] = {};
    for (std::int64_t p = 0; p < depth; ++p, a += kRows, b += kVectors * kLanes) {
        Vector row_of_b[kVectors];
        for (int v = 0; v < kVectors; ++v) {
            row_of_b[v] = load(b + v * kLanes);
        }
        for (int i = 0; i < kRows; ++i) {
            for (int v = 0; v < kVectors; ++v) sum[i][v] += a[i] * row_of_b[v];
        }
    }
    for (int i = 0; i < kRows; ++i) {
        for (int v = 0; v < kVectors; ++v) {
            Real* const out = c + i * stride + v * kLanes;
            store(accumulate ? load(out) + sum[i][v] : sum[i][v], out);
        }
    }
}

}  // namespace

GemmTile gemm_tile() { return {.rows = kRows, .columns = kVectors * kLanes, .run = run}; }

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
