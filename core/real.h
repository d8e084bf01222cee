#pragma once

namespace primer {

/// The number that every tensor holds. PRIMER_REAL_DOUBLE is defined only by the second build of
/// the library, in which the tests check gradients: float has too few digits for that.
#ifdef PRIMER_REAL_DOUBLE
using Real = double;
#else
using Real = float;
#endif

}  // namespace primer
