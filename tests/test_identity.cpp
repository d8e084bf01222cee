#include <primer/layers/identity.h>

#include <primer/core/ops.h>
#include "support.h"

namespace primer {
namespace {

TEST_CASE("Identity: gives back its very input") {
    Identity identity;
    const Tensor x = tensor({1, -2, 3, 4}, {2, 2});
    const Tensor y = identity(x);
    CHECK(&y.impl() == &x.impl());
    check_values(y, {2, 2}, {1, -2, 3, 4});
    identity.eval();
    CHECK(&identity(x).impl() == &x.impl());
    CHECK(identity(Tensor(5)).shape() == Shape{});
}

TEST_CASE("Identity: gradients") {
    Identity identity;
    check_gradients([&](const std::vector<Tensor>& in) { return mul(identity(in[0]), 2); },
                    {tensor({1, -2, 3})});
}

TEST_CASE("Identity: no parameters, and its description") {
    Identity identity;
    CHECK(identity.parameters().empty());
    CHECK(identity.named_children().empty());
    CHECK(identity.describe() == "Identity()");
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
