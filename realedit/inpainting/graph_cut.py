"""The least of an energy of labels on a graph, by alpha-expansion (Boykov, Veksler and Zabih 2001)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

CAPACITY_UNIT, LARGEST_CAPACITY = 100.0, 2e7  # of the integer capacities of the flow
ENOUGH_GAIN = 1e-3  # of the energy: a sweep over all labels that saves less is the last


@dataclass(frozen=True, eq=False)
class LabelEnergy:
    """The energy of labels of n nodes: `cost` (L, n) of each label at each node, and `between(a, b, edges)`, what
    labels a and b (e) cost at both ends of some of the `edges` (E, 2); 0 where they are equal."""

    cost: np.ndarray
    edges: np.ndarray
    between: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

    def of(self, labels: np.ndarray) -> float:
        """That of labels (n)."""
        p, q = self.edges.T
        own = self.cost[labels, np.arange(len(labels))].sum()
        return float(own + self.between(labels[p], labels[q], self.edges).sum())


def expanded(energy: LabelEnergy, labels: np.ndarray, label: int, free: np.ndarray) -> np.ndarray:
    """The labels (n) with the least energy of those in which any of the `free` nodes (n) take on `label` instead.

    Where the terms of an edge are not submodular, that of the old labels is lowered until they are."""
    free = free & (labels != label)
    if not free.any():
        return labels
    index = np.cumsum(free) - 1
    edges = energy.edges[free[energy.edges].any(1)]
    p, q = edges.T
    new = np.full(len(edges), label)
    stay, first = energy.between(labels[p], labels[q], edges), energy.between(new, labels[q], edges)
    second = energy.between(labels[p], new, edges)
    both, only_p, only_q = free[p] & free[q], free[p] & ~free[q], ~free[p] & free[q]
    stay = np.where(both, np.minimum(stay, first + second), stay)
    nodes = np.flatnonzero(free)
    gain = energy.cost[label, nodes] - energy.cost[labels[nodes], nodes]
    np.add.at(gain, index[p[both]], (first - stay)[both])
    np.add.at(gain, index[q[both]], -first[both])
    np.add.at(gain, index[p[only_p]], (first - stay)[only_p])
    np.add.at(gain, index[q[only_q]], (second - stay)[only_q])
    taken = _minimum_cut(gain, index[p[both]], index[q[both]], (first + second - stay)[both])
    result = labels.copy()
    result[nodes[taken]] = label
    return result


def _minimum_cut(gain: np.ndarray, p: np.ndarray, q: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Which nodes (n) are 1 in the least of sum gain x + sum weights (1 - x_p) x_q."""
    count = len(gain)
    source, sink, nodes = count, count + 1, np.arange(count)
    rows = np.concatenate([np.full(count, source), nodes, p])
    columns = np.concatenate([nodes, np.full(count, sink), q])
    values = np.concatenate([gain.clip(min=0), (-gain).clip(min=0), weights])
    capacities = np.minimum(values * CAPACITY_UNIT, LARGEST_CAPACITY).astype(np.int32)
    some = capacities > 0
    size = (count + 2, count + 2)
    graph = sparse.csr_matrix((capacities[some], (rows[some], columns[some])), shape=size)
    left = graph - maximum_flow(graph, source, sink).flow
    left.data = left.data.clip(min=0)
    left.eliminate_zeros()
    reached = breadth_first_order(left, source, return_predecessors=False)
    ones = np.ones(count + 2, bool)
    ones[reached] = False
    return ones[:count]


def minimise(
    energy: LabelEnergy, labels: np.ndarray, reachable: Callable[[np.ndarray, int], np.ndarray], sweeps: int
) -> np.ndarray:
    """Labels (n) of low energy, from some at the start: every label is expanded in turn onto the nodes that are
    `reachable(labels, label)`, for so many sweeps at most."""
    least = energy.of(labels)
    for _ in range(sweeps):
        before = least
        for label in range(len(energy.cost)):
            tried = expanded(energy, labels, label, reachable(labels, label))
            if tried is not labels and (now := energy.of(tried)) < least:
                labels, least = tried, now
        if least > (1 - ENOUGH_GAIN) * before:
            break
    return labels
