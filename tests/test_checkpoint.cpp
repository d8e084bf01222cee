#include <primer/core/io/checkpoint.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

#include <primer/core/io/crc32c.h>
#include <primer/core/kernels/storage.h>
#include <primer/core/ops.h>
#include <primer/core/tape.h>
#include <primer/datasets/loader.h>
#include <primer/datasets/synthetic_digits.h>
#include <primer/layers/batchnorm.h>
#include <primer/layers/dropout.h>
#include <primer/layers/flatten.h>
#include <primer/layers/linear.h>
#include <primer/layers/sequential.h>
#include <primer/optim/adam.h>
#include "folder.h"
#include "support.h"
#include "system.h"

namespace primer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeader = 36;

// One of everything, with values that only a bitwise copy keeps.
Checkpoint sample() {
    using Limits = std::numeric_limits<Real>;
    Checkpoint c;
    c.command = {"mnist_mlp", "--epochs", "3", ""};
    c.note = std::string("a note\n with \0 in it", 20);
    c.model = "Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=True)\n)";
    c.generators = {{"rng", Rng(1).state()}, {"model.1.rng", Rng(2).state()}};
    c.step = 17;
    c.batches = 5;
    c.examples = 39;
    c.train_loader = Rng(3).state();
    c.test_loader = Rng(4).state();
    c.sums = {.loss = 1.0 / 3, .correct = 7, .examples = 16};
    c.best_accuracy = 0.1;
    Tensor odd = empty({2, 3});
    const Real values[] = {Real(-0.0),          Limits::denorm_min(), -Limits::infinity(),
                           Limits::quiet_NaN(), Limits::max(),        Real(1) / 3};
    std::copy(std::begin(values), std::end(values), odd.mutable_data());
    c.tensors = {{"0.weight", odd}, {"0.bias", tensor({1, 2, 3})}, {"empty", zeros({4, 0})}};
    c.optimizer = {{"0.step", Tensor(12)}, {"0.exp_avg", tensor({5, 6}, {1, 2, 1})}};
    return c;
}

std::string saved(const Checkpoint& checkpoint) {
    std::ostringstream out;
    checkpoint.write(out);
    return out.str();
}

Checkpoint parse(const std::string& bytes) {
    std::istringstream in(bytes);
    return Checkpoint::read(in, "/the/file");
}

template <class T>
std::string bytes_of(const T& x) {
    std::string bytes(sizeof x, '\0');
    std::memcpy(bytes.data(), &x, sizeof x);
    return bytes;
}

struct HeaderFields {
    std::uint32_t byte_order = 0x01020304, version = 1, real_size = sizeof(Real);
};

// A file with correct checksums, whatever is in it.
std::string sealed(const std::string& payload, const HeaderFields& fields = {}) {
    const std::string header = "PRIMERCK" + bytes_of(fields.byte_order) + bytes_of(fields.version) +
                               bytes_of(fields.real_size) + bytes_of(crc32c(payload)) +
                               bytes_of(std::uint64_t{payload.size()});
    return header + bytes_of(crc32c(header)) + payload;
}

bool rejected(const std::string& bytes) {
    try {
        parse(bytes);
        return false;
    } catch (const Error& error) {
        const std::string message = error.what();
        CHECK(message.starts_with("/the/file: expected "));
        CHECK(message.find('\n') == std::string::npos);
        return true;
    }
}

bool same_bits(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() &&
           (a.numel() == 0 || std::memcmp(a.data(), b.data(), a.values().size_bytes()) == 0);
}

bool same_bits(const NamedTensors& a, const NamedTensors& b) {
    return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
        return x.first == y.first && same_bits(x.second, y.second);
    });
}

// --- what is written is what is read -----------------------------------------------------------

