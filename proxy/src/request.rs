//! THE path of a request, from its head to its settled outcome. There is no other.
//!
//! `guard → claim → claim identity → hold → prove identity → decode → judge → reserve → record → forward →
//! outcome → settle`. Leaves out how each step works.

use std::sync::Arc;
use std::time::Instant;

use http::{Request, Response};
use ordain_action::{Action, Outcome, Reading, request_digest};
use ordain_decode::Claim;
use ordain_evidence::{Closing, Recorded, Sendable};
use ordain_rules::{PermitKind, ShadowScope, Verdict};
use tokio::sync::oneshot;

use crate::change::Change;
use crate::events::Decided;
use crate::fault::Fault;
use crate::forward::{self, Outgoing};
use crate::gate::Gate;
use crate::held::Held;
use crate::listen::{ConnectionInfo, RequestBody};
use crate::reply::{self, ReplyBody};
use crate::{guard, outcome};

/// Answers one request: with what the control plane answered, or with a denial in its own form.
///
/// Returns no error: a failure of ours ends in a denial, so that none becomes a permission.
pub async fn serve(
    gate: &Arc<Gate>,
    connection: &ConnectionInfo,
    request: Request<RequestBody>,
) -> Response<ReplyBody> {
    let (parts, body) = request.into_parts();
    // No room can word a refusal before one has claimed the request.
    let claim = match guard::check(connection, &parts).and_then(|head| guard::claim(gate, &head)) {
        Ok(claim) => claim,
        Err(fault) => {
            gate.metrics.refused(connection.peer, &fault);
            return reply::plain(&fault.denial());
        }
    };
    match decide(gate, connection, &claim, Request::from_parts(parts, body)).await {
        Ok(response) => response,
        Err(fault) => {
            gate.metrics.refused(connection.peer, &fault);
            reply::native(claim.deny(&fault.denial()))
        }
    }
}
