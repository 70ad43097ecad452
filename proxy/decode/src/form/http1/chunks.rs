//! The chunked coding, read as strictly as it is written: no extension, no sign, no second spelling.
//!
//! It follows a body that streams past without keeping it; only trailers are kept until they are known to
//! be well formed. Leaves out AWS's own chunk signing, which is a coding inside the body.

use super::fields::is_known_trailer;
use super::{Refusal, is_token, is_value};

/// The longest trailer section.
const TRAILERS_MAX: usize = 8 * 1024;

/// Enough for any length, and few enough not to overflow.
const DIGITS_MAX: u8 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size { value: u64, digits: u8 },
    SizeEnd { value: u64 },
    Data { left: u64 },
    DataCarriageReturn,
    DataLineFeed,
    Trailers,
    Done,
}

/// How far a chunked body has been read.
#[derive(Debug, Clone)]
pub struct Chunks {
    state: State,
    line: Vec<u8>,
    trailers: usize,
}

/// What was read of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// How many of the bytes belong to the body and are well formed.
    pub taken: usize,
    /// The body ended with the last byte taken.
    pub done: bool,
    /// The byte after those taken breaks a rule.
    pub refused: Option<Refusal>,
}

impl Default for Chunks {
    fn default() -> Self {
        Self::new()
    }
}

impl Chunks {
    /// Before the first chunk size.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Size { value: 0, digits: 0 }, line: Vec::new(), trailers: 0 }
    }

    /// Reads the next bytes of the body.
    pub fn advance(&mut self, bytes: &[u8]) -> Advance {
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            if self.state == State::Done {
                break;
            }
            match self.step(rest) {
                Ok(count) => taken += count,
                Err(refusal) => return Advance { taken, done: false, refused: Some(refusal) },
            }
        }
        Advance { taken, done: self.state == State::Done, refused: None }
    }

    fn step(&mut self, rest: &[u8]) -> Result<usize, Refusal> {
        let byte = rest.first().copied().unwrap_or_default();
        self.state = match self.state {
            State::Data { left } => return Ok(self.data(left, rest.len())),
            State::Done => return Ok(0),
            State::Trailers => self.trailer_byte(byte)?,
            State::Size { value, digits } => size(value, digits, byte)?,
            State::SizeEnd { value: 0 } if byte == b'\n' => State::Trailers,
            State::SizeEnd { value } if byte == b'\n' => State::Data { left: value },
            State::SizeEnd { .. } => return Err(Refusal::BareCarriageReturn),
            State::DataCarriageReturn if byte == b'\r' => State::DataLineFeed,
            State::DataLineFeed if byte == b'\n' => State::Size { value: 0, digits: 0 },
            State::DataCarriageReturn | State::DataLineFeed => return Err(Refusal::ChunkEnd),
        };
        Ok(1)
    }

    /// Takes what there is of a chunk's bytes, without a look at them.
    fn data(&mut self, left: u64, there: usize) -> usize {
        let here = u64::try_from(there).unwrap_or(u64::MAX).min(left);
        self.state = match left - here {
            0 => State::DataCarriageReturn,
            left => State::Data { left },
        };
        usize::try_from(here).unwrap_or(there)
    }

    fn trailer_byte(&mut self, byte: u8) -> Result<State, Refusal> {
        self.trailers += 1;
        if self.trailers > TRAILERS_MAX {
            return Err(Refusal::Trailers);
        }
        if byte != b'\n' {
            if self.line.last() == Some(&b'\r') {
                return Err(Refusal::BareCarriageReturn);
            }
            self.line.push(byte);
            return Ok(State::Trailers);
        }
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").ok_or(Refusal::BareLineFeed)?;
        if line.is_empty() {
            return Ok(State::Done);
        }
        check_trailer(line)?;
        Ok(State::Trailers)
    }
}

fn size(value: u64, digits: u8, byte: u8) -> Result<State, Refusal> {
    match char::from(byte).to_digit(16) {
        Some(digit) if digits < DIGITS_MAX => {
            let value = value.checked_mul(16).and_then(|shifted| shifted.checked_add(u64::from(digit)));
            let value = value.filter(|value| i64::try_from(*value).is_ok()).ok_or(Refusal::ChunkSize)?;
            Ok(State::Size { value, digits: digits + 1 })
        }
        None if digits > 0 && byte == b'\r' => Ok(State::SizeEnd { value }),
        None if digits > 0 && byte == b'\n' => Err(Refusal::BareLineFeed),
        None if digits > 0 && byte == b';' => Err(Refusal::ChunkExtension),
        Some(_) | None => Err(Refusal::ChunkSize),
    }
}

fn check_trailer(line: &[u8]) -> Result<(), Refusal> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Refusal::Trailers)?;
    let (name, value) = line.split_at_checked(colon).ok_or(Refusal::Trailers)?;
    if !is_token(name) || !is_value(value) {
        return Err(Refusal::Trailers);
    }
    if is_known_trailer(name) { Ok(()) } else { Err(Refusal::Trailer(Refusal::name(name))) }
}