TEST_CASE("checkpoint: everything comes back bit for bit") {
    const Checkpoint before = sample();
    const Checkpoint after = parse(saved(before));
    CHECK(after.command == before.command);
    CHECK(after.note == before.note);
    CHECK(after.model == before.model);
    CHECK(after.generators == before.generators);
    CHECK(after.step == 17);
    CHECK(after.batches == 5);
    CHECK(after.examples == 39);
    CHECK(after.train_loader == before.train_loader);
    CHECK(after.test_loader == before.test_loader);
    CHECK(after.sums.loss == before.sums.loss);
    CHECK(after.sums.correct == 7);
    CHECK(after.sums.examples == 16);
    CHECK(after.best_accuracy == before.best_accuracy);
    CHECK(same_bits(after.tensors, before.tensors));
    CHECK(same_bits(after.optimizer, before.optimizer));
}

TEST_CASE("checkpoint: the file is the header and the members, no more") {
    const std::string file = saved(sample());
    CHECK(sealed(file.substr(kHeader)) == file);
    const Folder folder;
    sample().save(folder.path() / "c");
    CHECK(contents(folder.path() / "c") == file);
    CHECK(saved(sample()) == file);
    CHECK(saved(parse(file)) == file);

    // An empty one: 5 empty lists and texts, 5 numbers and 2 states before and among them.
    const std::string empty_file = saved(Checkpoint());
    CHECK(empty_file.size() == kHeader + 6 * 8 + 3 * 8 + 2 * 32 + 3 * 8 + 8);
    CHECK(parse(empty_file).tensors.empty());
}

TEST_CASE("checkpoint: where a step lies") {
    Checkpoint c;
    c.batches = 5;
    const Index expected[][3] = {
        // step, epoch, batches done
        {0, 1, 0}, {1, 1, 1}, {4, 1, 4}, {5, 1, 5}, {6, 2, 1}, {9, 2, 4}, {10, 2, 5}, {11, 3, 1}};
    for (const auto& [step, epoch, batch] : expected) {
        c.step = step;
        CHECK(c.epoch() == epoch);
        CHECK(c.batch() == batch);
    }
}

// Trains a model that draws random numbers and has state in all of its parts.
struct Run {
    Run(const Dataset& data, std::uint64_t seed)
        : rng(seed),
          loader(data, {.batch_size = 8, .shuffle = true, .transforms = {ToTensor(), noise}}, rng) {
        model.append(Flatten()).append(Linear(784, 6, rng)).append(BatchNorm1d(6));
        model.append(Dropout(0.3, rng)).append(Linear(6, 10, rng));
        optimizer.emplace(model.parameters(), AdamOptions{.amsgrad = true});
    }
    static void noise(std::span<Real> image, const Shape&, Rng& rng) {
        for (Real& x : image) x += rng.uniform();
    }

    ModelState state() {
        std::ostringstream text;
        text << model;
        ModelState state{.description = text.str(), .tensors = {}, .generators = {{"rng", &rng}}};
        for (const StateEntry& entry : model.state_dict()) {
            state.tensors.emplace_back(entry.name, entry.tensor);
        }
        for (const auto& generator : model.named_generators())
            state.generators.push_back(generator);
        return state;
    }

    void train_to(Index end) {
        while (step < end) {
            for (const Batch& batch : loader) {
                optimizer->set_lr(0.01 / static_cast<double>(1 + step));
                Tape tape;
                const Tensor x = batch.inputs + Real(0.1) * randn(batch.inputs.shape(), rng);
                optimizer->zero_grad();
                tape.backward(cross_entropy(model(x), batch.labels));
                optimizer->step();
                if (++step == end) break;
            }
        }
    }

    Checkpoint checkpoint() {
        Checkpoint c;
        c.take(state());
        c.optimizer = optimizer->named_state();
        c.step = step;
        c.batches = loader.batches();
        c.train_loader = loader.epoch_state();
        return c;
    }

    void resume(const Checkpoint& c) {
        optimizer->check_state(c.optimizer);
        c.restore(state(), "/the/file");
        optimizer->load_state(c.optimizer);
        loader.set_rng_state(c.train_loader);
        loader.skip(c.batch());
        step = c.step;
    }

    Rng rng;
    Sequential model;
    DataLoader loader;
    std::optional<Adam> optimizer;
    Index step = 0;
};

