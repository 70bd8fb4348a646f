//! Server-sent events, as far as a stream of `data` lines needs them, in bounded memory.
//!
//! Source: the HTML standard, section 9.2.6. Ready-made parsers keep an unfinished line of any length; a vendor that
//! never ends its line must not be able to fill our memory.

use super::MAX_LINE_BYTES;

/// A line longer than [`MAX_LINE_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::openai) struct LineTooLong;

/// Cuts bytes into the values of `data` lines. Every event of this protocol is a single such line, so an event is
/// complete with its line and need not wait for the empty one behind it.
#[derive(Debug, Default)]
pub(in crate::openai) struct DataLines {
    unfinished: Vec<u8>,
}

impl DataLines {
    /// Calls `take` with each value that `bytes` completes, until it says that it wants no more.
    pub(in crate::openai) fn push<E: From<LineTooLong>>(
        &mut self,
        bytes: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = bytes;
        // A carriage return ends a line too; one directly before a newline then ends an empty line, which means nothing.
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (head, tail) = rest.split_at(end);
            rest = &tail[1..];
            if self.unfinished.len() + head.len() > MAX_LINE_BYTES {
                return Err(LineTooLong.into());
            }
            if self.unfinished.is_empty() {
                data_value(head).map_or(Ok(()), &mut take)?;
            } else {
                self.unfinished.extend_from_slice(head);
                let line = std::mem::take(&mut self.unfinished);
                data_value(&line).map_or(Ok(()), &mut take)?;
            }
        }
        if self.unfinished.len() + rest.len() > MAX_LINE_BYTES {
            return Err(LineTooLong.into());
        }
        self.unfinished.extend_from_slice(rest);
        Ok(())
    }
}

/// The value of a `data` line; comments and other fields have none.
fn data_value(line: &[u8]) -> Option<&[u8]> {
    let value = line.strip_prefix(b"data:")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct TooLong;
    impl From<LineTooLong> for TooLong {
        fn from(_: LineTooLong) -> Self {
            Self
        }
    }

    fn values(chunks: &[&[u8]]) -> Result<Vec<String>, TooLong> {
        let mut lines = DataLines::default();
        let mut values = Vec::new();
        for chunk in chunks {
            lines.push(chunk, |value| {
                values.push(String::from_utf8_lossy(value).into_owned());
                Ok::<(), TooLong>(())
            })?;
        }
        Ok(values)
    }

    #[test]
    fn data_lines_are_found_whatever_the_line_ends_and_however_the_bytes_are_cut() {
        let stream = b": hello\r\nevent: x\r\ndata: one\r\n\r\ndata:two\n\ndata: three\r\rdatum: no\ndata\n";
        let whole = values(&[stream]).unwrap();
        assert_eq!(whole, ["one", "two", "three"]);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(values(&bytes).unwrap(), whole);
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_is_kept() {
        let piece = vec![b'a'; MAX_LINE_BYTES / 2];
        assert_eq!(values(&[&piece, &piece]), Ok(vec![]));
        assert_eq!(values(&[&piece, &piece, b"a"]), Err(TooLong));
        assert_eq!(values(&[&piece, &piece, b"a\n"]), Err(TooLong));
    }
}
