//! Protobuf as it stands on the wire: fields of messages, their numbers as short as they can be.
//!
//! Leaves out what a field is called, and groups, which nobody writes any more.

use ordain_action::Undecodable;

/// The greatest number a field may have.
const NUMBER_MAX: u64 = (1 << 29) - 1;

/// The value of one field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'b> {
    /// A number of any length.
    Number(u64),
    /// Eight bytes.
    Eight([u8; 8]),
    /// Four bytes.
    Four([u8; 4]),
    /// A text, bytes or a message.
    Bytes(&'b [u8]),
}

/// The text of a field that is there once, or not at all.
pub(crate) fn only_text(message: &[u8], number: u64) -> Result<Option<&str>, Undecodable> {
    let mut found = None;
    for field in Wire(message) {
        let (at, value) = field?;
        if at != number {
            continue;
        }
        let Value::Bytes(bytes) = value else { return Err(bad("a text is no text")) };
        let text = std::str::from_utf8(bytes).map_err(|_| bad("a text is not UTF-8"))?;
        if found.replace(text).is_some() {
            return Err(bad("a field is given twice"));
        }
    }
    Ok(found)
}

/// The fields of a message, in order.
pub(crate) struct Wire<'b>(pub(crate) &'b [u8]);

impl<'b> Wire<'b> {
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'b [u8], Undecodable> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(cut)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A number in as few bytes as it has: readers cut off what is more than they have room for.
    pub(crate) fn number(&mut self) -> Result<u64, Undecodable> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes(1)?.first().ok_or_else(cut)?;
            let part = u64::from(byte & 0x7f);
            if (shift == 63 && byte > 1) || (shift > 0 && byte == 0) {
                break;
            }
            number |= part << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(bad("a number is longer than it has to be"))
    }

    fn field(&mut self) -> Result<(u64, Value<'b>), Undecodable> {
        let key = self.number()?;
        let number = key >> 3;
        if number == 0 || number > NUMBER_MAX {
            return Err(bad("a field has a number that no field has"));
        }
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => Value::Eight(self.bytes(8)?.try_into().map_err(|_| cut())?),
            2 => {
                let length = usize::try_from(self.number()?).map_err(|_| cut())?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => Value::Four(self.bytes(4)?.try_into().map_err(|_| cut())?),
            _ => return Err(bad("a field has a kind that no field has")),
        };
        Ok((number, value))
    }
}

impl<'b> Iterator for Wire<'b> {
    type Item = Result<(u64, Value<'b>), Undecodable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

fn cut() -> Undecodable {
    bad("it is cut short")
}

pub(crate) fn bad(what: &str) -> Undecodable {
    let text =
        format!("the protobuf body cannot be read exactly: {what}; write it as the API's own clients do");
    Undecodable::new("bad_protobuf", text)
}