TEST_CASE("checkpoint: resumed training ends with the same bits, wherever it stopped") {
    const ImageDataset data = synthetic_digits(30, 1);  // 4 batches
    Run whole(data, 1);
    whole.train_to(11);
    const Checkpoint expected = whole.checkpoint();
    for (Index stop = 1; stop <= 10; ++stop) {
        Run first(data, 1), second(data, 99);
        first.train_to(stop);
        const std::string file = saved(first.checkpoint());
        second.resume(parse(file));
        CHECK(saved(second.checkpoint()).size() == file.size());
        second.train_to(11);
        const Checkpoint result = second.checkpoint();
        CAPTURE(stop);
        CHECK(same_bits(result.tensors, expected.tensors));
        CHECK(same_bits(result.optimizer, expected.optimizer));
        CHECK(result.generators == expected.generators);
    }
}

// --- another model -----------------------------------------------------------------------------

// Messages that quote a hostile file are one line each, of limited length.
TEST_CASE("checkpoint: hostile names make one short line of a message") {
    const ModelState model{
        .description = "model", .tensors = {{"w", zeros({2})}}, .generators = {}};
    Checkpoint c;
    c.model = "model";
    c.generators = {{std::string("a\n\0b\x1b[2J", 8), Rng(1).state()}};
    for (int i = 0; i < 5000; ++i) c.tensors.emplace_back("x" + std::to_string(i), zeros({1}));
    std::string message;
    try {
        c.restore(model, "/the/file");
    } catch (const Error& error) {
        message = error.what();
    }
    CHECK(message.find("unexpected generators: a\\x0a\\x00b\\x1b[2J") != std::string::npos);
    CHECK(message.find("missing tensors: w; unexpected tensors: x0, x1, ") != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.size() < 3000);

    c.generators[0].second = {};
    std::stringstream file;
    c.write(file);
    check_error([&] { Checkpoint::read(file, "/the/file"); },
                {"expected a state of the generator a\\x0a\\x00b\\x1b[2J, got four zeros"});
}

TEST_CASE("checkpoint: another model is named with all that differs, and is left as it was") {
    Rng rng(1), other(2);
    const Tensor weight = ones({2, 3}), bias = ones({4}), more = ones({1});
    const ModelState model{
        .description = "Sequential(\n  (0): Linear(in_features=3, out_features=2, bias=True)\n)",
        .tensors = {{"0.weight", weight}, {"0.bias", bias}, {"1.weight", more}},
        .generators = {{"rng", &rng}, {"model.2.rng", &other}}};
    const Checkpoint c = sample();
    const auto restore = [&] { c.restore(model, "/the/file"); };
    check_error(restore,
                {"/the/file: expected a checkpoint of this model, got one of another, with "
                 "(0): Linear(in_features=2, out_features=3, bias=True) in place of "
                 "(0): Linear(in_features=3, out_features=2, bias=True); "
                 "missing tensors: 1.weight; unexpected tensors: empty; "
                 "misshapen tensors: 0.bias [3] for [4]; "
                 "missing generators: model.2.rng; unexpected generators: model.1.rng"});
    check_values(weight, {2, 3}, {1, 1, 1, 1, 1, 1});
    CHECK(rng.state() == Rng(1).state());

    // A model that differs in nothing but an activation.
    ModelState similar{
        .description = c.model + "\n(1): ReLU()", .tensors = c.tensors, .generators = {}};
    Rng a(1), b(2);
    similar.generators = {{"rng", &a}, {"model.1.rng", &b}};
    check_error([&] { c.check_fits(similar, "/the/file"); },
                {"got one of another, with nothing more in place of (1): ReLU()"});
    similar.description = c.model;
    CHECK_NOTHROW(c.check_fits(similar, "/the/file"));
    similar.description += ' ';
    check_error([&] { c.check_fits(similar, "/the/file"); }, {"got one of another"});
}

