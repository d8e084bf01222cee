#pragma once

// Everything that Primer offers. README.md says where to begin reading.

#include "primer/core/error.h"
#include "primer/core/gradcheck.h"
#include "primer/core/init.h"
#include "primer/core/kernels/parallel.h"
#include "primer/core/ops.h"
#include "primer/core/parameter.h"
#include "primer/core/rng.h"
#include "primer/core/shape.h"
#include "primer/core/tape.h"
#include "primer/core/tensor.h"

#include "primer/layers/activations.h"
#include "primer/layers/flatten.h"
#include "primer/layers/linear.h"
#include "primer/layers/module.h"
#include "primer/layers/sequential.h"
#include "primer/layers/summary.h"

#include "primer/optim/clip_grad.h"
#include "primer/optim/optimizer.h"
#include "primer/optim/sgd.h"

#include "primer/datasets/dataset.h"
#include "primer/datasets/loader.h"
#include "primer/datasets/mnist.h"
#include "primer/datasets/synthetic_digits.h"
#include "primer/datasets/transforms.h"
