#include <primer/layers/inspect/graph.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <primer/core/ops.h>
#include <primer/core/rng.h>
#include "folder.h"
#include "support.h"
#include "system.h"

namespace primer {
namespace {

constexpr Index kEach = sizeof(Real);

Tensor leaf(const Shape& shape) { return ones(shape).requires_grad_(); }

const GraphNode& op(const Graph& graph, Index number) {
    for (const GraphNode& node : graph.nodes) {
        if (node.kind == GraphNode::Kind::op && node.op == number) return node;
    }
    FAIL("there is no such op");
    return graph.nodes.front();
}

// The graph of the only op, with its inputs and what it keeps.
std::vector<std::string> kept_texts(const Graph& graph, Index number = 0) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (graph.nodes[i].op != number) continue;
        for (const GraphKept& kept : graph.nodes[i].kept) {
            texts.push_back(kept_text(graph, static_cast<int>(i), kept));
        }
    }
    return texts;
}
using Texts = std::vector<std::string>;

TEST_CASE("graph: one that contradicts itself") {
    Graph graph;
    GraphNode node;
    node.name = "x";
    node.inputs = {5};
    graph.nodes.push_back(node);
    check_error([&] { to_dot(graph); }, {"Graph: there is no node 5 among 1"});
    check_error([&] { to_mermaid(graph); }, {"Graph: there is no node 5 among 1"});
    GraphKept kept;
    kept.node = 999'999;
    check_error([&] { kept_text(graph, 0, kept); }, {"Graph: there is no node 999999"});
}

}  // namespace

// loss = sum(w x): mul keeps x for dw; nobody needs w, because x asks for no gradient.
TEST_CASE("graph: the whole text of a small one, in both languages") {
    const Tensor w = leaf({250, 2}), x = ones({2});
    Tape tape;
    const Tensor loss = sum(mul(w, x));
    const Graph graph = graph_of(tape, {{"the \"w\"\\1 <&#`>", w}}, {{"0 (Mul)", 0, 1}});
    const std::string bytes = std::to_string(2 * kEach);
    CHECK(to_dot(graph) ==
          "digraph tape {\n"
          "  graph [rankdir=TB, labelloc=t, labeljust=l, fontname=\"Helvetica\"];\n"
          "  graph [label=\"2 ops keep " +
              bytes +
              " B until backward\\n"
              "(parameters do not count, shared memory counts once)\"];\n"
              "  node [shape=box, fontname=\"Helvetica\", fontsize=11];\n"
              "  n1 [shape=parallelogram, label=\"input\\n[2]\"];\n"
              "  subgraph cluster_0 { label=\"0 (Mul)\";\n"
              "    n0 [shape=ellipse, label=\"the \\\"w\\\"\\\\1 <&#`>\\n[250, 2]\"];\n"
              "    n2 [label=\"op 0: mul\\n[250, 2]\\nkeeps " +
              bytes + " B\\ninput, " + bytes +
              " B\"];\n"
              "    { rank=same; n0; n2; }\n"
              "  }\n"
              "  n3 [label=\"op 1: sum\\n[]\\nkeeps nothing\"];\n"
              "  n0 -> n2;\n"
              "  n1 -> n2;\n"
              "  n2 -> n3;\n"
              "}\n");
    CHECK(to_mermaid(graph) ==
          "---\n"
          "title: \"2 ops keep " +
              bytes +
              " B until backward (parameters do not count, shared memory counts once)\"\n"
              "---\n"
              "flowchart TD\n"
              "  n1[/\"input<br/>[2]\"/]\n"
              "  subgraph g0[\"0 (Mul)\"]\n"
              "    n0([\"the #34;w#34;\\1 #60;#38;#35;#96;#62;<br/>[250, 2]\"])\n"
              "    n2[\"op 0: mul<br/>[250, 2]<br/>keeps " +
              bytes + " B<br/>input, " + bytes +
              " B\"]\n"
              "  end\n"
              "  n3[\"op 1: sum<br/>[]<br/>keeps nothing\"]\n"
              "  n0 --> n2\n"
              "  n1 --> n2\n"
              "  n2 --> n3\n");
    tape.backward(loss);  // the tape is none the worse for it
    CHECK(w.grad().at({249, 1}) == 1);
}

