"""Checks the parts of benchmarks/compare.py that measure nothing, and writes a table.json for
bench_test.sh. Needs no peer."""

import os
import sys

sys.path.insert(0, os.path.join(sys.argv[1], "benchmarks"))
import compare
from peers import PEERS
from peers.networks import NETWORKS, WORKLOADS

for name, (network, shape, batch) in WORKLOADS.items():
    assert network in NETWORKS and batch >= 1, name
    for kind in ("training", "prediction"):
        assert any(p.runs(kind, shape) for p in PEERS), (name, kind)
assert len({p.name for p in PEERS}) == len({p.title for p in PEERS}) == len(PEERS)
for p in PEERS:
    assert os.path.exists(os.path.join(sys.argv[1], "benchmarks", "peers", p.file + ".py")), p
assert not next(p for p in PEERS if p.name == "channels_last").runs("training", (784,))
assert not next(p for p in PEERS if p.name == "openvino").runs("training", (784,))

# A peer that is not installed is named, with the command; -S hides all of them.
missing = compare.missing_text(PEERS)
assert len(missing) == len(PEERS), missing
assert any("left out: JAX; try: pip install jax==" in line for line in missing), missing
assert any("pip install openvino==" in line and " onnx==" in line for line in missing), missing

os.environ["OMP_NUM_THREADS"] = os.environ["XLA_FLAGS"] = "1"
environment, removed = compare.clean_environment()
assert {"OMP_NUM_THREADS", "XLA_FLAGS"} <= set(removed) and "PATH" in environment
assert not set(removed) & set(environment)


def measured(speed, ratio):
    return {"images_per_s": speed, "ratio": ratio, "ratio_min": ratio - 0.5,
            "ratio_max": ratio + 1, "mb": 300.0, "error": 0.0}


results = {"eager": measured(400.0, 2.5), "compile": {"failed": "no compiler | none"},
           "jax": measured(500.0, 2.0)}
assert compare.best_peer(results) == "jax"
assert compare.best_peer({"jax": {"failed": "x"}}) is None and compare.best_peer({}) is None


class Times:
    """Stands for a side that has run."""
    error = 0.0

    def __init__(self, *times):
        self.times = times

    def ask(self, _):
        return 7.0


# Rounds are compared one by one: the median of the ratios, not the ratio of the medians.
got = compare.figures(Times(1, 2, 4), Times(8, 4, 4), 10)
assert (got["ratio"], got["ratio_min"], got["ratio_max"]) == (2, 1, 8), got
assert got["images_per_s"] == 2500 and got["mb"] == 7, got

row = {"workload": "mlp64", "threads": 1, "ours": 1000.0, "ours_mb": 20.0, "best": "jax",
       "peers": results}
other = {"workload": "lenet", "threads": 2, "ours": 1000.0, "ours_mb": 20.0, "best": None,
         "peers": {"eager": {"failed": "x"}}}
assert compare.plot_data([row, other]) == {1: [("mlp64", "JAX", 2.0, 0.5, 1.0)]}

again = dict(row, ours=2000.0)
assert compare.merge([other, row], [again]) == [again, other]

table = {"machine": "m", "versions": {"jax": "1"}, "rounds": 3, "rows": [row, other]}
compare.write_json(table, "table.json")
assert compare.read_table("table.json") == table
assert compare.earlier_rows(table, "table.json") == [row, other]
assert compare.earlier_rows(table, "none.json") == [] == compare.earlier_rows(table, None)
try:
    compare.earlier_rows(dict(table, rounds=4), "table.json")
    raise AssertionError("mixed rounds")
except compare.Failure as error:
    assert "other rounds" in str(error)
# SPDX-License-Identifier: MIT
