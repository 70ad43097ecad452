//! The stages of a judgement, for each party and each effect: legitimacy, ownership, blast radius.
//!
//! Leaves out what the stages add up to (`mod.rs`).

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use ordain_action::{
    Access, Action, Call, Effect, IdentityProof, Level, Party, Plane, Resource, Role, Scalar,
};

use super::circumstances::{Circumstances, declared};
use super::planned::Planned;
use super::{cluster, labels, reads};
use crate::blast::{Measured, Start, Why};
use crate::facts::{Facts, copies, is_engaged};
use crate::kubernetes::{self, creates};
use crate::model::{Covers, Person};
use crate::owner::{self, Standing};
use crate::policy::Answer;
use crate::resolve::{Estate, Site};
use crate::slice::{Figures, Question};
use crate::{Count, Reason, Ruling, Snapshot, refusal};

/// One effect with everything it touches, resolved.
#[derive(Debug)]
pub(crate) struct Touched<'e> {
    pub(crate) effect: &'e Effect,
    pub(crate) index: usize,
    /// The class it is judged as: changing a tag that says who owns something is a grant.
    pub(crate) access: Access,
    /// Targets and parents: what has to have an owner whom the actor acts for.
    pub(crate) judged: Vec<Site>,
    /// What is changed, and exists as far as is known: where the blast radius begins.
    targets: Vec<Site>,
    /// Where what is created will be, by its own name: what holds for that holds for the change, whoever owns what it lies in.
    pub(super) places: Vec<Site>,
    pub(super) uses: Vec<Site>,
    /// The types that would be created.
    creates: Vec<Arc<str>>,
    facts: Facts,
}

impl<'e> Touched<'e> {
    pub(crate) fn of(estate: &Estate<'_>, call: &Call, effect: &'e Effect, index: usize) -> Self {
        let in_role = |role: Role| effect.resources.iter().filter(move |resource| resource.role == role);
        let sites = |role: Role| in_role(role).flat_map(|resource| estate.sites(resource)).collect();
        let grants = if call.plane == Plane::Kubernetes {
            cluster::grants(estate, effect)
        } else {
            labels::retags(estate, effect)
        };
        let access = if grants { Access::Grant } else { effect.access };
        let mut parents: Vec<Site> = sites(Role::Parent);
        let mut places = Vec::new();
        let (targets, mut judged, mut creates) = if is_creating(call, effect) {
            created(estate, effect, in_role(Role::Target), parents.is_empty(), &mut places)
        } else {
            let named: Vec<Site> = sites(Role::Target);
            let targets = if named.is_empty() { parents.clone() } else { named };
            (targets.clone(), targets, Vec::new())
        };
        creates.sort();
        creates.dedup();
        // What has a name of its own is asked about by that: of the namespace it lies in nothing else is said.
        let is_there = cluster::sets(call.plane, effect) && judged.iter().all(Site::is_known);
        parents.retain(|parent| {
            let said = judged.iter().any(|site| cluster::stands_for(site, parent));
            !said && (!is_there || judged.is_empty())
        });
        judged.extend(parents);
        for site in &mut judged {
            site.creates.clone_from(&creates);
        }
        judged.extend(mentioned(estate, effect));
        if judged.is_empty() {
            // INVARIANT: no effect goes unjudged; one that names nothing to judge is about the account.
            judged.push(estate.account());
        }
        Self {
            effect,
            index,
            access,
            judged,
            targets,
            places,
            uses: sites(Role::Uses),
            creates,
            facts: Facts::read(call.plane, effect),
        }
    }

    /// The same as the grant that it is beside what it says, where it takes away a tag that says who owns something.
    pub(crate) fn taking_labels(
        estate: &Estate<'_>,
        call: &Call,
        effect: &'e Effect,
        index: usize,
    ) -> Option<Self> {
        let replaces = effect.access == Access::Update && is_creating(call, effect);
        (replaces && labels::takes_away(estate, effect))
            .then(|| Self { access: Access::Grant, ..Self::of(estate, call, effect, index) })
    }

    /// How many places of the estate it touches or uses.
    pub(crate) fn sites(&self) -> usize {
        self.judged.len() + self.uses.len()
    }