TEST_CASE("graph: what a convolutional network keeps, worked out by hand") {
    Rng rng(1);
    const Tensor x = randn({2, 1, 4, 4}, rng);
    const Tensor conv = leaf({2, 1, 3, 3}), w1 = leaf({5, 8}), b1 = leaf({5}), w2 = leaf({3, 5});
    const Tensor gamma = leaf({2}), beta = leaf({2});
    Tape tape;
    Tensor y = conv2d(x, conv, {}, {.padding = 1});  // [2, 2, 4, 4]
    y = batch_norm(y, {}, {}, gamma, beta, {.training = true});
    y = relu(y);
    y = flatten(max_pool2d(y, {.kernel_size = 2}), 1);  // [2, 8]
    y = relu(linear(dropout(y, 0.5, rng), w1, b1));     // [2, 5]
    const Tensor loss = cross_entropy(linear(y, w2, {}), {0, 2});
    const Graph graph = graph_of(tape, {{"conv", conv}, {"w1", w1}, {"gamma", gamma}});

    // 0 conv2d: x, 32 numbers; not the weight, because nobody wants the gradient of x
    CHECK(op(graph, 0).kept_bytes() == 32 * kEach);
    CHECK(kept_texts(graph, 0) == Texts{"input, " + bytes_text(32 * kEach)});
    // 1 batch_norm: its x, 64 numbers, and a mean and a variance for each of 2 channels, in double
    CHECK(op(graph, 1).kept_bytes() == 64 * kEach + 32);
    CHECK(kept_texts(graph, 1) == Texts{"memory of its own, 32 B",
                                        "output of op 0, " + bytes_text(64 * kEach),
                                        "gamma (not counted)"});
    // 2 relu: its output
    CHECK(kept_texts(graph, 2) == Texts{"its output, " + bytes_text(64 * kEach)});
    // 3 max_pool2d: a byte for each of 16 outputs; 4 flatten: nothing; 5 dropout: a byte for each
    CHECK(kept_texts(graph, 3) == Texts{"memory of its own, 16 B"});
    CHECK(op(graph, 4).kept.empty());
    CHECK(kept_texts(graph, 5) == Texts{"memory of its own, 16 B"});
    // 6 linear: its x, 16 numbers, and the weight
    CHECK(op(graph, 6).kept_bytes() == 16 * kEach);
    CHECK(kept_texts(graph, 6) ==
          Texts{"output of op 5, " + bytes_text(16 * kEach), "w1 (not counted)"});
    // 7 relu: its output, 10 numbers, which 8 linear keeps, too; its weight has no name here
    CHECK(op(graph, 7).kept_bytes() == 10 * kEach);
    CHECK(kept_texts(graph, 8) == Texts{"output of op 7, counted at op 7", "leaf (not counted)"});
    CHECK(op(graph, 8).kept_bytes() == 0);
    CHECK(op(graph, 8).kept[0].size == 10 * kEach);
    // 9 cross_entropy: 2 labels of 8 bytes, and the 6 probabilities
    CHECK(op(graph, 9).kept_bytes() == 16 + 6 * kEach);
    CHECK(graph.kept_bytes() == (32 + 64 + 64 + 16 + 10 + 6) * kEach + 32 + 16 + 16 + 16);
    tape.backward(loss);
    CHECK(conv.grad().defined());
}

TEST_CASE("graph: a view keeps all of the memory that it is a part of, which counts once") {
    const Tensor w = leaf({2}), all = ones({5, 2});
    Tape tape;
    const Tensor a = mul(slice(all, 0, 1), w), b = mul(slice(all, 2, 4), w);
    const Graph graph = graph_of(tape);
    CHECK(op(graph, 0).kept_bytes() == 10 * kEach);
    CHECK(op(graph, 1).kept_bytes() == 0);
    CHECK(kept_texts(graph, 1) == Texts{"input, counted at op 0"});
    CHECK(graph.nodes.size() == 5);  // w, two views and two ops
}

