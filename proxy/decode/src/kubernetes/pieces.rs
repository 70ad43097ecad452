//! A JSON answer in pieces, as it arrives: one object, the items of a list, the events of a watch.
//!
//! No list is held whole, and no piece is longer than a bound. Leaves out what stands in a piece (`withheld.rs`).

use ordain_action::Undecodable;

/// The longest piece: an object has 1.5 MiB at most, and its bytes are a third longer in JSON.
const PIECE_MAX: usize = 8 << 20;

/// The members of a list, or of a table, in which its objects stand.
const LISTS: [&[u8]; 2] = [b"\"items\"", b"\"rows\""];

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// A whole value: an object, an event, an item of a list.
    Value,
    /// What stands before the items of a list, up to its bracket.
    Before,
    /// What stands behind the items of a list, from its bracket on.
    Behind,
    /// What stands between values and says nothing.
    Between,
}

/// Where in the text the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the outermost value, or before it.
    Outermost,
    /// Among the items of a list.
    Items,
    /// Behind the items of a list.
    Behind,
    /// Behind all there is.
    End,
}

/// Cuts a text as it arrives.
#[derive(Debug)]
pub(super) struct Pieces {
    at: At,
    /// One value follows another.
    many: bool,
    open: usize,
    quoted: bool,
    escaped: bool,
    piece: Vec<u8>,
}

impl Pieces {
    /// A text of one value, or of many.
    pub(super) const fn new(many: bool) -> Self {
        Self { at: At::Outermost, many, open: 0, quoted: false, escaped: false, piece: Vec::new() }
    }

    /// Takes what has arrived; each piece that is whole then is given away.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        mut give: impl FnMut(Piece, &[u8]) -> Result<(), Undecodable>,
    ) -> Result<(), Undecodable> {
        for byte in bytes {
            if let Some(piece) = self.byte(*byte)? {
                give(piece, &self.piece)?;
                self.piece.clear();
            }
        }
        Ok(())
    }

    /// Everything has arrived.
    pub(super) fn end(&self) -> Result<(), Undecodable> {
        let done = match self.at {
            At::Outermost => self.piece.is_empty() && self.open == 0,
            At::Items | At::Behind => false,
            At::End => true,
        };
        if done { Ok(()) } else { Err(bad("it is cut short")) }
    }

    /// What the piece is that ends with a byte, if one does.
    fn byte(&mut self, byte: u8) -> Result<Option<Piece>, Undecodable> {
        if self.piece.len() >= PIECE_MAX {
            return Err(bad("an object in it is longer than any"));
        }
        if self.quoted {
            self.piece.push(byte);
            self.quoted = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            return Ok(None);
        }
        // Nothing is open but what holds the values.
        let outside = self.piece.is_empty() && self.open == self.floor();
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {
                self.piece.push(byte);
                return Ok(outside.then_some(Piece::Between));
            }
            b',' if outside && self.at == At::Items => {
                self.piece.push(byte);
                return Ok(Some(Piece::Between));
            }
            b']' if outside && self.at == At::Items => {
                self.at = At::Behind;
                self.open -= 1;
                self.piece.push(byte);
                return Ok(None);
            }
            b'{' => {}
            _ if outside => return Err(bad("something in it is no object")),
            _ => {}
        }
        if self.at == At::End {
            return Err(bad("something follows it"));
        }
        Ok(self.inside(byte))
    }

    fn inside(&mut self, byte: u8) -> Option<Piece> {
        let begins = byte == b'[' && self.at == At::Outermost && self.open == 1 && !self.many && self.lists();
        self.piece.push(byte);
        match byte {
            b'"' => self.quoted = true,
            b'{' | b'[' => self.open += 1,
            b'}' | b']' => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        if begins {
            self.at = At::Items;
            return Some(Piece::Before);
        }
        let closed = matches!(byte, b'}' | b']') && self.open == self.floor();
        if !closed {
            return None;
        }
        match self.at {
            At::Behind => {
                self.at = At::End;
                return Some(Piece::Behind);
            }
            At::Outermost if !self.many => self.at = At::End,
            At::Outermost | At::Items | At::End => {}
        }
        Some(Piece::Value)
    }

    /// How many are open around a value.
    const fn floor(&self) -> usize {
        match self.at {
            At::Items => 2,
            At::Outermost | At::Behind | At::End => 0,
        }
    }

    /// The member that begins is the list of a list.
    fn lists(&self) -> bool {
        let before = self.piece.trim_ascii_end();
        let name = before.strip_suffix(b":").map(<[u8]>::trim_ascii_end);
        name.is_some_and(|name| LISTS.iter().any(|list| name.ends_with(list)))
    }
}

