#pragma once

#include "../core/io/image.h"
#include "../core/tensor.h"

// Turns a picture from a file into the form that a network was trained on. The values are 0 ...
// 255, like a Dataset's: apply ToTensor and Normalize afterwards.

namespace primer {

/// Resizes x [C, H, W], smoothing where it shrinks and interpolating where it grows: each pixel of
/// the result is the mean of the pixels around its place, with weights that fall linearly to 0 over
/// one pixel of the coarser picture. Throws Error unless x is [C, H, W] and the sizes are at least
/// 1.
Tensor resize(const Tensor& x, Only<Index> height, Only<Index> width);

/// The single digit in the picture in MNIST's form, [1, 28, 28], light on dark: fitted into 20 x 20
/// pixels, with its centre of mass in the middle. (LeCun, Bottou, Bengio and Haffner,
/// "Gradient-Based Learning Applied to Document Recognition", 1998, section III.A.)
///
/// Paper is the colour of the picture's border, and ink is what differs from it, so dark on light
/// and light on dark give the same. Specks are ignored. Throws Error if there is no ink.
Tensor mnist_picture(const Image& image);

/// The largest square in the middle of the picture in CIFAR's form, [3, 32, 32].
Tensor cifar_picture(const Image& image);

}  // namespace primer
