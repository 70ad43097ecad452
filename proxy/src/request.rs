//! THE path of a request, from its head to its settled outcome. There is no other.
//!
//! `guard → claim → claim identity → hold → prove identity → decode → judge → reserve → record → forward →
//! outcome → settle`. Leaves out how each step works.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use ordain_action::Outcome;
use ordain_decode::Claim;
use ordain_evidence::{Decision, Recorded, Sendable};
use ordain_rules::{Counters, Judged, PermitKind};

use crate::bound::Bound;
use crate::change::Reply;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::held::Held;
use crate::keeping::Keeping;
use crate::leads::Leads;
use crate::listen::{ConnectionInfo, RequestBody};
use crate::outcome::GoesOn;
use crate::outgoing::Outgoing;
use crate::place::Arrival;
use crate::reply::{self, ReplyBody};
use crate::throttle::Seat;
use crate::{front, head, holds, issued, outcome, shown, stream, way, withheld};

/// Answers one request: with what the control plane answered, or with a denial in its own form.
///
/// Returns no error: a failure of ours ends in a denial, so that none becomes a permission.
pub async fn serve(
    gate: Arc<Gate>,
    connection: ConnectionInfo,
    mut request: Request<RequestBody>,
) -> Response<ReplyBody> {
    let peer = connection.peer;
    let settled = match shown::settle(&mut request, &shown::parameters(&gate)) {
        Ok(()) => shown::in_body(&gate, &connection, request).await,
        Err(fault) => Err(fault),
    };
    let request = match settled {
        Ok(request) => request,
        Err(fault) => {
            gate.metrics.refused(peer, &fault);
            return reply::plain(&fault.denial());
        }
    };
    // What comes to a name of the gate's own is for nobody behind it.
    if let Some(asked) = holds::own::asked(&request) {
        return holds::own::answer(&gate, peer, asked).await;
    }
    let connection = match way::asked(&gate, connection, &request) {
        Ok(connection) => connection,
        Err(fault) => {
            gate.metrics.refused(peer, &fault);
            return reply::plain(&fault.denial());
        }
    };
    let arrival = gate.arrival(connection, &request);
    // Until a room has claimed the request, nobody knows in which words its client understands a denial.
    let claim = match head::claim(gate.rooms, &arrival, &request) {
        Ok(claim) => claim,
        Err(fault) => {
            gate.metrics.refused(peer, &fault);
            return reply::plain(&fault.denial());
        }
    };
    match decide(&gate, &arrival, &claim, request).await {
        Ok(response) => response,
        Err(fault) => {
            gate.metrics.refused(peer, &fault);
            let mut response = reply::native(claim.deny(&fault.denial()));
            reply::name_hold(response.headers_mut(), fault.hold());
            response
        }
    }
}

async fn decide(
    gate: &Arc<Gate>,
    arrival: &Arrival,
    claim: &Claim<'static>,
    request: Request<RequestBody>,
) -> Result<Response<ReplyBody>, Fault> {
    // Who they say they are bounds what we hold for them; the proof needs the body's hash.
    let head = head::view(arrival, &request);
    let claimed = gate.claim_identity(arrival, claim, &head).await?;
    way::check(&gate.config(), &arrival.connection, &claimed)?;
    // A change is judged whole, or, for payload operations, on its head. Never in part.
    let mut held = Held::take(request, gate.need(claim, &claimed), &gate.budget).await?;
    let head = head::of(arrival, held.head());
    let identified = gate.prove_identity(claimed, &head, held.sha256())?;
    held.prove(&gate.budget)?;
    way::check_actor(&arrival.connection, &identified.actor)?;
    if let Some(answer) = front::answer(gate, arrival, claim, &identified, &held)? {
        return Ok(answer);
    }
    let seat = Arc::new(gate.throttle.load().seat(&identified.actor.party)?);

    // From here on the request is bound to what it was read as: neither changes without the other.
    let bound = Bound::read(&gate.keys, arrival, claim, &identified, held, gate.clock.now())?;
    let (action, digest) = (Arc::clone(bound.action()), bound.digest());
    let summary = bound.summary(arrival, &identified);

    // One snapshot for the whole decision: the model may be replaced while we judge.
    let model = gate.model.snapshot();
    let head = head::of(arrival, bound.held().head());
    let destination = head::destination(claim, &model, &action, &head);
    let now = gate.clock.now();
    let started = Instant::now();
    let (judged, counters) = if identified.is_nobody() {
        (ordain_rules::open(&model, &action, digest), Counters::new())
    } else if gate.passes_as_read(&action) {
        (ordain_rules::read(&model, &action, digest), Counters::new())
    } else {
        let counters = gate.state.counters(&ordain_rules::needs(&model, &action), now).await;
        (ordain_rules::judge(&model, &action, digest, &counters, now), counters)
    };
    let mut decision = gate.decision(&model, action, digest, counters, now, summary);
    decision.terms.nobody = identified.is_nobody();
    let judged_in = started.elapsed();

    let leads = Leads::of(gate, arrival, claim, &identified, &bound.held().head().headers);
    let reads_answer = leads.as_ref().is_some_and(Leads::are_in_bodies);
    let outgoing = Outgoing {
        claim: claim.clone(),
        decision: decision.id,
        destination,
        bound,
        identified,
        reads_answer,
        silence: arrival.connection.silence.clone(),
    };
    let answer = match judged.permit {
        Some(permit) if matches!(permit.kind(), PermitKind::Read | PermitKind::PassThrough) => {
            gate.metrics.decided(&decision, &judged.verdict, judged_in);
            let sendable = gate.ledger.read(permit, outgoing).map_err(|error| Fault::internal(&error))?;
            read(gate, claim, &decision, sendable).await?
        }
        permit => {
            // From here to the settled outcome the change has a task of its own: a client that goes away
            // can no longer leave it half done.
            let judged = Judged { permit, ..judged };
            let (gate, changes, seat) = (Arc::clone(gate), Arc::clone(&gate.changes), Arc::clone(&seat));
            let reached = (decision, judged_in);
            changes.run(|reply| change(gate, judged, reached, outgoing, seat, reply)).await?
        }
    };
    let answer = match leads {
        Some(leads) => leads.rewrite(answer),
        None => answer,
    };
    Ok(answer.map(|body| Keeping::new(body, seat).boxed_unsync()))
}