TEST_CASE("checkpoint: what can be restored in part only is not restored at all") {
    Rng rng(1), other(2);
    const Tensor weight = ones({2, 3}), bias = ones({3}), more = ones({4, 0});
    const ModelState model{.description = sample().model,
                           .tensors = {{"0.bias", bias}, {"0.weight", weight}, {"empty", more}},
                           .generators = {{"rng", &rng}, {"model.1.rng", &other}}};
    const auto is_untouched = [&] {
        check_values(bias, {3}, {1, 1, 1});
        check_values(weight, {2, 3}, {1, 1, 1, 1, 1, 1});
        CHECK(rng.state() == Rng(1).state());
        CHECK(other.state() == Rng(2).state());
    };
    // The second generator has an impossible state.
    Checkpoint c = sample();
    c.generators[1].second = {};
    check_error([&] { c.restore(model, "/the/file"); }, {"Rng::set_state"});
    is_untouched();
    // The tape has recorded the second tensor.
    {
        Tape tape;
        const Parameter w(ones({2, 3}));
        ModelState recorded = model;
        recorded.tensors[1].second = w * 2;
        check_error([&] { sample().restore(recorded, "/the/file"); },
                    {"Checkpoint::restore: a tensor of shape [2, 3] that the running Tape"});
        is_untouched();
    }
    // Names twice, in the checkpoint or in the model.
    c = sample();
    c.tensors.push_back(c.tensors[0]);
    check_error([&] { c.restore(model, "/the/file"); },
                {"/the/file: expected every name of its tensors once, got \"0.weight\" again"});
    c = sample();
    c.generators.push_back(c.generators[0]);
    check_error([&] { c.restore(model, "/the/file"); },
                {"/the/file: expected every name of its generators once, got \"rng\" again"});
    ModelState twice = model;
    twice.tensors.push_back(twice.tensors[0]);
    check_error([&] { sample().restore(twice, "/the/file"); },
                {"the model: expected every name of its tensors once, got \"0.bias\" again"});
    is_untouched();
    // A parameter that a checkpoint shares with the model, while a tape records.
    const Parameter shared(ones({1}));
    Checkpoint taken;
    taken.take({.description = "", .tensors = {{"w", shared}}, .generators = {}});
    Tape tape;
    CHECK_NOTHROW(taken.restore({"", {{"w", shared}}, {}}, "/the/file"));
}

TEST_CASE("checkpoint: one that fits the model but not the optimizer changes neither") {
    const ImageDataset data = synthetic_digits(30, 1);
    Run first(data, 1), second(data, 99);
    first.train_to(2);
    second.train_to(1);
    const std::string before = saved(second.checkpoint());
    Checkpoint c = first.checkpoint();
    c.optimizer.emplace_back("99.exp_avg", ones({1}));
    check_error([&] { second.resume(c); }, {"there is nothing called 99.exp_avg"});
    CHECK(saved(second.checkpoint()) == before);
}

// --- broken files ------------------------------------------------------------------------------

TEST_CASE("checkpoint: a file that was cut, anywhere") {
    const std::string file = saved(sample());
    CHECK(file.size() < 2000);
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        CHECK(rejected(file.substr(0, size)));
    }
    CHECK(rejected(file + '\0'));
    check_error([] { parse(""); }, {"/the/file: expected a checkpoint, got an empty file"});
    check_error(
        [&] { parse(file.substr(0, 4)); },
        {"/the/file: expected a checkpoint, of 36 bytes at least, got 4; the file has been"});
    check_error([&] { parse(file.substr(0, 40)); },
                {"/the/file: expected ", " bytes after the header, got 4; the file has been cut"});
    check_error([] { parse("no checkpoint at all, but a text of some length"); },
                {"/the/file: expected a checkpoint, which begins with PRIMERCK, got something"});
}

TEST_CASE("checkpoint: any bit of the header flipped, and bytes of the rest") {
    const std::string file = saved(sample());
    for (std::size_t bit = 0; bit < 8 * kHeader; ++bit) {
        std::string broken = file;
        broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ 1 << bit % 8);
        CAPTURE(bit);
        CHECK(rejected(broken));
    }
    Rng rng(1);
    for (int i = 0; i < 2000; ++i) {
        const auto at = kHeader + static_cast<std::size_t>(rng.below(std::ssize(file) - 36));
        std::string broken = file;
        broken[at] = static_cast<char>(broken[at] ^ (1 + rng.below(255)));
        CAPTURE(at);
        CHECK(rejected(broken));
    }
    std::string broken = file;
    broken.back() = static_cast<char>(broken.back() ^ 1);
    check_error([&] { parse(broken); },
                {"/the/file: expected a checkpoint as it was saved, got one that is damaged"});
    broken = file;
    broken[35] = static_cast<char>(broken[35] ^ 1);
    check_error([&] { parse(broken); },
                {"/the/file: expected the header of a checkpoint, got one that is damaged"});
}

