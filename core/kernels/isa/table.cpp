// Only speed. Compiled once for each instruction set, in the namespace PRIMER_ISA_LEVEL.
// table.h explains this name, gemm_tile.cpp which headers may be included here.
#include "table.h"

namespace primer::kernels::PRIMER_ISA_LEVEL {

Table make_table() {
    return {.activation = activation_kernels(),
            .batch_norm = batch_norm_kernels(),
            .depthwise = depthwise(),
            .dropout = dropout_kernels(),
            .elementwise = elementwise_kernels(),
            .gemm = gemm_tile(),
            .loss = loss_kernels(),
            .optimizer = optimizer_kernels(),
            .pool = pool_kernels(),
            .reduce = reduce_kernels(),
            .row_norm = row_norm_kernels(),
            .softmax = softmax_kernels(),
            .winograd = winograd()};
}

}  // namespace primer::kernels::PRIMER_ISA_LEVEL
// SPDX-License-Identifier: MIT