/// Passes a read, or what a plane lets pass as one. Nothing durable is owed for it.
async fn read(
    gate: &Arc<Gate>,
    claim: &Claim<'static>,
    decision: &Decision,
    sendable: Sendable<Outgoing>,
) -> Result<Response<ReplyBody>, Fault> {
    let (outgoing, _closing) = sendable.release().map_err(|error| Fault::internal(&error))?;
    let until = outgoing.get().identified.until;
    let query = outgoing.get().bound.held().head().uri.query().unwrap_or_default();
    let goes_on = GoesOn::of(&decision.action, query);
    let signed = gate.sign(outgoing).await?;
    // Boxed: what a request in flight carries is moved when its task begins.
    let answer = stream::opened(gate, &decision.action, until, Box::pin(gate.forward(signed))).await;
    let answer = answer.map_err(|error| Fault::unanswered(&error, decision.id))?;
    if issued::lists_keys(&decision.action) {
        return issued::list(gate, &decision.action, answer).await;
    }
    let goes_on = stream::events(claim, &answer).map_or(goes_on, GoesOn::from);
    let passed = outcome::pass(gate, &decision.action.actor, (until, goes_on), answer);
    withheld::withhold(gate, claim, decision.id, passed).await
}

/// Carries a change out, or refuses it; either way its evidence comes first.
async fn change(
    gate: Arc<Gate>,
    judged: Judged,
    (mut decision, judged_in): (Decision, Duration),
    outgoing: Outgoing,
    seat: Arc<Seat>,
    mut reply: Reply,
) {
    // A caller who has gone before the record has asked for nothing.
    if reply.is_closed() {
        return;
    }
    // What waits for its owners is judged again with what they answered; what it was judged on may have changed since, too:
    // what holds now is recorded.
    let (reserved, asked) = holds::reserve(&gate, judged, &mut decision, &outgoing, &mut reply).await;
    // Whoever was kept waiting and has gone has nothing sent for them.
    if reply.is_closed() && asked.is_none() {
        return;
    }
    gate.metrics.decided(&decision, reserved.verdict(), judged_in);
    let refusal = Fault::refused(&decision.action, reserved.verdict(), decision.id, asked.as_ref());
    let warning = gate.warning(reserved.verdict());
    let (id, action) = (decision.id, Arc::clone(&decision.action));

    // Recorded before it takes effect: what cannot be recorded does not happen. The request goes in and
    // comes out bound to its permit, so that no other request can ride on it.
    let started = Instant::now();
    let recorded = gate.ledger.record(reserved, decision, outgoing).await;
    gate.metrics.appended(started.elapsed());
    let sendable = match recorded {
        Ok(Recorded::Sendable(sendable)) => sendable,
        Ok(Recorded::Refused(_)) => return answer(reply, Err(refusal)),
        Err(unrecorded) => match gate.pass_unrecorded(unrecorded) {
            Ok(sendable) => sendable,
            Err(fault) => return answer(reply, Err(fault)),
        },
    };
    let (outgoing, mut closing) = match sendable.release() {
        Ok(released) => released,
        Err(mismatch) => return answer(reply, Err(Fault::internal(&mismatch).with_decision(id))),
    };
    let (claim, key) = (outgoing.get().claim.clone(), outgoing.get().identified.key().cloned());
    let named = outgoing.get().bound.named().cloned();
    let until = outgoing.get().identified.until;
    // A stream keeps its place until it ends; any other answer keeps it by itself.
    let asked = stream::Asked::of(outgoing.get().bound.held().head(), seat);
    let sent = outgoing.get().bound.held().carried();
    let signed = match gate.sign(outgoing).await {
        Ok(signed) => signed,
        Err(fault) => {
            gate.close(closing, id, &action, Outcome::NotSent { why: "not_signed" }).await;
            return answer(reply, Err(fault.with_decision(id)));
        }
    };
    closing.started();
    match stream::opened(&gate, &action, until, Box::pin(gate.forward(signed))).await {
        Ok(response) => {
            let open = outcome::Open { closing, claim, key, named, until, id, action, warning };
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                return stream::deliver(&gate, open, asked, response, reply).await;
            }
            drop(asked);
            let events = open.events(&response);
            if events.is_some() || stream::is_conversation(&open.action) {
                return stream::converse(&gate, open, (sent, events), response, reply).await;
            }
            outcome::deliver(&gate, open, response, reply).await;
        }
        Err(error) => {
            gate.close(closing, id, &action, error.outcome()).await;
            answer(reply, Err(Fault::unanswered(&error, id)));
        }
    }
}

fn answer(reply: Reply, answer: Result<Response<ReplyBody>, Fault>) {
    // The caller may have gone; the evidence is closed all the same.
    drop(reply.send(answer));
}