/// An answer that is not what it should be.
pub(super) fn bad(what: &str) -> Undecodable {
    Undecodable::new(
        "credentials_not_found",
        format!(
            "the answer may hold a credential of the cluster and cannot be read exactly: {what}; tell the operator"
        ),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(many: bool, text: &str, size: usize) -> Result<Vec<(Piece, String)>, String> {
        let mut pieces = Pieces::new(many);
        let mut found = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            let give = |piece, bytes: &[u8]| {
                found.push((piece, String::from_utf8(bytes.to_vec()).unwrap()));
                Ok(())
            };
            pieces.take(chunk, give).map_err(|why| why.text)?;
        }
        pieces.end().map_err(|why| why.text)?;
        Ok(found)
    }

    #[test]
    fn a_list_is_cut_into_its_items_however_it_arrives() {
        let text = r#"{"kind":"L","metadata":{"a":["]"]}, "items": [{"a":"\"}]"},
 {"b":[{}]}],"x":[1] }
"#;
        for size in 1..text.len() {
            let found = cut(false, text, size).unwrap();
            let values: Vec<_> =
                found.iter().filter(|one| one.0 == Piece::Value).map(|one| &*one.1).collect();
            assert_eq!(values, [r#"{"a":"\"}]"}"#, r#"{"b":[{}]}"#]);
            assert_eq!(
                found[0],
                (Piece::Before, r#"{"kind":"L","metadata":{"a":["]"]}, "items": ["#.to_owned())
            );
            assert!(found.contains(&(Piece::Behind, r#"],"x":[1] }"#.to_owned())));
            let whole: String = found.iter().map(|one| &*one.1).collect();
            assert_eq!(whole, text);
        }
    }

    #[test]
    fn an_event_is_given_with_its_last_byte_and_the_end_of_its_line_at_once() {
        let mut pieces = Pieces::new(true);
        let mut given = String::new();
        for (sent, whole) in [
            ("{\"a\":{", ""),
            ("}}", "{\"a\":{}}"),
            ("\n", "\n"),
            ("{}\n{\"items\":[{}]}", "{}|\n|{\"items\":[{}]}"),
        ] {
            given.clear();
            let give = |_, bytes: &[u8]| {
                given.push_str(if given.is_empty() { "" } else { "|" });
                given.push_str(std::str::from_utf8(bytes).unwrap());
                Ok(())
            };
            pieces.take(sent.as_bytes(), give).unwrap();
            assert_eq!(given, whole);
        }
        pieces.end().unwrap();
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for (many, text) in [
            (false, "{}{}"),
            (false, "[{}]"),
            (false, "{\"items\":[1]}"),
            (false, "{\"items\":[{}"),
            (false, "{\"items\":[{}]"),
            (false, "{\"items\":[{}]}{}"),
            (false, "k8s\0"),
            (false, "{"),
            (true, "{}\n{"),
            (true, "{}\n\"a\""),
        ] {
            cut(many, text, 1).unwrap_err();
        }
        for (many, text) in [
            (false, ""),
            (true, ""),
            (false, " {} \n"),
            (false, "{\"items\":[]}"),
            (false, "{\"items\":null}"),
        ] {
            cut(many, text, 1).unwrap();
        }
        let long = format!("{{\"a\":\"{}\"}}", "b".repeat(PIECE_MAX));
        assert!(cut(true, &long, 1 << 16).unwrap_err().contains("longer than any"));
    }

    proptest! {
        #[test]
        fn what_is_taken_is_given_whole(text in "[\\{\\}\\[\\]\",: \\\\ab]{0,40}", many: bool, size in 1..9_usize) {
            if let Ok(found) = cut(many, &text, size) {
                let whole: String = found.iter().map(|one| &*one.1).collect();
                prop_assert_eq!(whole, text);
            }
        }
    }
}
