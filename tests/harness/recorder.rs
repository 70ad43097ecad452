//! An upstream that keeps everything that arrives, and answers as it is told: well, late, badly or never.
//!
//! Plain threads and sockets: it shares no code with the gate, so that both cannot misread the same bytes.
//! Bodies beyond a bound are counted and hashed, not kept. Leaves out judging what arrived (`invariant.rs`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::ledger::LedgerView;

/// The account every recorder says it is.
pub(crate) const ACCOUNT: &str = "123456789012";

const BODY_KEPT: usize = 1 << 20;

/// How a request is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// With this status and body.
    Body(u16, String),
    /// Well, with one header more.
    With(&'static str, String, String),
    /// With this status and a body of so many bytes.
    Large(u16, u64),
    /// Well, after a while.
    Late(Duration),
    /// The connection is reset before anything was said.
    Reset,
    /// A body is announced, and half of it is sent.
    Cut,
    /// Nothing is ever said.
    Never,
}

impl Answer {
    pub(crate) fn well() -> Self {
        Self::Body(
            200,
            "<Response><requestId>recorded</requestId><return>true</return></Response>".to_owned(),
        )
    }
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    /// The first mebibyte.
    pub(crate) body: Vec<u8>,
    pub(crate) length: u64,
    pub(crate) sha256: String,
    /// The whole body came.
    pub(crate) complete: bool,
    /// The decision that the user agent names.
    pub(crate) decision: Option<String>,
    /// The entry of that decision stood in the ledger's files when the head arrived.
    pub(crate) recorded_before: bool,
}

impl Arrived {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The gate asks who its own credential belongs to, and assumes roles; doctor asks for the time, and an import for what
    /// there is.
    pub(crate) fn is_own_question(&self) -> bool {
        if self.header("user-agent") == Some("ordain doctor") {
            return self.method == "GET" && self.target == "/" && self.header("authorization").is_none();
        }
        if self.method == "POST" && self.target == "/ListResources" {
            return self.decision.is_none() && self.header("user-agent") == Some("ordain");
        }
        let text = self.body_text();
        let own = text.contains("Action=GetCallerIdentity") || text.contains("Action=AssumeRole&");
        own && self.decision.is_none()
            && self.header("user-agent").is_some_and(|agent| agent.contains("aws-sdk-rust"))
    }

    fn asks_who(&self) -> bool {
        self.is_own_question() && self.body_text().contains("Action=GetCallerIdentity")
    }

    /// The key that signed it.
    pub(crate) fn signed_with(&self) -> String {
        let authorization = self.header("authorization").unwrap_or_default();
        let rest = authorization.split("Credential=").nth(1).unwrap_or_default();
        rest.split('/').next().unwrap_or_default().to_owned()
    }

    pub(crate) fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

type Script = dyn Fn(&Arrived) -> Answer + Send + Sync;

struct Shared {
    arrived: Mutex<Vec<Arrived>>,
    script: Mutex<Arc<Script>>,
    ledger: Mutex<Option<LedgerView>>,
    foreign: Mutex<Option<String>>,
    connections: AtomicUsize,
    closes_idle: AtomicBool,
    stopped: AtomicBool,
}

/// The upstream.
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    pub(crate) fn start_at(at: SocketAddr) -> Self {
        let listener = TcpListener::bind(at).expect("a port is free");
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            arrived: Mutex::new(Vec::new()),
            script: Mutex::new(Arc::new(|_| Answer::well())),
            ledger: Mutex::new(None),
            foreign: Mutex::new(None),
            connections: AtomicUsize::new(0),
            closes_idle: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if accepting.stopped.load(Ordering::Relaxed) {
                    return;
                }
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                let shared = Arc::clone(&accepting);
                thread::spawn(move || drop(serve(&shared, stream)));
            }
        });
        Self { address, shared }
    }

    /// How requests are answered from now on. The gate's own question is always answered well.
    pub(crate) fn answer(&self, script: impl Fn(&Arrived) -> Answer + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap() = Arc::new(script);
    }

    /// From now on connections that nobody uses are closed after a time that differs from one to the next.
    pub(crate) fn close_idle(&self) {
        self.shared.closes_idle.store(true, Ordering::Relaxed);
    }

    /// Which ledger must hold a decision before its request arrives.
    pub(crate) fn watch(&self, ledger: &Path) {
        *self.shared.ledger.lock().unwrap() = Some(LedgerView::new(ledger));
    }

    /// Everything that arrived, but for the gate's own questions.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        let all = self.shared.arrived.lock().unwrap();
        all.iter().filter(|one| !one.is_own_question()).cloned().collect()
    }

    /// The gate's own questions.
    pub(crate) fn own_questions(&self) -> Vec<Arrived> {
        let all = self.shared.arrived.lock().unwrap();
        all.iter().filter(|one| one.is_own_question()).cloned().collect()
    }

    /// Makes a key one of another account.
    pub(crate) fn is_foreign(&self, key: &str) {
        *self.shared.foreign.lock().unwrap() = Some(key.to_owned());
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
    }
}

