"""The ops of core/ops/dropout.cpp, as far as they do not draw random numbers."""

import torch.nn.functional as F

from make_fixtures import real


def cases(case):
    case("nothing dropped", lambda x: F.dropout(x, 0.0, training=True), x=real(3, 5))
    case("everything dropped", lambda x: F.dropout(x, 1.0, training=True), x=real(3, 5))
    case("evaluation", lambda x: F.dropout(x, 0.5, training=False), x=real(3, 5))
    case("channels: nothing dropped", lambda x: F.dropout2d(x, 0.0, True), x=real(2, 3, 2, 2))
    case("channels: everything dropped", lambda x: F.dropout2d(x, 1.0, True), x=real(2, 3, 2, 2))
    case("channels: evaluation", lambda x: F.dropout2d(x, 0.5, False), x=real(2, 3, 2, 2))
# SPDX-License-Identifier: MIT
