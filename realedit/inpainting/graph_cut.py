"""The least of an energy of labels on a graph, by alpha-expansion (Boykov, Veksler and Zabih 2001)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from inversion.interruption import may_stop

CAPACITY_UNIT, LARGEST_CAPACITY = 100.0, 2e7  # of the integer capacities of the flow
Reachable = Callable[[np.ndarray, int], np.ndarray]
"""Which nodes (n) of labels (n) a label may be expanded onto."""


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

    def change(self, labels: np.ndarray, other: np.ndarray) -> float:
        """By how much that of `other` labels (n) is more than that of labels (n)."""
        differs = labels != other
        nodes, edges = np.flatnonzero(differs), self.edges[differs[self.edges].any(1)]
        p, q = edges.T
        own = self.cost[other[nodes], nodes].sum(dtype=float) - self.cost[labels[nodes], nodes].sum(dtype=float)
        after, before = (self.between(each[p], each[q], edges).sum(dtype=float) for each in (other, labels))
        return float(own + after - before)


def fused(energy: LabelEnergy, labels: np.ndarray, proposal: np.ndarray) -> np.ndarray:
    """The labels (n) with the least energy of those in which every node has its own of the `labels` (n) or that of the
    `proposal` (n): a fusion move (Lempitsky et al. 2010), which is an expansion where one label is proposed.

    Where the terms of an edge are not submodular, that of the old labels is lowered until they are."""
    free = labels != proposal
    if not free.any():
        return labels
    index = np.cumsum(free) - 1
    edges = energy.edges[free[energy.edges].any(1)]
    p, q = edges.T
    stay, first = energy.between(labels[p], labels[q], edges), energy.between(proposal[p], labels[q], edges)
    second, change = energy.between(labels[p], proposal[q], edges), energy.between(proposal[p], proposal[q], edges)
    both, only_p, only_q = free[p] & free[q], free[p] & ~free[q], ~free[p] & free[q]
    stay = np.where(both, np.minimum(stay, first + second - change), stay)
    nodes = np.flatnonzero(free)
    gain = energy.cost[proposal[nodes], nodes] - energy.cost[labels[nodes], nodes]
    np.add.at(gain, index[p[both]], (first - stay)[both])
    np.add.at(gain, index[q[both]], (change - first)[both])
    np.add.at(gain, index[p[only_p]], (first - stay)[only_p])
    np.add.at(gain, index[q[only_q]], (second - stay)[only_q])
    if (gain >= 0).all():  # nothing is to be had: no weight is below 0
        return labels
    taken = minimum_cut(gain, index[p[both]], index[q[both]], (first + second - change - stay)[both])
    if not taken.any():
        return labels
    result = labels.copy()
    result[nodes[taken]] = proposal[nodes[taken]]
    return result


def minimum_cut(gain: np.ndarray, p: np.ndarray, q: np.ndarray, weights: np.ndarray) -> np.ndarray:
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


def minimise(energy: LabelEnergy, labels: np.ndarray, order: Iterable[int], reachable: Reachable) -> np.ndarray:
    """Labels (n) of lower energy: every label in this order is expanded onto the nodes that are
    `reachable(labels, label)`."""
    for label in order:
        may_stop()
        tried = fused(energy, labels, np.where(reachable(labels, label), label, labels))
        if tried is not labels and energy.change(labels, tried) < 0:
            labels = tried
    return labels


def fuse_all(energy: LabelEnergy, found: Iterable[np.ndarray]) -> np.ndarray:
    """Labels (n) of an energy that is at most the least of all that were `found` (n each): what is best in each."""
    best, *others = sorted(found, key=energy.of)
    for other in others:
        tried = fused(energy, best, other)
        best = tried if energy.change(best, tried) < 0 else best
    return best