TEST_CASE("graph: inputs that nobody keeps, a constant used twice, and a frozen parameter") {
    const Tensor w = leaf({2}), x = ones({2}), frozen = ones({2});
    Tape tape;
    Tensor y = add(w, x);  // keeps nothing, so x is forgotten
    y = mul(mul(y, frozen), frozen);
    y = mul(mul(y, x), x);
    const Graph graph = graph_of(tape, {{"frozen", frozen}});
    CHECK(op(graph, 0).kept.empty());
    CHECK(op(graph, 0).inputs == std::vector<int>{0, 1});
    CHECK(graph.nodes[1].kind == GraphNode::Kind::constant);
    CHECK(graph.nodes[1].shape == Shape{2});
    CHECK(kept_texts(graph, 1) == Texts{"frozen (not counted)"});
    CHECK(op(graph, 1).inputs[1] == op(graph, 2).inputs[1]);
    CHECK(op(graph, 3).inputs[1] == op(graph, 4).inputs[1]);
    CHECK(kept_texts(graph, 3) == Texts{"input, " + bytes_text(2 * kEach)});
    CHECK(kept_texts(graph, 4) == Texts{"input, counted at op 3"});
    CHECK(graph.kept_bytes() == 2 * kEach);
}

TEST_CASE("graph: an op in place, and memory that is no input") {
    const Tensor w = leaf({4}), target = ones({4});
    Tape tape;
    Tensor y = relu_(neg(w));
    mse_loss(y, target);
    const Graph graph = graph_of(tape);
    CHECK(kept_texts(graph, 1) == Texts{"its output, " + bytes_text(4 * kEach)});
    // The difference is neither y nor the target.
    CHECK(kept_texts(graph, 2) == Texts{"memory of its own, " + bytes_text(4 * kEach)});
    CHECK(op(graph, 2).inputs.size() == 2);
}

// What was kept has been overwritten: backward() will say so, and the picture must not fail.
TEST_CASE("graph: a value that was overwritten") {
    const Tensor w = leaf({4});
    Tape tape;
    const Tensor y = exp(w);
    relu_(y);
    const Graph graph = graph_of(tape);
    CHECK(op(graph, 0).kept_bytes() == 4 * kEach);
    CHECK(op(graph, 1).kept_bytes() == 0);
}

TEST_CASE("graph: every other op that keeps more than tensors") {
    Rng rng(1);
    const Tensor x = leaf({3, 4});
    Tape tape;
    max(x, 1);                                      // 3 positions of 8 bytes
    nll_loss(x, {0, 1, 2});                         // 3 labels
    dropout2d(reshape(x, {3, 4, 1, 1}), 0.5, rng);  // 12 numbers, as a tensor
    maxout(x, 2);                                   // 6 numbers
    binary_cross_entropy_with_logits(x, full({3, 4}, Real(0.5)),
                                     {.pos_weight = full({4}, 2)});  // 12 targets, 12 weights
    l1_penalty(std::vector<Parameter>{Parameter(ones({7}))});
    const Graph graph = graph_of(tape);
    CHECK(op(graph, 0).kept_bytes() == 24);
    CHECK(op(graph, 1).kept_bytes() == 24);
    CHECK(op(graph, 3).kept_bytes() == 12 * kEach);  // 2 is reshape
    CHECK(op(graph, 4).kept_bytes() == 6 * kEach);
    CHECK(op(graph, 5).kept_bytes() == 24 * kEach);
    CHECK(kept_texts(graph, 6) == Texts{"leaf (not counted)"});
}

TEST_CASE("graph: groups in groups, and one that is called twice") {
    const Tensor w = leaf({2});
    Tape tape;
    Tensor y = neg(w);
    y = exp(y);
    y = neg(y);
    y = neg(y);
    const Graph graph =
        graph_of(tape, {}, {{"body", 0, 3}, {"body.0", 0, 1}, {"body.1", 1, 3}, {"body.0", 3, 4}});
    CHECK(group_of(graph, 0) == 1);
    CHECK(group_of(graph, 2) == 2);
    CHECK(group_of(graph, 3) == 3);
    CHECK(group_of(graph, 4) == -1);
    const std::string text = to_mermaid(graph), bytes = bytes_text(2 * kEach);
    CHECK(text.substr(text.find("flowchart")) ==
          "flowchart TD\n"
          "  subgraph g0[\"body\"]\n"
          "    subgraph g1[\"body.0\"]\n"
          "      n0([\"leaf<br/>[2]\"])\n"
          "      n1[\"op 0: neg<br/>[2]<br/>keeps nothing\"]\n"
          "    end\n"
          "    subgraph g2[\"body.1\"]\n"
          "      n2[\"op 1: exp<br/>[2]<br/>keeps " +
              bytes + "<br/>its output, " + bytes +
              "\"]\n"
              "      n3[\"op 2: neg<br/>[2]<br/>keeps nothing\"]\n"
              "    end\n"
              "  end\n"
              "  subgraph g3[\"body.0\"]\n"
              "    n4[\"op 3: neg<br/>[2]<br/>keeps nothing\"]\n"
              "  end\n"
              "  n0 --> n1\n"
              "  n1 --> n2\n"
              "  n2 --> n3\n"
              "  n3 --> n4\n");
}

