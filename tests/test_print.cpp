#include <iomanip>
#include <limits>
#include <sstream>

#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include "support.h"

// The expected texts are NumPy's, with precision=4, below the line that names the shape.

namespace primer {
namespace {}  // namespace

TEST_CASE("print: a matrix has its points aligned and its trailing zeros cut") {
    CHECK(text(tensor({1, 2, 3, 4, 5.5, 6.25}, {2, 3})) ==
          "Tensor [2, 3]\n"
          "[[1.   2.   3.  ]\n"
          " [4.   5.5  6.25]]");
}

TEST_CASE("print: one dimension") {
    CHECK(text(tensor({1, 2, 3})) == "Tensor [3]\n[1. 2. 3.]");
    CHECK(text(tensor({-1, 10, 3.5})) == "Tensor [3]\n[-1.  10.   3.5]");
    CHECK(text(tensor({7})) == "Tensor [1]\n[7.]");
}

TEST_CASE("print: more dimensions, with an empty line between matrices") {
    CHECK(text(reshape(arange(8), {2, 2, 2})) ==
          "Tensor [2, 2, 2]\n"
          "[[[0. 1.]\n"
          "  [2. 3.]]\n"
          "\n"
          " [[4. 5.]\n"
          "  [6. 7.]]]");
    CHECK(text(reshape(arange(4), {2, 1, 2, 1})) ==
          "Tensor [2, 1, 2, 1]\n"
          "[[[[0.]\n"
          "   [1.]]]\n"
          "\n"
          "\n"
          " [[[2.]\n"
          "   [3.]]]]");
    CHECK(text(zeros({1, 1, 1, 1, 1, 1})) == "Tensor [1, 1, 1, 1, 1, 1]\n[[[[[[0.]]]]]]");
}

TEST_CASE("print: scalars, tensors without elements, undefined tensors") {
    CHECK(text(Tensor(2.5)) == "Tensor []\n2.5");
    CHECK(text(Tensor(-3)) == "Tensor []\n-3.");
    CHECK(text(zeros({0})) == "Tensor [0]\n[]");
    CHECK(text(zeros({2, 0, 3})) == "Tensor [2, 0, 3]\n[]");
    CHECK(text(Tensor()) == "Tensor (undefined)");
}

TEST_CASE("print: a view shows its own values") {
    CHECK(text(slice(reshape(arange(6), {3, 2}), 1, 2)) == "Tensor [1, 2]\n[[2. 3.]]");
}

TEST_CASE("print: at most four digits after the point") {
    CHECK(text(tensor({1.0 / 3, 2.0 / 3, 1})) == "Tensor [3]\n[0.3333 0.6667 1.    ]");
    // 0.1 is not a binary fraction, but "0.1" reads back as the same number.
    CHECK(text(tensor({0.1, 0.25})) == "Tensor [2]\n[0.1  0.25]");
    // Rounded from the exact value: 0.03125 is a tie, which goes to the even digit.
    CHECK(text(tensor({0.03125, 0.09375})) == "Tensor [2]\n[0.0312 0.0938]");
    CHECK(text(tensor({0.99999, 1})) == "Tensor [2]\n[1. 1.]");
    CHECK(text(tensor({-0.0, 0})) == "Tensor [2]\n[-0.  0.]");
}

TEST_CASE("print: an exponent where the range needs one") {
    // Fixed notation up to a ratio of 1000, a size of 10^8 and down to 10^-4; then an exponent.
    CHECK(text(tensor({1, 1000})) == "Tensor [2]\n[   1. 1000.]");
    CHECK(text(tensor({1, 1001})) == "Tensor [2]\n[1.000e+00 1.001e+03]");
    CHECK(text(tensor({99999992, 50000000})) == "Tensor [2]\n[99999992. 50000000.]");
    CHECK(text(tensor({1e8, 2e8})) == "Tensor [2]\n[1.e+08 2.e+08]");
    CHECK(text(tensor({0.0002})) == "Tensor [1]\n[0.0002]");
    CHECK(text(tensor({0.00005})) == "Tensor [1]\n[5.e-05]");
    CHECK(text(tensor({-1.5e-10, 0})) == "Tensor [2]\n[-1.5e-10  0.0e+00]");
    CHECK(text(tensor({1.23456e20, 1})) == "Tensor [2]\n[1.2346e+20 1.0000e+00]");
    CHECK(text(Tensor(1e10)) == "Tensor []\n1.e+10");
    if constexpr (kDouble) {  // three digits for all if for one
        CHECK(text(tensor({1e100, 1})) == "Tensor [2]\n[1.e+100 1.e+000]");
        CHECK(text(tensor({1e-300, -1})) == "Tensor [2]\n[ 1.e-300 -1.e+000]");
    }
}

TEST_CASE("print: nan and inf") {
    CHECK(text(tensor({NAN, INFINITY, -INFINITY})) == "Tensor [3]\n[ nan  inf -inf]");
    CHECK(text(tensor({NAN, -NAN})) == "Tensor [2]\n[nan nan]");
    CHECK(text(tensor({1, NAN, 2.5})) == "Tensor [3]\n[1.  nan 2.5]");
    CHECK(text(tensor({1, INFINITY})) == "Tensor [2]\n[ 1. inf]");
    CHECK(text(tensor({1, -INFINITY})) == "Tensor [2]\n[  1. -inf]");
    // They do not affect the range of the others.
    CHECK(text(tensor({1e-9, INFINITY})) == "Tensor [2]\n[1.e-09    inf]");
}

TEST_CASE("print: a long row is broken at column 75") {
    CHECK(text(arange(30)) ==
          "Tensor [30]\n"
          "[ 0.  1.  2.  3.  4.  5.  6.  7.  8.  9. 10. 11. 12. 13. 14. 15. 16. 17.\n"
          " 18. 19. 20. 21. 22. 23. 24. 25. 26. 27. 28. 29.]");
    // Each closing bracket takes a column: of 25 numbers of three columns, 18 fit in here as well
    // ...
    CHECK(text(reshape(arange(25), {1, 25})) ==
          "Tensor [1, 25]\n"
          "[[ 0.  1.  2.  3.  4.  5.  6.  7.  8.  9. 10. 11. 12. 13. 14. 15. 16. 17.\n"
          "  18. 19. 20. 21. 22. 23. 24.]]");
    // ... but not with three brackets on either side.
    CHECK(text(reshape(arange(25), {1, 1, 25})) ==
          "Tensor [1, 1, 25]\n"
          "[[[ 0.  1.  2.  3.  4.  5.  6.  7.  8.  9. 10. 11. 12. 13. 14. 15. 16.\n"
          "   17. 18. 19. 20. 21. 22. 23. 24.]]]");
}

TEST_CASE("print: blanks at the end of a broken line are cut") {
    Tensor x = ones({20});
    x.mutable_data()[19] = Real(0.25);
    CHECK(text(x) ==
          "Tensor [20]\n"
          "[1.   1.   1.   1.   1.   1.   1.   1.   1.   1.   1.   1.   1.   1.\n"
          " 1.   1.   1.   1.   1.   0.25]");
}

TEST_CASE("print: with more than 1000 elements, the first and last three") {
    CHECK(text(arange(1000)).find("...") == std::string::npos);
    CHECK(text(arange(1001)) ==
          "Tensor [1001]\n"
          "[   0.    1.    2. ...  998.  999. 1000.]");
    CHECK(text(reshape(arange(1300), {100, 13})) ==
          "Tensor [100, 13]\n"
          "[[0.000e+00 1.000e+00 2.000e+00 ... 1.000e+01 1.100e+01 1.200e+01]\n"
          " [1.300e+01 1.400e+01 1.500e+01 ... 2.300e+01 2.400e+01 2.500e+01]\n"
          " [2.600e+01 2.700e+01 2.800e+01 ... 3.600e+01 3.700e+01 3.800e+01]\n"
          " ...\n"
          " [1.261e+03 1.262e+03 1.263e+03 ... 1.271e+03 1.272e+03 1.273e+03]\n"
          " [1.274e+03 1.275e+03 1.276e+03 ... 1.284e+03 1.285e+03 1.286e+03]\n"
          " [1.287e+03 1.288e+03 1.289e+03 ... 1.297e+03 1.298e+03 1.299e+03]]");
    // Six are shown in full, because a gap would save nothing.
    CHECK(text(zeros({200, 6})) ==
          "Tensor [200, 6]\n"
          "[[0. 0. 0. 0. 0. 0.]\n"
          " [0. 0. 0. 0. 0. 0.]\n"
          " [0. 0. 0. 0. 0. 0.]\n"
          " ...\n"
          " [0. 0. 0. 0. 0. 0.]\n"
          " [0. 0. 0. 0. 0. 0.]\n"
          " [0. 0. 0. 0. 0. 0.]]");
    CHECK(text(zeros({7, 1, 200})) ==
          "Tensor [7, 1, 200]\n"
          "[[[0. 0. 0. ... 0. 0. 0.]]\n"
          "\n"
          " [[0. 0. 0. ... 0. 0. 0.]]\n"
          "\n"
          " [[0. 0. 0. ... 0. 0. 0.]]\n"
          "\n"
          " ...\n"
          "\n"
          " [[0. 0. 0. ... 0. 0. 0.]]\n"
          "\n"
          " [[0. 0. 0. ... 0. 0. 0.]]\n"
          "\n"
          " [[0. 0. 0. ... 0. 0. 0.]]]");
}

TEST_CASE("print: what is not shown does not decide the format") {
    Tensor x = ones({2000});
    x.mutable_data()[1000] = Real(1e20);
    x.mutable_data()[1001] = NAN;
    CHECK(text(x) == "Tensor [2000]\n[1. 1. 1. ... 1. 1. 1.]");
}

TEST_CASE("print: a shape without elements prints at once, whatever its other sizes") {
    constexpr Index huge = Index{1} << 50;
    CHECK(text(zeros({huge, 0})) == "Tensor [1125899906842624, 0]\n[]");
}

TEST_CASE("print: whole numbers") {
    CHECK(text(IntTensor({1, 20, -3})) == "IntTensor [3]\n[ 1 20 -3]");
    CHECK(text(IntTensor(Shape{2, 2}, {1, 2, 3, 400})) ==
          "IntTensor [2, 2]\n[[  1   2]\n [  3 400]]");
    CHECK(text(IntTensor(Shape{}, {5})) == "IntTensor []\n5");
    CHECK(text(IntTensor()) == "IntTensor [0]\n[]");
    constexpr Index least = std::numeric_limits<Index>::min();
    CHECK(text(IntTensor({least})) == "IntTensor [1]\n[-9223372036854775808]");
    CHECK(text(IntTensor(std::vector<Index>(1001, 7))) == "IntTensor [1001]\n[7 7 7 ... 7 7 7]");
}

TEST_CASE("print: ignores and keeps the stream's settings") {
    std::ostringstream out;
    out << std::hex << std::showpos << std::scientific << std::uppercase << std::setfill('*')
        << std::setprecision(17);
    const auto flags = out.flags();
    out << tensor({10, 0.5}) << IntTensor({10});
    CHECK(out.str() == "Tensor [2]\n[10.   0.5]IntTensor [1]\n[10]");
    CHECK(out.flags() == flags);
    CHECK(out.precision() == 17);
    CHECK(out.fill() == '*');
}

TEST_CASE("print: is not recorded and changes nothing") {
    const Tensor x = tensor({1, 2}).requires_grad_();
    const Tensor before = x.clone();
    Tape tape;
    const Tensor y = mul(x, x);
    const Index ops = tape.size();
    CHECK(text(y) == "Tensor [2]\n[1. 4.]");
    CHECK(tape.size() == ops);
    CHECK_NOTHROW(tape.backward(sum(y)));
}

}  // namespace primer
