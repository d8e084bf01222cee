#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <primer/core/int_tensor.h>
#include <primer/core/tensor.h>
#include <primer/optim/optimizer.h>

// Comparing with PyTorch, through the fixtures that tests/parity/make_fixtures.py makes.

namespace primer {

/// The inputs of one case, by the names that they have in tests/parity/cases/.
class ParityInputs {
  public:
    /// Throws Error for a name that the case does not have.
    const Tensor& operator[](const std::string& name) const;
    const IntTensor& ints(const std::string& name) const;

    std::map<std::string, Tensor> tensors;
    std::map<std::string, IntTensor> int_tensors;
};

/// One line of a list: the name of a case, and how Primer computes it.
struct ParityCase {
    std::string name;
    std::function<Tensor(const ParityInputs& in)> compute;
};

/// Runs each case on the inputs in tests/parity/<fixture>.safetensors and compares with PyTorch:
/// the result, the gradient of every input, and inputs that are changed in place. Each gradient is
/// also computed alone, as if no other were wanted. Fails if the fixture is missing, and for a case
/// that is only in the fixture or only in the list. (A case may be in the list more than once: an
/// op, and the layer that calls it.)
void check_parity(const std::string& fixture, const std::vector<ParityCase>& cases);

/// The texts in tests/parity/<file>, by their names.
std::map<std::string, std::string> texts_of_pytorch(const std::string& file);

/// For the optimizers: the values of in["w"] under the gradients in["g"][0], in["g"][1], ..., one
/// row for each step. schedule[i], where there is one, is the learning rate of step i.
Tensor trajectory(Optimizer&& optimizer, const ParityInputs& in,
                  const std::vector<double>& schedule = {});

}  // namespace primer
// SPDX-License-Identifier: MIT
