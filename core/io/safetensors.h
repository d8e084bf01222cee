#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../state_dict.h"
#include "../tensor.h"

// The safetensors format, in which PyTorch and others exchange weights:
//
//   8 bytes   N, little endian
//   N bytes   the header, JSON, which may end in spaces:
//             {"__metadata__": {"format": "pt"},
//              "fc.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
//   the rest  the tensors' bytes: row-major, little endian, each where its data_offsets, counted
//             from here, say; together they cover every byte once
//
// https://github.com/huggingface/safetensors#format

namespace primer {

/// A tensor as the file has it.
struct SafeTensor {
    std::string dtype;  ///< "F32", "I64", ...
    Shape shape;
    std::vector<std::byte> bytes;
};

/// What to do with a number that Real can not hold: say so, or take the nearest that it can.
enum class Rounding { forbid, nearest };

struct LoadOptions {
    /// All names and shapes must agree. Without, what agrees is loaded and the rest left alone.
    /// (PyTorch's strict=False still wants the shapes to agree.)
    bool strict = true;
    Rounding rounding = Rounding::forbid;
};

/// The names in which a file and a model differ; all empty if they agree. And what was done without
/// being an error: sentences for a person, which a program should print.
struct LoadReport {
    std::vector<std::string> missing;     ///< not in the file
    std::vector<std::string> unexpected;  ///< only in the file
    std::vector<std::string> misshapen;   ///< in both, of different shapes
    std::vector<std::string> notes;
};

/// A safetensors file, read and checked. The file is taken for hostile: nothing is read or
/// allocated on its word alone, and what breaks a rule of the format is rejected, even where a
/// reader could guess what is meant. So is one of more than 100 000 tensors or texts of metadata.
/// Depth: the format's own three levels. Memory: at most 4 times the file, and 64 MB; tensor() and
/// int_tensor() take at most 12 times the tensor's bytes while they make another. Time: in
/// proportion to the file's size n, and to n log n for its names. Every Error is one line: the
/// file, what was expected, what was found.
class SafetensorsFile {
  public:
    static SafetensorsFile load(const std::filesystem::path& path);
    /// The same from a stream that can seek, from its beginning to its end. `source` is what
    /// messages call it.
    static SafetensorsFile read(std::istream& in, const std::string& source);

    /// The names of the tensors, sorted.
    std::vector<std::string> names() const;
    bool contains(std::string_view name) const { return tensors_.find(name) != tensors_.end(); }
    /// Throws Error, naming the file, if there is no such tensor.
    const SafeTensor& raw(std::string_view name) const;
    /// The tensor that load_into would copy to the model's tensor `name`: wrappers are left out.
    const SafeTensor& find(const std::string& name) const;

    /// The tensor `name`, which must be F64, F32, F16, BF16, of whole numbers or BOOL. Throws Error
    /// for a value that is not exact in Real, unless `rounding` allows it.
    Tensor tensor(std::string_view name, Rounding rounding = Rounding::forbid) const;
    /// The tensor `name`, which must be of whole numbers (I64 to I8, U64 to U8) or BOOL. Throws
    /// Error for a U64 beyond 2^63 - 1.
    IntTensor int_tensor(std::string_view name) const;

    /// Copies the tensors of the file to those of the same names. As in PyTorch, a count of batches
    /// ("num_batches_tracked") may be missing and is left alone. What PyTorch's wrappers add to
    /// names is left out where a name fits only without, and the report's notes say so: "module."
    /// (DataParallel), "_orig_mod." (torch.compile), "_fsdp_wrapped_module." and
    /// "_checkpoint_wrapped_module." anywhere, "model." in front, and AveragedModel's n_averaged.
    /// Names of one and the same tensor need only one of them in the file, and Error if the file
    /// has different values for them. Throws Error, naming all that is missing, unexpected or
    /// misshapen, unless the options allow it, and the Error of tensor(); then nothing has changed.
    LoadReport load_into(const StateDict& tensors, const LoadOptions& options = {}) const;

    /// The texts under "__metadata__"; empty if there are none.
    const std::map<std::string, std::string>& metadata() const { return metadata_; }
    /// What messages call the file: its absolute path.
    const std::string& source() const { return source_; }

  private:
    std::string source_;
    std::map<std::string, SafeTensor, std::less<>> tensors_;
    std::map<std::string, std::string> metadata_;
};

/// Writes the tensors to a file, F32 (or F64, where Real is double) and, where they are whole, I64.
/// A tensor with several names is written under each, for PyTorch's load_state_dict asks for all.
/// The same tensors and metadata give the same bytes, which are those of the format's own library;
/// PyTorch wants {"format", "pt"} among the metadata of files that it did not make itself.
///
///     save_safetensors("model.safetensors", model.state_dict());
///
/// The file is there whole or not at all, see Replacement; its Errors come from here, too. Throws
/// Error as well, and writes nothing, for a name that comes twice or is "__metadata__", for texts
/// that are not UTF-8, for a tensor that is undefined, for a whole one with a value that is not,
/// and for more than SafetensorsFile would read.
void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

/// SafetensorsFile::load(path).load_into(tensors, options):
///
///     load_safetensors("model.safetensors", model.state_dict());
LoadReport load_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                            const LoadOptions& options = {});

}  // namespace primer