TEST_CASE("checkpoint: sizes that cannot be, under checksums that are right") {
    const std::string payload = saved(sample()).substr(kHeader);
    const auto size = static_cast<std::int64_t>(payload.size());
    release_cached_storage();
    const Index in_use = storage_stats().bytes_in_use;
    int loaded = 0;
    for (std::size_t at = 0; at + 8 <= payload.size(); ++at) {
        for (const std::int64_t claim :
             {size + 1, size - static_cast<std::int64_t>(at), std::int64_t{1} << 40,
              std::int64_t{1} << 62, std::numeric_limits<std::int64_t>::max(), std::int64_t{-1}}) {
            std::string crafted = payload;
            crafted.replace(at, 8, bytes_of(claim));
            const std::string file = sealed(crafted);
            try {
                // A number that was no length is loaded as it stands.
                const bool same = saved(parse(file)) == file;
                CHECK(same);
                ++loaded;
            } catch (const Error& error) {
                const bool says_where = std::string(error.what()).starts_with("/the/file: ");
                CHECK(says_where);
            }
            const StorageStats now = storage_stats();
            REQUIRE(now.bytes_in_use == in_use);
            REQUIRE(now.bytes_cached < 64 * 1024);
        }
    }
    CHECK(loaded > 100);

    // The first number is how many words the command has.
    std::string crafted = payload;
    crafted.replace(0, 8, bytes_of(std::int64_t{1} << 60));
    check_error([&] { parse(sealed(crafted)); },
                {"/the/file: expected at most ",
                 " more bytes, as many as the file has left, got a "
                 "length of 1152921504606846976"});
}

// A file of `count` tensors, each as small as possible.
std::string many_tensors(Index count) {
    Checkpoint c = sample();
    c.tensors.clear();
    c.optimizer.clear();
    std::string payload = saved(c).substr(kHeader);
    payload.resize(payload.size() - 2 * sizeof(Index));  // without the lengths of the two lists
    payload += bytes_of(count);
    const std::string rest(sizeof(Index) + sizeof(Real), '\0');  // no dimensions, one number
    for (Index i = 0; i < count; ++i) {
        // A name of four letters.
        payload += bytes_of(Index{4});
        for (Index left = i, k = 0; k < 4; ++k, left /= 64) {
            payload += static_cast<char>('0' + left % 64);
        }
        payload += rest;
    }
    return sealed(payload + bytes_of(Index{0}));
}

