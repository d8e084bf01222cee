#pragma once

#include "../core/io/image.h"
#include "../core/tensor.h"

// From a picture in a file to what a network has been trained on. The values are 0 ... 255, as a
// Dataset's are: ToTensor and Normalize follow.

namespace primer {

/// The channels [C, H, W] of the picture at another size, smoothed where it shrinks and
/// interpolated where it grows: each pixel of the result is the mean of those around its place,
/// with weights that fall in a straight line to 0 over one pixel of the coarser of the two
/// pictures. Throws Error unless x is [C, H, W] and the sizes are at least 1.
Tensor resize(const Tensor& x, Only<Index> height, Only<Index> width);

/// The one digit in the picture as MNIST has it, [1, 28, 28], light on dark: fitted into 20 x 20
/// pixels and laid so that its centre of mass is in the middle. (LeCun, Bottou, Bengio and Haffner,
/// "Gradient-Based Learning Applied to Document Recognition", 1998, section III.A.)
///
/// Paper is what the picture's border shows, of whatever colour, and ink what differs from it: so
/// dark on light and light on dark are the same. Specks are left out, and even where nothing else
/// is found. Throws Error if there is no ink.
Tensor mnist_picture(const Image& image);

/// The middle of the picture, the largest square, as CIFAR has pictures: [3, 32, 32].
Tensor cifar_picture(const Image& image);

}  // namespace primer