TEST_CASE("graph: sizes in words") {
    CHECK(bytes_text(0) == "0 B");
    CHECK(bytes_text(999) == "999 B");
    CHECK(bytes_text(1000) == "1.00 kB");
    CHECK(bytes_text(9994) == "9.99 kB");
    CHECK(bytes_text(9996) == "10.0 kB");
    CHECK(bytes_text(99'960) == "100 kB");
    CHECK(bytes_text(999'600) == "1.00 MB");
    CHECK(bytes_text(12'345'678) == "12.3 MB");
    CHECK(bytes_text(5'000'000'000) == "5.00 GB");
    CHECK(bytes_text(2'000'000'000'000'000) == "2000 TB");
}

TEST_CASE("graph: written by the ending of the path" * needs_posix()) {
    const Folder folder;
    const Tensor w = leaf({2});
    Tape tape;
    const Tensor loss = sum(w);
    const std::string dot = (folder.path() / "a.dot").string(),
                      mmd = (folder.path() / "a.mmd").string();
    write_graph(tape, dot, {{"w", w}});
    write_graph(graph_of(tape), mmd);
    CHECK(contents(dot) == to_dot(graph_of(tape, {{"w", w}})));
    CHECK(contents(mmd) == to_mermaid(graph_of(tape)));
    check_error([&] { write_graph(tape, "a.svg"); },
                {"write_graph: expected a path that ends with .dot (Graphviz) or .mmd (Mermaid), "
                 "got ",
                 "/a.svg"});
    check_error([&] { write_graph(tape, folder.path() / "none" / "a.dot"); },
                {"none/a.dot: failed to create a file"});
    std::filesystem::create_symlink(mmd, folder.path() / "link.dot");
    check_error([&] { write_graph(tape, folder.path() / "link.dot"); }, {"link.dot: "});
    CHECK(contents(mmd) == to_mermaid(graph_of(tape)));  // not written through the link
    tape.backward(loss);
    check_error([&] { graph_of(tape); }, {"graph_of: this Tape is spent", "draw it before that"});
}

TEST_CASE("graph: Graphviz reads it, whatever the names are") {
    if (std::system("command -v dot > /dev/null 2>&1") != 0) {
        MESSAGE("SKIPPED: there is no Graphviz");
        return;
    }
    const Folder folder;
    const Tensor w = leaf({2});
    Tape tape;
    sum(w);
    const std::string path = (folder.path() / "a").string();
    const std::string name = "a\"b\\c\\\"d<e>&f{g|h}\\";
    write_graph(tape, path + ".dot", {{name, w}}, {{name, 0, 1}});
    REQUIRE(
        std::system(("dot -Tplain '" + path + ".dot' -o '" + path + ".txt' 2> '" + path + ".err'")
                        .c_str()) == 0);
    CHECK(contents(path + ".err").empty());
    REQUIRE(std::system(("dot -Tsvg '" + path + ".dot' -o '" + path + ".svg'").c_str()) == 0);
    const std::string svg = contents(path + ".svg");
    const std::string drawn = ">a&quot;b\\c\\&quot;d&lt;e&gt;&amp;f{g|h}\\</text>";
    const std::size_t cluster = svg.find(drawn);
    CHECK(cluster != std::string::npos);
    CHECK(svg.find(drawn, cluster + 1) != std::string::npos);
}

}  // namespace primer
// SPDX-License-Identifier: MIT