TEST_CASE("checkpoint: loading takes at most four times the file, and 64 MB" * needs_posix()) {
    constexpr Index most = 100'000 - 6;  // with the words and generators of the sample
    const std::string file = many_tensors(most), more = many_tensors(most + 1);
    const std::size_t bound = 4 * file.size() + (64 << 20);
    CHECK(within_memory(bound, [&] { parse(file); }) == "");
    // 250 bytes in memory for each of the 24 in the file.
    const std::string refused =
        "/the/file: expected at most 100000 words, generators and tensors, got more";
    CHECK(within_memory(bound, [&] { parse(more); }) == refused);
    const std::string huge = many_tensors(1'000'000);
    CHECK(within_memory(bound, [&] { parse(huge); }) == refused);

    Checkpoint c = sample();
    c.command.resize(100'001);
    check_error([&] { saved(c); }, {"Checkpoint: expected at most 100000 words, generators"});

    // One large tensor, and one large text.
    Checkpoint large = sample();
    large.tensors[0].second = zeros({4 << 20});
    large.note.assign(16 << 20, 'x');
    const std::string text = saved(large);
    CHECK(within_memory(3 * text.size(), [&] { parse(text); }) == "");
    // More dimensions than a tensor has are not read.
    std::string crafted = saved(sample()).substr(kHeader);
    crafted.replace(crafted.size() - 2 * sizeof(Real) - 4 * 8, 8, bytes_of(Index{7}));
    check_error([&] { parse(sealed(crafted + std::string(100, '\0'))); },
                {"/the/file: expected tensors of at most 6 dimensions, got one of 7"});
}

TEST_CASE("checkpoint: contents that no program of ours writes") {
    const auto parse_of = [](const Checkpoint& c) { return [c] { parse(saved(c)); }; };
    for (const auto& change : std::initializer_list<void (*)(Checkpoint&)>{
             [](Checkpoint& c) { c.step = -1; }, [](Checkpoint& c) { c.batches = 0; },
             [](Checkpoint& c) { c.examples = 0; }, [](Checkpoint& c) { c.sums.correct = 17; },
             [](Checkpoint& c) { c.step = std::numeric_limits<Index>::max(); },
             [](Checkpoint& c) { c.sums.examples = std::numeric_limits<Index>::max(); }}) {
        Checkpoint c = sample();
        change(c);
        check_error(parse_of(c),
                    {"/the/file: expected possible counts of steps, batches and examples"});
    }
    Checkpoint c = sample();
    c.generators[1].second = {};
    check_error(parse_of(c),
                {"/the/file: expected a state of the generator model.1.rng, got four"});

    for (const auto& change : std::initializer_list<void (*)(Checkpoint&)>{
             [](Checkpoint& twice) { twice.tensors.push_back(twice.tensors[0]); },
             [](Checkpoint& twice) { twice.optimizer.push_back(twice.optimizer[0]); },
             [](Checkpoint& twice) { twice.generators.push_back(twice.generators[0]); }}) {
        Checkpoint twice = sample();
        change(twice);
        check_error(parse_of(twice), {"/the/file: expected every name of its ", " once, got "});
    }

    const std::string payload = saved(sample()).substr(kHeader);
    check_error([&] { parse(sealed(payload + "more")); },
                {"/the/file: expected nothing after the last tensor, got 4 bytes more"});
    check_error([&] { parse(sealed(payload.substr(0, payload.size() - 1))); },
                {"/the/file: expected at most ", " more bytes"});

    // The last tensor is of shape [1, 2, 1]: 3, 1, 2, 1 before its two values.
    const std::size_t dims = payload.size() - 2 * sizeof(Real) - 3 * 8;
    std::string crafted = payload;
    crafted.replace(dims, 8, bytes_of(std::int64_t{-1}));
    check_error([&] { parse(sealed(crafted)); }, {"/the/file: Shape", "-1"});
    crafted.replace(dims, 8, bytes_of(std::int64_t{1} << 62));
    check_error([&] { parse(sealed(crafted)); }, {"/the/file: Shape"});
    crafted.replace(dims, 8, bytes_of(std::int64_t{2}));
    check_error([&] { parse(sealed(crafted)); }, {"/the/file: expected at most ", "length of 4"});
}

TEST_CASE("checkpoint: of another version, byte order, or width of Real") {
    const std::string payload = saved(sample()).substr(kHeader);
    check_error([&] { parse(sealed(payload, {.version = 2})); },
                {"/the/file: expected a checkpoint of version 1, got version 2; a newer Primer"});
    check_error([&] { parse(sealed(payload, {.version = 0})); },
                {"/the/file: expected a checkpoint of version 1, got version 0"});
    check_error([&] { parse(sealed(payload, {.byte_order = 0x04030201})); },
                {"/the/file: expected a checkpoint in this machine's byte order, got the other"});
    check_error([&] { parse(sealed(payload, {.byte_order = 0x01020305})); }, {"damaged"});
    const std::uint32_t other = sizeof(Real) == 4 ? 8 : 4;
    check_error([&] { parse(sealed(payload, {.real_size = other})); },
                {"/the/file: expected numbers of ", "as this program has them", "do not mix"});
}

TEST_CASE("checkpoint: what is no file, or may not be read" * needs_posix()) {
    const Folder folder;
    const std::string path = folder.path().string();
    check_error([&] { Checkpoint::load(path); },
                {path.c_str(), ": expected a checkpoint, got a folder"});
    check_error([&] { Checkpoint::load(path + "/none"); },
                {(path + "/none: expected a checkpoint, got nothing there").c_str()});
    make_fifo(path + "/fifo");
    check_error([&] { Checkpoint::load(path + "/fifo"); }, {"got something that is no file"});
    folder.write("empty", "");
    check_error([&] { Checkpoint::load(path + "/empty"); }, {"/empty: ", "got an empty file"});

    sample().save(path + "/secret");
    fs::permissions(path + "/secret", fs::perms::none);
    const AsNobody nobody;
    check_error([&] { Checkpoint::load(path + "/secret"); },
                {"/secret: expected a file that can be read, got a failure to open it"});
}

// --- saving that fails -------------------------------------------------------------------------

// What a folder has in it, sorted.
std::vector<std::string> names_in(const Folder& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder.path())) {
        names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
}

