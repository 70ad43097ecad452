//! Typed relations between entries as a compressed graph, walked from what changes to what depends on it.
//!
//! Leaves out which relations a change follows: that is `blast.rs`.

/// How one entry depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum EdgeKind {
    /// It does not work without it.
    DependsOn,
    /// It lies in it, and goes when that is deleted.
    PartOf,
    /// Traffic to it passes it: a security group, a network ACL.
    GuardedBy,
    /// It runs under its authority: a role, an instance profile.
    RunsAs,
    /// It is encrypted or signed with it.
    KeyedBy,
    /// It calls it: an API, a queue.
    Consumes,
    /// It leads to it: a DNS record, a load balancer's target.
    RoutesTo,
}

impl EdgeKind {
    pub(crate) const ALL: [Self; 7] = [
        Self::DependsOn,
        Self::PartOf,
        Self::GuardedBy,
        Self::RunsAs,
        Self::KeyedBy,
        Self::Consumes,
        Self::RoutesTo,
    ];

    /// The word used in model documents.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::DependsOn => "dependsOn",
            Self::PartOf => "partOf",
            Self::GuardedBy => "guardedBy",
            Self::RunsAs => "runsAs",
            Self::KeyedBy => "keyedBy",
            Self::Consumes => "consumes",
            Self::RoutesTo => "routesTo",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One relation, from the dependant to what it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    pub(crate) dependant: u32,
    pub(crate) kind: EdgeKind,
    pub(crate) dependency: u32,
}

/// For each entry its dependants, in a fixed order.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    offsets: Vec<usize>,
    dependants: Vec<(u32, EdgeKind)>,
    /// What each entry runs under, by entry.
    authorities: Vec<(u32, u32)>,
}

impl Graph {
    pub(crate) fn new(entries: usize, mut edges: Vec<Edge>) -> Self {
        edges.retain(|edge| edge.dependant != edge.dependency);
        edges.sort_unstable_by_key(|edge| (edge.dependency, edge.dependant, edge.kind));
        edges.dedup();
        let mut offsets = Vec::with_capacity(entries + 1);
        let mut rest = edges.as_slice();
        let mut passed = 0;
        for (entry, _) in (0u32..).zip(0..entries) {
            offsets.push(passed);
            let own = rest.partition_point(|edge| edge.dependency <= entry);
            passed += own;
            rest = rest.get(own..).unwrap_or_default();
        }
        offsets.push(passed);
        let runs = edges.iter().filter(|edge| edge.kind == EdgeKind::RunsAs);
        let mut authorities: Vec<(u32, u32)> = runs.map(|edge| (edge.dependant, edge.dependency)).collect();
        authorities.sort_unstable();
        let dependants = edges.iter().map(|edge| (edge.dependant, edge.kind)).collect();
        Self { offsets, dependants, authorities }
    }

    /// What an entry runs under, the first where there are several.
    pub(crate) fn authority(&self, entry: u32) -> Option<u32> {
        let at = self.authorities.partition_point(|(dependant, _)| *dependant < entry);
        self.authorities.get(at).filter(|(dependant, _)| *dependant == entry).map(|(_, authority)| *authority)
    }

    /// What depends on an entry, and how.
    pub(crate) fn dependants(&self, entry: u32) -> &[(u32, EdgeKind)] {
        let entry = entry as usize;
        let (Some(start), Some(end)) = (self.offsets.get(entry), self.offsets.get(entry + 1)) else {
            return &[];
        };
        self.dependants.get(*start..*end).unwrap_or_default()
    }

    pub(crate) fn edges(&self) -> usize {
        self.dependants.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{Edge, EdgeKind, Graph};

    #[test]
    fn each_entry_has_its_own_dependants_once_and_in_order() {
        let edge = |dependant, dependency| Edge { dependant, kind: EdgeKind::DependsOn, dependency };
        let graph = Graph::new(4, vec![edge(3, 0), edge(1, 0), edge(1, 0), edge(2, 2), edge(0, 3)]);
        assert_eq!(graph.dependants(0), [(1, EdgeKind::DependsOn), (3, EdgeKind::DependsOn)]);
        assert_eq!(graph.dependants(1), []);
        assert_eq!(graph.dependants(2), [], "nothing depends on itself");
        assert_eq!(graph.dependants(3), [(0, EdgeKind::DependsOn)]);
        assert_eq!(graph.dependants(4), []);
    }

    #[test]
    fn an_entry_runs_under_what_it_says() {
        let runs = |dependant, dependency| Edge { dependant, kind: EdgeKind::RunsAs, dependency };
        let other = Edge { dependant: 1, kind: EdgeKind::DependsOn, dependency: 0 };
        let graph = Graph::new(4, vec![runs(3, 0), other, runs(2, 1)]);
        assert_eq!([0, 1, 2, 3].map(|entry| graph.authority(entry)), [None, None, Some(1), Some(0)]);
    }
}
