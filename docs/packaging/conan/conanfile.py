"""Conan's recipe: conan create docs/packaging/conan, from the root of the repository."""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

ROOT = os.path.join("..", "..", "..")


class PrimerConan(ConanFile):
    name = "primer"
    license = "MIT"
    description = "A small, fast, readable neural-network framework in C++20"
    topics = ("neural-network", "autograd", "deep-learning")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "io": [True, False], "double": [True, False]}
    default_options = {"shared": False, "io": True, "double": False}

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, ROOT, "core", "kernels", "real.cpp"))
        self.version = re.search(r'version\(\) \{ return "([0-9.]+)"', text)[1]

    def export_sources(self):
        root = os.path.join(self.recipe_folder, ROOT)
        for pattern in ("CMakeLists.txt", "LICENSE", "primer.h", "core/*", "layers/*", "optim/*", "datasets/*"):
            copy(self, pattern, src=root, dst=self.export_sources_folder)

    def requirements(self):
        if self.options.io:
            self.requires("cereal/[>=1.3.1 <2]", visible=False)
            self.requires("protozero/[>=1.7.1 <2]", visible=False)
            self.requires("stb/cci.20240531", visible=False)
            self.requires("zlib/[>=1.2.12 <2]")

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["PRIMER_IO"] = bool(self.options.io)
        toolchain.cache_variables["PRIMER_DOUBLE"] = bool(self.options.double)
        for part in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables["PRIMER_" + part] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", src=self.source_folder, dst=os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        # Primer's own CMake package has all targets and asks for what they need.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("lib", "cmake", "primer")]
        # For other build systems: each room before those that it uses.
        rooms = ["training", "inspect", "datasets", "optim", "layers", "io", "core", "kernels"]
        self.cpp_info.libs = ["primer_" + room for room in rooms]
        if not self.options.io:
            self.cpp_info.defines = ["PRIMER_WITHOUT_IO"]
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
# SPDX-License-Identifier: MIT
