//! A load of whole requests over kept-alive connections: as fast as they are answered, or at a fixed rate.
//!
//! Percentiles come only from the fixed rate: there a slow answer does not hold back the next request's
//! start, so that a stall is seen by all that it delays.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came of a closed loop.
#[derive(Debug, Clone, Copy)]
pub struct Closed {
    /// Requests answered with the expected status.
    pub answered: u64,
    /// How long it took.
    pub took: Duration,
}

/// Sends one request after another on each of `connections` for `length`.
///
/// # Errors
/// A connection fails, or an answer has another status than `status`.
pub async fn closed(
    address: SocketAddr,
    request: Arc<[u8]>,
    connections: usize,
    length: Duration,
    status: u16,
) -> anyhow::Result<Closed> {
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let request = Arc::clone(&request);
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut answered = 0_u64;
            while started.elapsed() < length {
                connection.exchange(&request, status).await?;
                answered += 1;
            }
            anyhow::Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(task) = tasks.join_next().await {
        answered += task??;
    }
    Ok(Closed { answered, took: started.elapsed() })
}

/// Starts `rate` requests a second for `length` whatever the answers do, over as many connections as that
/// takes, and returns each one's time from its due start to its answer, sorted.
///
/// # Errors
/// A connection fails, or an answer has another status than `status`.
pub async fn open(
    address: SocketAddr,
    request: Arc<[u8]>,
    rate: u32,
    length: Duration,
    status: u16,
) -> anyhow::Result<Vec<Duration>> {
    let lanes = 16_u32;
    let gap = Duration::from_secs(1) / rate;
    let total = u32::try_from(length.as_nanos() / gap.as_nanos().max(1)).context("the run is too long")?;
    let started = Instant::now() + Duration::from_millis(50);
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..lanes {
        let request = Arc::clone(&request);
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut times = Vec::new();
            for number in (lane..total).step_by(lanes as usize) {
                let due = started + gap * number;
                tokio::time::sleep_until(due.into()).await;
                connection.exchange(&request, status).await?;
                times.push(due.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(task) = tasks.join_next().await {
        times.extend(task??);
    }
    times.sort_unstable();
    Ok(times)
}

/// The value below which a share of sorted times lies.
#[must_use]
pub fn percentile(sorted: &[Duration], hundredths: usize) -> Duration {
    let index = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4096) })
    }

    async fn exchange(&mut self, request: &[u8], status: u16) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the connection was closed before the answer ended");
            if let Some(end) = head_end(&self.buffer) {
                let head = std::str::from_utf8(self.buffer.get(..end).unwrap_or_default())?;
                let got = head.get(9..12).unwrap_or_default();
                if got != status.to_string() {
                    bail!("expected {status}, got: {}", String::from_utf8_lossy(&self.buffer));
                }
                if self.buffer.len() >= end + content_length(head) {
                    return Ok(());
                }
            }
        }
    }
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|start| start + 4)
}

fn content_length(head: &str) -> usize {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}