fn serve(shared: &Shared, stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(600)))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(1 << 16, stream.try_clone()?);
    let mut writer = stream;
    while let Some((method, target, headers)) = head(&mut reader)? {
        let mut one = Arrived {
            decision: decision(&headers),
            method,
            target,
            headers,
            body: Vec::new(),
            length: 0,
            sha256: String::new(),
            complete: false,
            recorded_before: false,
        };
        if let (Some(id), Some(view)) = (&one.decision, shared.ledger.lock().unwrap().as_mut()) {
            one.recorded_before = view.decision(id).is_some();
        }
        if one.header("expect").is_some() {
            writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        // What came before a body broke off has arrived too.
        let outcome = body(&mut reader, &mut one);
        one.complete = outcome.is_ok();
        let foreign = shared.foreign.lock().unwrap().as_ref() == Some(&one.signed_with());
        let account = if foreign { "999999999999" } else { ACCOUNT };
        let own = one.asks_who();
        let answer =
            if own { identity(account) } else { (Arc::clone(&*shared.script.lock().unwrap()))(&one) };
        let method = one.method.clone();
        shared.arrived.lock().unwrap().push(one);
        outcome?;
        if !reply(&mut writer, &answer, method == "HEAD")? {
            return Ok(());
        }
        if shared.closes_idle.load(Ordering::Relaxed) && is_idle(&mut reader, shared)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Waits a while for the next request, longer for some connections than for others.
fn is_idle(reader: &mut BufReader<TcpStream>, shared: &Shared) -> std::io::Result<bool> {
    let turn = shared.arrived.lock().unwrap().len() as u64;
    let patience = Duration::from_millis(1 + turn * 7919 % 37);
    reader.get_ref().set_read_timeout(Some(patience))?;
    let idle = reader.fill_buf().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    reader.get_ref().set_read_timeout(Some(Duration::from_secs(600)))?;
    Ok(idle)
}

type Head = (String, String, Vec<(String, String)>);

fn head(reader: &mut impl BufRead) -> std::io::Result<Option<Head>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let method = words.next().unwrap_or_default();
    let target = words.next().unwrap_or_default();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            return Ok(Some((method, target, headers)));
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn decision(headers: &[(String, String)]) -> Option<String> {
    let agent = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("user-agent"))?;
    let word = agent.1.rsplit(['/', ' ']).next()?;
    let shape = word.len() == 36 && word.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    shape.then(|| word.to_owned())
}

fn body(reader: &mut impl BufRead, one: &mut Arrived) -> std::io::Result<()> {
    let mut hash = Sha256::new();
    let result = if one.header("transfer-encoding").is_some() {
        chunks(reader, one, &mut hash)
    } else {
        let length = one.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        take(reader, length, one, &mut hash)
    };
    one.sha256 = hex::encode(hash.finalize());
    result
}

fn chunks(reader: &mut impl BufRead, one: &mut Arrived, hash: &mut Sha256) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(std::io::Error::other)?;
        take(reader, size, one, hash)?;
        let mut end = String::new();
        reader.read_line(&mut end)?;
        if size == 0 {
            while !end.trim().is_empty() {
                end.clear();
                reader.read_line(&mut end)?;
            }
            return Ok(());
        }
    }
}

fn take(reader: &mut impl Read, length: u64, one: &mut Arrived, hash: &mut Sha256) -> std::io::Result<()> {
    let mut left = length;
    let mut piece = vec![0; 1 << 16];
    while left > 0 {
        let wanted = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = reader.read(&mut piece[..wanted])?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        hash.update(&piece[..count]);
        let room = BODY_KEPT.saturating_sub(one.body.len());
        one.body.extend_from_slice(&piece[..count.min(room)]);
        one.length += count as u64;
        left -= count as u64;
    }
    Ok(())
}

/// Returns whether the connection goes on.
fn reply(writer: &mut TcpStream, answer: &Answer, is_head: bool) -> std::io::Result<bool> {
    match answer {
        Answer::Late(time) => {
            thread::sleep(*time);
            reply(writer, &Answer::well(), is_head)
        }
        Answer::Body(status, text) => {
            write!(writer, "{}content-length: {}\r\n\r\n", start(*status), text.len())?;
            if !is_head {
                writer.write_all(text.as_bytes())?;
            }
            Ok(true)
        }
        Answer::With(name, value, text) => {
            write!(writer, "{}{name}: {value}\r\ncontent-length: {}\r\n\r\n", start(200), text.len())?;
            writer.write_all(text.as_bytes())?;
            Ok(true)
        }
        Answer::Large(status, length) => {
            write!(writer, "{}content-length: {length}\r\n\r\n", start(*status))?;
            let piece = vec![b'.'; 1 << 16];
            let mut left = *length;
            while left > 0 {
                let count = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                writer.write_all(&piece[..count])?;
                left -= count as u64;
            }
            Ok(true)
        }
        Answer::Cut => {
            write!(writer, "{}content-length: 1000\r\n\r\n<half", start(200))?;
            writer.shutdown(Shutdown::Both)?;
            Ok(false)
        }
        Answer::Reset => {
            // Lingering for no time at all turns the close into a reset.
            socket2::SockRef::from(&*writer).set_linger(Some(Duration::ZERO))?;
            Ok(false)
        }
        Answer::Never => {
            thread::sleep(Duration::from_secs(300));
            Ok(false)
        }
    }
}

fn start(status: u16) -> String {
    format!("HTTP/1.1 {status} Told\r\ncontent-type: text/xml\r\nx-amzn-requestid: recorded-request\r\n")
}

fn identity(account: &str) -> Answer {
    Answer::Body(
        200,
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{account}:user/gate</Arn><UserId>AIDAEXAMPLE</UserId><Account>{account}</Account>\
             </GetCallerIdentityResult><ResponseMetadata><RequestId>recorded</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        ),
    )
}
