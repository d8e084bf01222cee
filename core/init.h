#pragma once

#include "rng.h"
#include "tensor.h"

// Initial values of weights, as in torch.nn.init. The functions overwrite x and return it. They
// draw from rng, the last argument: normal_(w), normal_(w, 0, 0.02), normal_(w, 0, 0.02, rng).
// zeros_(select(w, 1, 0)) throws Error, as select(w, 1, 0).fill_(0) does, for it changes a copy.

namespace primer {

// --- By the size of the weight -------------------------------------------------------------------
//
// Each layer should neither blow up nor drown the signal: with fan_in inputs of variance v, an
// output sum_i w_i x_i has variance fan_in Var(w) v. Var(w) = gain^2 / fan preserves it, where gain
// makes up for what the activation removes.
//
// A weight has at least two dimensions, [out, in, ...]: fan_in = in times the rest (a convolution's
// kernel area), fan_out = out times the rest. The functions throw Error for a tensor with fewer
// than two dimensions, whose fans are not defined, or without elements; for a gain below 0; and for
// a gain or slope that is not finite.

/// Which fan: `in` keeps the variance of the outputs in forward, `out` that of the gradients in
/// backward.
enum class Fan { in, out };

/// The activation that follows the weight.
enum class Nonlinearity { linear, relu, leaky_relu, selu, sigmoid, tanh };

/// linear 1; relu sqrt(2), because it zeroes half of its input; leaky_relu sqrt(2 / (1 + slope^2));
/// selu 3/4, sigmoid 1 and tanh 5/3, as in PyTorch. (SELU was designed for weights of gain 1, that
/// of linear.) `slope` is leaky_relu's negative slope.
double calculate_gain(Nonlinearity nonlinearity, Only<double> slope = 0.01);

/// The options of kaiming_normal_ and kaiming_uniform_.
struct KaimingOptions {
    Only<double> slope = 0;  ///< of leaky_relu: 0 is relu
    Fan fan = Fan::in;       ///< which variance is kept
    /// What follows the weight. Only leaky_relu has a slope.
    Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};

/// Normal, standard deviation gain / sqrt(fan). He et al., "Delving Deep into Rectifiers", 2015,
/// equations 10 and 15.
Tensor kaiming_normal_(Tensor x, const KaimingOptions& options = {}, Rng& rng = default_rng());
/// Uniform on [-b, b] with the same variance, b^2 / 3: b = gain sqrt(3 / fan).
Tensor kaiming_uniform_(Tensor x, const KaimingOptions& options = {}, Rng& rng = default_rng());
/// Normal, standard deviation gain sqrt(2 / (fan_in + fan_out)). Glorot and Bengio, "Understanding
/// the difficulty of training deep feedforward neural networks", 2010, equation 12.
Tensor xavier_normal_(Tensor x, Only<double> gain = 1, Rng& rng = default_rng());
/// Uniform on [-b, b] with b = gain sqrt(6 / (fan_in + fan_out)), equation 16 of that paper.
Tensor xavier_uniform_(Tensor x, Only<double> gain = 1, Rng& rng = default_rng());
/// Initial values of PyTorch's own linear layers and convolutions: weight and bias, which may be
/// undefined, uniform on [-b, b] with b = 1 / sqrt(fan_in). (For the weight that is
/// kaiming_uniform_ for leaky_relu of slope sqrt(5).)
void uniform_by_fan_in_(const Tensor& weight, const Tensor& bias = {}, Rng& rng = default_rng());
/// A matrix [x.shape()[0], the rest] with orthonormal rows or, if there are more rows than columns,
/// orthonormal columns, times gain: every such matrix is equally likely (Saxe, McClelland and
/// Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
/// 2014). It keeps the length of every vector, or of every one that it does not project away.
Tensor orthogonal_(Tensor x, Only<double> gain = 1, Rng& rng = default_rng());

// --- For any shape -------------------------------------------------------------------------------

/// Uniform from low to high. Throws Error unless low <= high and high - low is finite.
Tensor uniform_(Tensor x, Only<Real> low = 0, Only<Real> high = 1, Rng& rng = default_rng());
/// Throws Error unless both are finite and stddev >= 0.
Tensor normal_(Tensor x, Only<Real> mean = 0, Only<Real> stddev = 1, Rng& rng = default_rng());
/// normal_ with every number outside [low, high] drawn again. Throws Error for fewer than 1 in 100
/// within, because drawing would take too long.
Tensor trunc_normal_(Tensor x, Only<Real> mean = 0, Only<Real> stddev = 1, Only<Real> low = -2,
                     Only<Real> high = 2, Rng& rng = default_rng());
/// Every element becomes `value`, 0 or 1.
Tensor constant_(Tensor x, Only<Real> value);
Tensor zeros_(Tensor x);
Tensor ones_(Tensor x);

// --- The identity --------------------------------------------------------------------------------

/// Ones where the row is the column, and zeros elsewhere. Throws Error unless x is a matrix.
Tensor eye_(Tensor x);
/// A convolution that copies: the weight [out, in, ...] of output channel i, counted within its
/// group, is 1 in the middle of input channel i's kernel and 0 elsewhere. Outputs beyond the last
/// input channel get 0. Throws Error for fewer than three dimensions and for a number of groups
/// that does not divide the output channels.
Tensor dirac_(Tensor x, Only<Index> groups = 1);

}  // namespace primer
// SPDX-License-Identifier: MIT
