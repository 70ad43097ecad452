//! THE path of a request, from its head to its settled outcome. There is no other.
//!
//! `guard → claim → claim identity → hold → prove identity → decode → judge → reserve → record → forward →
//! outcome → settle`. Leaves out how each step works.

use std::sync::Arc;
use std::time::Instant;

use http::{Request, Response};
use ordain_action::{Action, Actor, Call, DenialKind, Outcome, Reading, request_digest};
use ordain_decode::{Claim, Head};
use ordain_evidence::{Closing, Recorded, Sendable};
use ordain_rules::{Judged, Verdict};
use tokio::sync::oneshot;

use crate::events;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::held::Held;
use crate::identity;
use crate::listen::{ConnectionInfo, RequestBody};
use crate::outcome::{self, End};
use crate::reply::{self, ReplyBody};