TEST_CASE("checkpoint: a save takes the place of the one before it, but not through a link" *
          needs_posix()) {
    const Folder folder;
    const fs::path file = folder.path() / "c", link = folder.path() / "latest";
    Checkpoint c = sample();
    c.save(file);
    c.step = 18;
    c.save(file);
    CHECK(Checkpoint::load(file).step == 18);
    fs::create_symlink("c", link);
    c.step = 19;
    check_error([&] { c.save(link); }, {"/latest: ", "got a link to \"c\""});
    CHECK(fs::is_symlink(link));
    CHECK(Checkpoint::load(file).step == 18);
    CHECK(names_in(folder) == std::vector<std::string>{"c", "latest"});
}

TEST_CASE("checkpoint: there is no place to save to" * needs_posix()) {
    const Folder folder;
    const std::string path = folder.path().string();
    check_error(
        [&] { sample().save(path); },
        {path.c_str(), ": expected a file, or nothing yet, to save a checkpoint to, got a folder"});
    check_error([&] { sample().save(path + "/none/c"); },
                {(path + "/none/c: failed to create a file in its folder when saving a checkpoint: "
                         "No such file or directory; what was there before, if anything, is")
                     .c_str()});
    make_fifo(path + "/fifo");
    check_error([&] { sample().save(path + "/fifo"); }, {"got something that is no file"});
    CHECK(names_in(folder) == std::vector<std::string>{"fifo"});
}

TEST_CASE("checkpoint: without permission, the old file stays whole" * needs_posix()) {
    const Folder folder;
    const fs::path file = folder.path() / "c";
    sample().save(file);
    const std::string before = contents(file);
    fs::permissions(folder.path(), fs::perms(0755));
    {
        const AsNobody nobody;
        Checkpoint c = sample();
        c.step = 18;
        check_error([&] { c.save(file); }, {"failed to create a file", "Permission denied"});
    }
    CHECK(contents(file) == before);
    CHECK(names_in(folder) == std::vector<std::string>{"c"});
}

TEST_CASE("checkpoint: a disk that is full in the middle of a save, the old file stays whole" *
          needs_posix()) {
    const Folder folder;
    const fs::path file = folder.path() / "c";
    sample().save(file);
    const std::string before = contents(file);
    for (const int room : {0, 20, 36, 500}) {
        std::string message;
        try {
            const FileSizeLimit limit(static_cast<std::uint64_t>(room));
            Checkpoint c = sample();
            c.step = 18;
            c.save(file);
        } catch (const Error& error) {
            message = error.what();
        }
        CHECK(message == fs::canonical(file).string() +
                             ": failed to write the file when saving a checkpoint: File too large; "
                             "what was there before, if anything, is untouched");
        CHECK(contents(file) == before);
        CHECK(names_in(folder) == std::vector<std::string>{"c"});
    }
    CHECK(Checkpoint::load(file).step == 17);
}

}  // namespace
}  // namespace primer
// SPDX-License-Identifier: MIT