    /// Where the blast radius of the effect begins; data reaches nothing beyond itself.
    pub(crate) fn start(&self) -> Option<Start<'_>> {
        let counts = self.effect.access.is_change() && !self.is_data();
        counts.then_some(Start {
            effect: self.effect,
            index: self.index,
            targets: &self.targets,
            uses: &self.uses,
        })
    }

    /// Whether a place it is judged at is covered, or what it creates there by its own name.
    pub(super) fn is_covered(&self, covers: &Covers, site: &Site) -> bool {
        let sites = std::iter::once(site).chain(&self.places);
        sites.into_iter().any(|site| covers.hold(&site.name, &site.account, &site.standing))
    }

    /// How many resources it changes.
    pub(super) fn targets(&self) -> usize {
        self.targets.len()
    }

    /// Judged on scope and owner only.
    pub(super) fn is_data(&self) -> bool {
        self.effect.level == Level::Data && !super::hands_over_authority(self.effect)
    }
}

/// What parameters of a change name by a whole name, and no binding says the role of: it may be changed with the rest.
fn mentioned(estate: &Estate<'_>, effect: &Effect) -> Vec<Site> {
    // Items and messages may hold names as data, which changes nothing that they name.
    if !effect.access.is_change() || (effect.level == Level::Data && !super::hands_over_authority(effect)) {
        return Vec::new();
    }
    let bound: HashSet<&str> = effect.resources.iter().flat_map(names_of).collect();
    let texts = effect.parameters.iter().filter_map(|leaf| match leaf.value {
        Scalar::Text(text) => Some(text).filter(|text| text.starts_with("arn:")),
        Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null | Scalar::Empty | Scalar::Token(_) => None,
    });
    let others: BTreeSet<&str> = texts.filter(|text| !bound.contains(text)).collect();
    others.into_iter().filter_map(|text| estate.mentioned(text)).collect()
}

/// The name of a resource, and the texts that it was named by.
fn names_of(resource: &Resource) -> impl Iterator<Item = &str> {
    let identifiers = resource.identifiers.iter().map(|identifier| identifier.value.as_str());
    std::iter::once(resource.name.as_str()).chain(identifiers)
}

/// The effect creates, or says of the same operation what else it does beside creating.
fn is_creating(call: &Call, effect: &Effect) -> bool {
    if call.plane == Plane::Kubernetes {
        return creates(effect);
    }
    let same = |other: &&Effect| other.service == effect.service && other.operation == effect.operation;
    call.effects.iter().filter(same).any(|other| other.access == Access::Create)
}

/// What a create touches: targets that are there already, and where new ones will be.
fn created<'r>(
    estate: &Estate<'_>,
    effect: &Effect,
    targets: impl Iterator<Item = &'r Resource>,
    without_parent: bool,
    places: &mut Vec<Site>,
) -> (Vec<Site>, Vec<Site>, Vec<Arc<str>>) {
    let (mut existing, mut judged, mut creates) = (Vec::new(), Vec::new(), Vec::new());
    for target in targets {
        // Of a name that the cluster is to make, the pattern stands for the one new object and for no other.
        let new = target.pattern && kubernetes::is_name(&target.name);
        let found = if new { Vec::new() } else { estate.sites(target) };
        let is_there = found.iter().any(Site::is_known);
        if !(is_there && cluster::sets(estate.plane, effect)) {
            creates.push(Arc::clone(&target.kind));
        }
        if is_there {
            existing.extend(found.iter().cloned());
            judged.extend(found);
            continue;
        }
        let place = estate.new_site(target);
        places.extend((!target.name.is_empty()).then(|| place.clone()));
        // A scope that would hold the name is asked too, beside the parent.
        if without_parent || kubernetes::is_name(&target.name) || !place.standing.scopes.is_empty() {
            judged.push(place);
        }
    }
    creates.extend(cluster::made_unnamed(estate.plane, effect));
    (existing, judged, creates)
}

/// The reasons of one action, as they come up.
#[derive(Debug)]
pub(crate) struct Judgement<'j> {
    estate: &'j Estate<'j>,
    action: &'j Action,
    measured: &'j Measured,
    now: Timestamp,
    pub(crate) reasons: Vec<Reason>,
    /// Something would be read that the actor may not read: no mode lets that through.
    pub(crate) foreign_read: bool,
}

impl<'j> Judgement<'j> {
    pub(crate) const fn new(
        estate: &'j Estate<'j>,
        action: &'j Action,
        measured: &'j Measured,
        now: Timestamp,
    ) -> Self {
        Self { estate, action, measured, now, reasons: Vec::new(), foreign_read: false }
    }

    /// Reads beside the changes of a call are bound by the read scope all the same.
    pub(crate) fn reads(&mut self, snapshot: &Snapshot, call: &Call) {
        let foreign = reads::foreign(snapshot, self.action, call);
        self.foreign_read = !foreign.is_empty();
        self.reasons.extend(foreign);
    }

