#pragma once

#include "../core/io/image.h"
#include "../core/tensor.h"

// Turns a picture from a file into the form that a network was trained on. The values are 0 ...
// 255, like a Dataset's; apply ToTensor and Normalize afterwards.

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

/// The largest part in the middle of the picture that has the wanted proportions, resized:
/// [channels, height, width] with 1 or 3 channels, whatever the picture has. Grey from colour is
/// 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601), as torchvision has it. Throws Error for
/// other channels and for sizes below 1.
Tensor fitted_picture(const Image& image, Only<Index> channels, Only<Index> height,
                      Only<Index> width);

/// The largest square in the middle of the picture in CIFAR's form, [3, 32, 32].
Tensor cifar_picture(const Image& image);

}  // namespace primer
// SPDX-License-Identifier: MIT
