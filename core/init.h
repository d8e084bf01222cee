#pragma once

#include "rng.h"
#include "tensor.h"

// Initial values of weights. Each layer should neither blow up nor drown the signal: with fan_in
// inputs of variance v, an output sum_i w_i x_i has variance fan_in Var(w) v. Var(w) = gain^2 / fan
// preserves it, where gain makes up for what the activation removes.
//
// A weight has at least two dimensions, [out, in, ...]: fan_in = in times the rest (a convolution's
// kernel area), fan_out = out times the rest. All return the tensor. They throw Error for a tensor
// with fewer than two dimensions, whose fans are not defined, or without elements; for a gain below
// 0; and for a gain or slope that is not finite.

namespace primer {

/// Which fan: `in` keeps the variance of the outputs in forward, `out` that of the gradients in
/// backward.
enum class Fan { in, out };

/// The activation that follows the weight.
enum class Nonlinearity { linear, relu, leaky_relu, selu, sigmoid, tanh };

/// linear 1; relu sqrt(2), because it zeroes half of its input; leaky_relu sqrt(2 / (1 + slope^2));
/// selu 3/4, sigmoid 1 and tanh 5/3, as in PyTorch. (SELU was designed for weights of gain 1, that
/// of linear.) `slope` is leaky_relu's negative slope.
double calculate_gain(Nonlinearity nonlinearity, Only<double> slope = 0.01);

struct KaimingOptions {
    Fan fan = Fan::in;
    Nonlinearity nonlinearity = Nonlinearity::relu;
    Only<double> slope = 0.01;  ///< of leaky_relu
};

/// Normal, standard deviation gain / sqrt(fan). He et al., "Delving Deep into Rectifiers", 2015,
/// equations 10 and 15.
const Tensor& kaiming_normal_(const Tensor& x, Rng& rng, const KaimingOptions& options = {});
const Tensor& kaiming_normal_(const Tensor& x, const KaimingOptions& options = {});
/// Uniform on [-b, b] with the same variance, b^2 / 3: b = gain sqrt(3 / fan).
const Tensor& kaiming_uniform_(const Tensor& x, Rng& rng, const KaimingOptions& options = {});
const Tensor& kaiming_uniform_(const Tensor& x, const KaimingOptions& options = {});
/// Normal, standard deviation gain sqrt(2 / (fan_in + fan_out)). Glorot and Bengio, "Understanding
/// the difficulty of training deep feedforward neural networks", 2010, equation 12.
const Tensor& xavier_normal_(const Tensor& x, Rng& rng, Only<double> gain = 1);
const Tensor& xavier_normal_(const Tensor& x, Only<double> gain = 1);
/// Uniform on [-b, b] with b = gain sqrt(6 / (fan_in + fan_out)), equation 16 of that paper.
const Tensor& xavier_uniform_(const Tensor& x, Rng& rng, Only<double> gain = 1);
const Tensor& xavier_uniform_(const Tensor& x, Only<double> gain = 1);
/// The same value everywhere; for any shape.
const Tensor& constant_(const Tensor& x, Only<Real> value);

}  // namespace primer