    /// Judges all effects for one party.
    pub(crate) fn party(
        &mut self,
        party: &Party,
        person: &Person,
        touched: &[Touched<'_>],
        planned: &Planned<'_>,
    ) {
        for touched in touched.iter().filter(|touched| touched.effect.access.is_change()) {
            let mut owned = !touched.judged.is_empty();
            self.ambiguities(touched);
            for site in &touched.judged {
                owned &= self.ownership(party, person, touched, site, planned);
            }
            self.uses(party, person, touched, planned);
            // What it would have had to be to be planned, where that would have been a ground.
            // Of whom makes planned changes only the rule says so.
            if !owned && (touched.is_data() || !person.only_planned) {
                self.reasons.extend(planned.reason(touched.index));
            }
            if touched.is_data() {
                if owned {
                    self.data_ground(party, person, touched, planned);
                }
                continue;
            }
            for site in &touched.judged {
                self.legitimacy(party, person, touched, site, planned);
            }
        }
        self.blast_radius(party, person, touched);
    }

    /// What one text may mean several things by is none that anybody may change, or use.
    fn ambiguities(&mut self, touched: &Touched<'_>) {
        for ambiguity in touched.judged.iter().chain(&touched.uses).filter_map(|site| site.ambiguous.as_ref())
        {
            let reason = refusal::ambiguous(ambiguity, touched.index);
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }

    /// Whether the party acts for the owner of one resource; whom to ask otherwise.
    fn ownership(
        &mut self,
        party: &Party,
        person: &Person,
        touched: &Touched<'_>,
        site: &Site,
        planned: &Planned<'_>,
    ) -> bool {
        let effect = touched.index;
        if (touched.effect.access == Access::Create || creates(touched.effect))
            && let Some(allowed) = &site.standing.creates
        {
            for kind in touched.creates.iter().filter(|kind| !allowed.iter().any(|glob| glob.matches(kind))) {
                self.reasons.push(refusal::type_not_declared(kind, site, effect));
            }
        }
        self.owner(party, person, effect, site, planned)
    }

    /// Whether the party acts for whoever a resource belongs to, or carries out what they approved.
    fn owner(
        &mut self,
        party: &Party,
        person: &Person,
        effect: usize,
        site: &Site,
        planned: &Planned<'_>,
    ) -> bool {
        if site.standing.owners.is_empty() {
            self.reasons.push(refusal::no_owner(site, effect));
            return false;
        }
        if Standing::of(person, site).suffices() || planned.approves(&site.standing.owners) {
            return true;
        }
        if let Some(waits) = planned.waits(&site.standing.owners, effect) {
            self.reasons.push(waits);
            return false;
        }
        self.reasons.push(if owner::related(self.estate.model, person, site) {
            let missing = |owner: &&Arc<str>| !person.teams.contains(*owner);
            let asks = site.standing.owners.iter().filter(missing).cloned().collect();
            refusal::approval_required(party, asks, site, effect)
        } else {
            refusal::not_owner(party, site, effect)
        });
        false
    }

    /// What an effect refers to without changing it has to be known or public; what is hooked up, copied or set to
    /// work is for its owner to say.
    fn uses(&mut self, party: &Party, person: &Person, touched: &Touched<'_>, planned: &Planned<'_>) {
        for site in &touched.uses {
            // A copy reads what it copies: what may not be read may not be copied out either.
            // The names of snapshots and images do not say whose they are: the model does.
            let public = site.standing.public || (!site.is_known() && is_public(&site.name));
            let copied = copies(touched.effect, &site.kind) && !public;
            if copied && !Standing::of(person, site).suffices() {
                self.reasons.push(refusal::foreign_copy(party, site, touched.index));
                continue;
            }
            let engaged = !site.anywhere && !public && is_engaged(&site.name, &site.kind);
            if engaged && !self.owner(party, person, touched.index, site, planned) {
                continue;
            }
            if site.is_known() || site.standing.public || is_public(&site.name) {
                continue;
            }
            let strict = self.estate.model.limits.of(party.kind).must_be_known;
            let ruling = if strict || site.standing.owners.is_empty() { Ruling::Deny } else { Ruling::Admit };
            self.reasons.push(refusal::unknown_use(party, site, ruling, touched.index));
        }
    }

    /// Data-level changes have one ground: that the party acts for the owner.
    fn data_ground(&mut self, party: &Party, person: &Person, touched: &Touched<'_>, planned: &Planned<'_>) {
        let Some(site) = touched.judged.first() else { return };
        let (owners, told) = (refusal::quoted(&site.standing.owners), site.told());
        let text = match planned.change().filter(|_| !Standing::of(person, site).suffices()) {
            Some(change) => format!("change `{change}`, which {owners} approved, plans this on `{told}`"),
            None => format!("`{}` acts for {owners}, which owns `{told}`", party.name),
        };
        let words = (text, String::new());
        self.reasons.push(refusal::reason(
            Ruling::Admit,
            Count::Ownership,
            "owner_data",
            touched.index,
            words,
        ));
    }

    /// Asks the rules about one resource.
    fn legitimacy(
        &mut self,
        party: &Party,
        person: &Person,
        touched: &Touched<'_>,
        site: &Site,
        planned: &Planned<'_>,
    ) {
        let model = self.estate.model;
        let standing = Standing::of(person, site);
        let circumstances = Circumstances::of(model, self.now, (party, person), touched, site);
        let unknown = !self.measured.unknown.is_empty() || self.measured.more;
        let crossed = self.measured.crossed(&person.teams).len();
        let mut question = Question {
            model,
            party,
            person,
            effect: touched.effect,
            access: touched.access,
            region: self.estate.region,
            site,
            facts: &touched.facts,
            proven: self.action.actor.proof == IdentityProof::Proven,
            on_behalf_of: !self.action.actor.on_behalf_of.is_empty(),
            acts_for_owner: standing.acts_for_owner,
            deploys: standing.deploys,
            declared: declared(model, self.now, party, touched, site),
            change: planned.change().cloned(),
            approved: planned.approves(&site.standing.owners),
            unplanned: person.only_planned && planned.unplanned().is_some(),
            frozen: circumstances.frozen(),
            outside: circumstances.outside(),
            lifted: Vec::new(),
            reach: Figures {
                known: !unknown,
                targets: self.measured.targets,
                dependants: self.measured.dependants,
                owners_crossed: u64::try_from(crossed).unwrap_or(u64::MAX),
                irreversible: self.measured.lost.to(&party.name),
            },
            with_parameters: false,
        };
        let Some(mut answer) = self.asked(&mut question, touched) else { return };
        // Asked again only where a gate said no: what nobody would have refused is nobody's exception.
        let lifted = circumstances.lifts(&model.rules, &answer.gates);
        if !lifted.is_empty() {
            question.lifted.clone_from(&lifted);
            let Some(excepted) = self.asked(&mut question, touched) else { return };
            answer = excepted;
            self.reasons.extend(circumstances.excepted(party, site, touched.index, &lifted));
        }
        self.answer(party, touched, site, standing, (&circumstances, planned), &answer);
    }

    /// What the rules say; where they could not be asked, that is a reason.
    fn asked(&mut self, question: &mut Question<'_>, touched: &Touched<'_>) -> Option<Arc<Answer>> {
        let reason = match question.answer(ask) {
            Ok(answer) => return Some(answer),
            Err(Unasked::Parameters) => refusal::parameters_incomplete(touched.effect, touched.index),
            Err(Unasked::Slice(why)) => refusal::not_asked(&why, touched.index),
        };
        self.reasons.push(reason);
        None
    }

    fn answer(
        &mut self,
        party: &Party,
        touched: &Touched<'_>,
        site: &Site,
        standing: Standing,
        (circumstances, planned): (&Circumstances<'_>, &Planned<'_>),
        answer: &Answer,
    ) {
        if !answer.failed.is_empty() {
            self.reasons.push(refusal::rule_failed(answer.failed.clone(), touched.index));
        }
        // Where the owner was the trouble, that was said; an owner without a ground is another matter.
        if answer.grounds.is_empty() && standing.suffices() {
            self.reasons.push(refusal::no_ground(party, touched.access, site, touched.index));
        }
        let value = |place: &str| self.value(place, party, touched, site, (circumstances, planned));
        let mut said = Vec::new();
        for number in answer.grounds.iter().chain(&answer.gates) {
            let Some(rule) = self.estate.model.rules.get(*number) else { continue };
            let ruling = match rule.class {
                crate::policy::Class::Ground => Ruling::Admit,
                crate::policy::Class::Gate => Ruling::Deny,
                crate::policy::Class::Hold => Ruling::Hold,
            };
            // Nobody is asked about what is nobody's: that it has no owner was said.
            let asks = if ruling == Ruling::Hold { site.standing.owners.to_vec() } else { Vec::new() };
            said.push(Reason {
                ruling,
                count: rule.count,
                code: rule.code.clone(),
                text: rule.reason.fill(&value),
                remedy: rule.remedy.fill(&value),
                rules: vec![Arc::clone(&rule.id)],
                effect: touched.index,
                asks,
            });
        }
        self.reasons.extend(said);
    }

    /// What a place in a rule's sentences stands for.
    fn value(
        &self,
        place: &str,
        party: &Party,
        touched: &Touched<'_>,
        site: &Site,
        (circumstances, planned): (&Circumstances<'_>, &Planned<'_>),
    ) -> String {
        let standing = &site.standing;
        let word = |word: &Option<Arc<str>>| word.as_deref().unwrap_or_default().to_owned();
        match place {
            "actor" => party.name.to_string(),
            "owner" => standing.owners.join("`, `"),
            "resource" => site.told().into_owned(),
            "system" => word(&standing.system),
            "operation" => format!("{}:{}", touched.effect.service, touched.effect.operation),
            "access" => refusal::verb(touched.access).to_owned(),
            "change" => word(&planned.change().cloned()),
            "unplanned" => planned.unplanned().unwrap_or_default(),
            "freeze" => circumstances.freezes_told(),
            "window" => circumstances.windows_told(),
            "dependants" => self.measured.dependants.to_string(),
            "environment" => word(&standing.environment),
            "tier" => standing.tier.map_or("", crate::inventory::Tier::as_str).to_owned(),
            // INVARIANT: `Wording::parse` lets no other place through.
            _ => String::new(),
        }
    }

    fn blast_radius(&mut self, party: &Party, person: &Person, touched: &[Touched<'_>]) {
        let limits = self.estate.model.limits.of(party.kind);
        let effect = self.measured.effect;
        if touched.iter().all(Touched::is_data) {
            return;
        }
        for (code, text, remedy) in self.measured.over(limits, party, &person.teams) {
            let text = format!("{text} for {} `{}`", party.kind.as_str(), party.name);
            // Nobody can be asked where nobody is known whose it reaches.
            let asks: Vec<Arc<str>> =
                if limits.holds { self.measured.owners.iter().cloned().collect() } else { Vec::new() };
            let ruling = if asks.is_empty() { Ruling::Deny } else { Ruling::Hold };
            let reason = refusal::reason(ruling, Count::BlastRadius, code, effect, (text, remedy));
            self.reasons.push(Reason { asks, ..reason });
        }
        for unknown in &self.measured.unknown {
            let Some(touched) = touched.iter().find(|touched| touched.index == unknown.effect) else {
                continue;
            };
            // Bounds that let an agent run something there, or give something, have weighed what that reaches.
            let declared = |site| declared(self.estate.model, self.now, party, touched, site);
            if unknown.why != Why::Dependants && touched.judged.iter().all(declared) {
                continue;
            }
            let ruling = if limits.must_be_known { Ruling::Deny } else { Ruling::Admit };
            self.reasons.push(refusal::reach_unknown(party, unknown, ruling));
        }
    }
}

/// Why no rule could be asked.
enum Unasked {
    /// A rule reads the parameters, and not all of them could be read.
    Parameters,
    /// What the rules would see could not be put together.
    Slice(String),
}

fn ask(question: &mut Question<'_>) -> Result<Answer, Unasked> {
    let rules = &question.model.rules;
    let asked = question.asked().map_err(Unasked::Slice)?;
    let candidates = rules.candidates(question.access, &asked);
    question.with_parameters = candidates.read_parameters();
    if question.with_parameters && !question.facts.complete {
        return Err(Unasked::Parameters);
    }
    let (request, entities) = question.slice().map_err(Unasked::Slice)?;
    Ok(rules.ask(&candidates, &request, &entities))
}

/// Names of the provider's own: managed policies, public images and snapshots, its own documents.
fn is_public(name: &str) -> bool {
    let mut parts = name.split(':');
    let (Some("arn"), Some(_), Some(service)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let account = parts.nth(1).unwrap_or_default();
    let own_key = service == "kms" && name.contains(":alias/aws/");
    account == "aws" || own_key || (account.is_empty() && matches!(service, "ec2" | "ssm"))
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn what_is_the_providers_own_is_public() {
        assert!(is_public("arn:aws:iam::aws:policy/ReadOnlyAccess"));
        assert!(is_public("arn:aws:ec2:eu-west-1::image/ami-0a"));
        assert!(is_public("arn:aws:ssm:eu-west-1::document/AWS-RunShellScript"));
        assert!(is_public("arn:aws:kms:eu-west-1:111122223333:alias/aws/ebs"));
        assert!(!is_public("arn:aws:kms:eu-west-1:111122223333:alias/own"));
        assert!(!is_public("arn:aws:s3:::backups"));
        assert!(!is_public("arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0a"));
        assert!(!is_public("ami-0a"));
    }
}
