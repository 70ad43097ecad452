//! Typed relations between entries as a compressed graph, walked from what changes to what depends on it, and from who may
//! act to what on.
//!
//! Leaves out which relations a change follows: that is `blast/`.

use std::cmp::Reverse;

use jiff::Timestamp;

/// How one entry depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum EdgeKind {
    /// It does not work without it.
    DependsOn,
    /// It lies in it, and goes when that is deleted.
    PartOf,
    /// Traffic to it passes it: a security group, a network ACL.
    GuardedBy,
    /// It runs on it: a pod on a node, a service on a plan. It stops when that does, and is not gone with it.
    RunsOn,
    /// It runs under its authority: a role, an instance profile.
    RunsAs,
    /// It may act on it: a role on a table, a policy on a bucket. Nothing of it depends on that.
    GrantsTo,
    /// It is encrypted or signed with it.
    KeyedBy,
    /// It calls it: an API, a queue.
    Consumes,
    /// It leads to it: a DNS record, a load balancer's target.
    RoutesTo,
}

impl EdgeKind {
    pub(crate) const ALL: [Self; 9] = [
        Self::DependsOn,
        Self::PartOf,
        Self::GuardedBy,
        Self::RunsOn,
        Self::RunsAs,
        Self::GrantsTo,
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
            Self::RunsOn => "runsOn",
            Self::RunsAs => "runsAs",
            Self::GrantsTo => "grantsTo",
            Self::KeyedBy => "keyedBy",
            Self::Consumes => "consumes",
            Self::RoutesTo => "routesTo",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Until when a relation is believed, in hours: one that was only observed fades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Until(u32);

impl Until {
    /// It was declared.
    pub(crate) const ALWAYS: Self = Self(u32::MAX);

    /// To the end of the hour of a time.
    pub(crate) fn of(time: Timestamp) -> Self {
        Self(u32::try_from(time.as_second() / 3_600).unwrap_or_default())
    }

    /// Whether it is believed at a time.
    pub(crate) fn holds(self, now: Timestamp) -> bool {
        self >= Self::of(now)
    }
}

/// One relation, from the dependant to what it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edge {
    pub(crate) dependant: u32,
    pub(crate) kind: EdgeKind,
    pub(crate) dependency: u32,
    pub(crate) until: Until,
}

/// What depends on something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dependant {
    pub(crate) entry: u32,
    pub(crate) kind: EdgeKind,
    pub(crate) until: Until,
}

/// One relation from the side of the dependant, of those that lead to authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lead {
    from: u32,
    pub(crate) kind: EdgeKind,
    pub(crate) to: u32,
}

/// For each entry its dependants, in a fixed order, and what it has its authority from.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    offsets: Vec<u32>,
    dependants: Vec<Dependant>,
    leads: Vec<Lead>,
}

impl Graph {
    /// Of some entries, all relations; `gives` says which of them are what authority is had from.
    pub(crate) fn new(entries: usize, mut edges: Vec<Edge>, gives: impl Fn(u32) -> bool) -> Self {
        edges.retain(|edge| edge.dependant != edge.dependency);
        // Of the same relation twice, the one that is believed longer.
        edges.sort_unstable_by_key(|edge| (edge.dependency, edge.dependant, edge.kind, Reverse(edge.until)));
        edges.dedup_by_key(|edge| (edge.dependency, edge.dependant, edge.kind));
        let mut offsets = Vec::with_capacity(entries + 1);
        let mut rest = edges.as_slice();
        let mut passed = 0;
        for (entry, _) in (0u32..).zip(0..entries) {
            offsets.push(u32::try_from(passed).unwrap_or(u32::MAX));
            let own = rest.partition_point(|edge| edge.dependency <= entry);
            passed += own;
            rest = rest.get(own..).unwrap_or_default();
        }
        offsets.push(u32::try_from(passed).unwrap_or(u32::MAX));
        let leads = |edge: &&Edge| match edge.kind {
            EdgeKind::RunsAs | EdgeKind::GrantsTo => true,
            EdgeKind::DependsOn | EdgeKind::PartOf => gives(edge.dependency) && gives(edge.dependant),
            EdgeKind::GuardedBy
            | EdgeKind::RunsOn
            | EdgeKind::KeyedBy
            | EdgeKind::Consumes
            | EdgeKind::RoutesTo => false,
        };
        let of = |edge: &Edge| Lead { from: edge.dependant, kind: edge.kind, to: edge.dependency };
        let mut leads: Vec<Lead> = edges.iter().filter(leads).map(of).collect();
        leads.sort_unstable();
        leads.shrink_to_fit();
        let of = |edge: &Edge| Dependant { entry: edge.dependant, kind: edge.kind, until: edge.until };
        let dependants = edges.iter().map(of).collect();
        Self { offsets, dependants, leads }
    }

