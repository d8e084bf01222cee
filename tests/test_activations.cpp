#include "primer/layers/activations.h"

#include "support.h"

namespace primer {
namespace {

TEST_CASE("ReLU layer: forward by hand") {
    ReLU relu;
    check_values(relu(tensor({-2, -0.5, 0, 0.5, 2, -1e30}, {2, 3})), {2, 3}, {0, 0, 0, 0.5, 2, 0});
    check_values(relu(Tensor(-1)), {}, {0});
    check_values(relu(tensor({NAN, INFINITY, -INFINITY})), {3}, {NAN, INFINITY, 0});
}

TEST_CASE("ReLU layer: gradients") {
    ReLU relu;
    check_gradients([&](const std::vector<Tensor>& in) { return relu(in[0]); },
                    {tensor({-2, -0.5, 0.25, 0.5, 2, -1}, {3, 2})});
}

TEST_CASE("ReLU layer: no parameters, and its description") {
    ReLU relu;
    CHECK(relu.parameters().empty());
    CHECK(relu.describe() == "ReLU()");
    check_error([&] { relu(Tensor()); }, {"this tensor is undefined"});
}

}  // namespace
}  // namespace primer
