//! Signed requests over plain sockets, and raw ones.
//!
//! Leaves out everything an SDK does beyond: retries, parsing, regions. Real SDKs are tried in `planes/aws`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use ordain_sigv4::{KeyCache, KeyPair, Outgoing, Payload, Secret, sign};

/// A key pair as it was issued.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The whole body came.
    pub(crate) complete: bool,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn reason(&self) -> &str {
        self.header("ordain-reason-code").unwrap_or("")
    }
}

/// A request before it is signed.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) service: &'static str,
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    /// A call of EC2's query protocol: `RunInstances&ImageId=ami-1`.
    pub(crate) fn ec2(call: &str) -> Self {
        Self::form("ec2", &format!("Action={call}&Version=2016-11-15"))
    }

    pub(crate) fn form(service: &'static str, body: &str) -> Self {
        Self {
            service,
            method: "POST",
            target: "/".to_owned(),
            headers: vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned())],
            body: body.as_bytes().to_vec(),
        }
    }

    pub(crate) fn s3(method: &'static str, target: &str, body: &[u8]) -> Self {
        Self { service: "s3", method, target: target.to_owned(), headers: Vec::new(), body: body.to_vec() }
    }
}

/// One actor's way to the gate.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) gate: SocketAddr,
    pub(crate) key: Key,
    pub(crate) region: &'static str,
}

impl Client {
    pub(crate) fn new(gate: SocketAddr, key: &Key) -> Self {
        Self { gate, key: key.clone(), region: "us-east-1" }
    }

    /// The bytes of a signed request: its head, and its body.
    pub(crate) fn bytes(&self, sent: &Sent) -> (Vec<u8>, Vec<u8>) {
        self.bytes_for(sent, sent.body.len() as u64, None)
    }

    /// The same for a body that is not in memory: its length is declared, its hash given or not signed at all.
    pub(crate) fn bytes_for(&self, sent: &Sent, length: u64, payload: Option<&str>) -> (Vec<u8>, Vec<u8>) {
        let mut headers = HeaderMap::new();
        for (name, value) in &sent.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let host = self.gate.to_string();
        let hash = payload.map_or_else(|| sha256(&sent.body), str::to_owned);
        let outgoing = Outgoing {
            method: sent.method,
            target: &sent.target,
            host: &host,
            region: self.region,
            service: sent.service,
            now: now(),
            payload: Payload::parse(&hash).expect("a payload declaration"),
            declare: false,
        };
        let pair = KeyPair {
            id: self.key.id.clone(),
            secret: Secret::new(self.key.secret.clone()),
            session_token: None,
        };
        let signed =
            sign(&KeyCache::default(), &pair, &outgoing, &mut headers).expect("the request can be signed");
        drop(signed);
        let mut head = format!("{} {} HTTP/1.1\r\n", sent.method, sent.target);
        for (name, value) in &headers {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        head.push_str(&format!("content-length: {length}\r\nuser-agent: ordain-test\r\n\r\n"));
        (head.into_bytes(), sent.body.clone())
    }

    pub(crate) fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(self.gate)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        Ok(stream)
    }

    /// Sends a request on a connection of its own.
    pub(crate) fn send(&self, sent: &Sent) -> Reply {
        self.try_send(sent).expect("the gate answers")
    }

    pub(crate) fn try_send(&self, sent: &Sent) -> std::io::Result<Reply> {
        let mut stream = self.connect()?;
        self.send_on(&mut stream, sent)
    }

    /// Sends a request on a connection that is kept.
    pub(crate) fn send_on(&self, stream: &mut TcpStream, sent: &Sent) -> std::io::Result<Reply> {
        let (mut bytes, body) = self.bytes(sent);
        bytes.extend_from_slice(&body);
        stream.write_all(&bytes)?;
        read_reply(stream, sent.method == "HEAD")
    }
}

/// Reads one answer.
pub(crate) fn read_reply(stream: &mut impl Read, is_head: bool) -> std::io::Result<Reply> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        if status == 100 {
            continue;
        }
        let mut reply = Reply { status, headers, body: Vec::new(), complete: true };
        if !is_head && status != 204 && status != 304 {
            read_body(&mut reader, &mut reply);
        }
        return Ok(reply);
    }
}

fn read_body(reader: &mut impl BufRead, reply: &mut Reply) {
    let declared: Option<u64> = reply.header("content-length").and_then(|value| value.parse().ok());
    let chunked = reply.header("transfer-encoding").is_some();
    let result = match declared {
        Some(length) => {
            let read = reader.take(length).read_to_end(&mut reply.body);
            read.map(|count| count as u64 == length)
        }
        None if chunked => read_chunks(reader, &mut reply.body),
        None => reader.read_to_end(&mut reply.body).map(|_| true),
    };
    reply.complete = result.unwrap_or(false);
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> std::io::Result<bool> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Ok(size) = u64::from_str_radix(line.trim(), 16) else { return Ok(false) };
        let read = reader.take(size).read_to_end(body)?;
        let mut end = String::new();
        reader.read_line(&mut end)?;
        if size == 0 || read as u64 != size {
            return Ok(read as u64 == size);
        }
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(bytes))
}

#[expect(clippy::disallowed_methods, reason = "a signature is made for the present time")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