    /// What an entry has authority from, and over.
    pub(crate) fn leads(&self, entry: u32) -> &[Lead] {
        let start = self.leads.partition_point(|lead| lead.from < entry);
        let rest = self.leads.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(|lead| lead.from == entry)).unwrap_or_default()
    }

    /// What an entry runs under, the first where there are several.
    pub(crate) fn authority(&self, entry: u32) -> Option<u32> {
        self.leads(entry).iter().find(|lead| lead.kind == EdgeKind::RunsAs).map(|lead| lead.to)
    }

    /// What depends on an entry, and how; what has faded too.
    pub(crate) fn dependants(&self, entry: u32) -> &[Dependant] {
        let entry = entry as usize;
        let (Some(start), Some(end)) = (self.offsets.get(entry), self.offsets.get(entry + 1)) else {
            return &[];
        };
        self.dependants.get(*start as usize..*end as usize).unwrap_or_default()
    }

    pub(crate) fn edges(&self) -> usize {
        self.dependants.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{Edge, EdgeKind, Graph, Until};

    fn edge(dependant: u32, kind: EdgeKind, dependency: u32) -> Edge {
        Edge { dependant, kind, dependency, until: Until::ALWAYS }
    }

    #[test]
    fn each_entry_has_its_own_dependants_once_and_in_order() {
        let edge = |dependant, dependency| edge(dependant, EdgeKind::DependsOn, dependency);
        let graph =
            Graph::new(4, vec![edge(3, 0), edge(1, 0), edge(1, 0), edge(2, 2), edge(0, 3)], |_| false);
        let of = |entry| graph.dependants(entry).iter().map(|one| (one.entry, one.kind)).collect::<Vec<_>>();
        assert_eq!(of(0), [(1, EdgeKind::DependsOn), (3, EdgeKind::DependsOn)]);
        assert_eq!(of(1), []);
        assert_eq!(of(2), [], "nothing depends on itself");
        assert_eq!(of(3), [(0, EdgeKind::DependsOn)]);
        assert_eq!(of(4), []);
    }

    #[test]
    fn what_is_declared_too_does_not_fade() {
        let time = |text: &str| text.parse().unwrap();
        let observed = |until: &str| Edge { until: Until::of(time(until)), ..edge(1, EdgeKind::Consumes, 0) };
        let (june, july) = ("2026-06-01T00:30:00Z", "2026-07-01T00:30:00Z");
        let until = |edges| {
            Graph::new(2, edges, |_| false).dependants(0).iter().map(|one| one.until).collect::<Vec<_>>()
        };
        assert_eq!(until(vec![observed(june), observed(july)]), [Until::of(time(july))]);
        assert_eq!(until(vec![observed(june), edge(1, EdgeKind::Consumes, 0)]), [Until::ALWAYS]);
        assert!(Until::of(time(june)).holds(time("2026-06-01T00:59:00Z")));
        assert!(!Until::of(time(june)).holds(time("2026-06-01T01:00:00Z")));
        assert!(Until::ALWAYS.holds(time("2999-01-01T00:00:00Z")));
    }

    #[test]
    fn an_entry_runs_under_what_it_says() {
        let runs = |dependant, dependency| edge(dependant, EdgeKind::RunsAs, dependency);
        let other = edge(1, EdgeKind::DependsOn, 0);
        let graph = Graph::new(4, vec![runs(3, 0), other, runs(2, 1)], |_| false);
        assert_eq!([0, 1, 2, 3].map(|entry| graph.authority(entry)), [None, None, Some(1), Some(0)]);
        assert!(graph.leads(1).is_empty(), "what it depends on gives no authority");
        let graph = Graph::new(4, vec![runs(3, 0), other, runs(2, 1)], |entry| entry < 2);
        assert_eq!(graph.leads(1).iter().map(|lead| lead.to).collect::<Vec<_>>(), [0]);
    }
}
