//! Opaque cursors: where the next page begins. The text form is nobody's business but ours.

use crate::problem::ApiError;
use seiketsu_domain::ids::TypedId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Items on a page unless the query says otherwise.
const DEFAULT_LIMIT: u32 = 50;
/// Items on a page at most.
const MAX_LIMIT: u32 = 200;
const BASE64: base64_simd::Base64 = base64_simd::URL_SAFE_NO_PAD;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, newest first unless the endpoint says otherwise.
    pub items: Vec<T>,
    /// Asks for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The page out of one item more than fits on it: that one only says that there is more.
    pub(crate) fn cut<I: TypedId>(mut items: Vec<T>, limit: u32, id: impl Fn(&T) -> I) -> Self {
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| more).map(|last| encode(id(last)));
        Self { items, next_cursor }
    }
}

/// The id after which the next page begins, as text. The noun is part of it, so that one list's cursor is none of
/// another's.
fn encode<I: TypedId>(after: I) -> String {
    let mut bytes = Vec::with_capacity(16 + I::PREFIX.len());
    bytes.extend_from_slice(after.uuid().as_bytes());
    bytes.extend_from_slice(I::PREFIX.as_bytes());
    BASE64.encode_to_string(bytes)
}

/// Reads a cursor of the list of that noun.
pub(crate) fn decode<I: TypedId>(cursor: Option<&str>) -> Result<Option<I>, ApiError> {
    let Some(text) = cursor else { return Ok(None) };
    if text.len() > 64 {
        return Err(ApiError::Cursor);
    }
    let bytes = BASE64.decode_to_vec(text).map_err(|_| ApiError::Cursor)?;
    let (uuid, noun) = bytes.split_first_chunk::<16>().ok_or(ApiError::Cursor)?;
    if noun != I::PREFIX.as_bytes() {
        return Err(ApiError::Cursor);
    }
    Ok(Some(I::from_uuid(Uuid::from_bytes(*uuid))))
}

/// Reads a page size.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, ApiError> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
        Some(_) => Err(ApiError::Query(format!("limit: expected 1 to {MAX_LIMIT}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_domain::{CallId, LeadId};

    fn id(number: u128) -> CallId {
        CallId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn a_page_ends_with_a_cursor_only_if_there_is_more() {
        let all: Vec<CallId> = (1..=4).map(id).collect();
        let page = Page::cut(all.clone(), 3, |id| *id);
        assert_eq!(page.items, all[..3]);
        let cursor = page.next_cursor.unwrap();
        assert_eq!(decode(Some(&cursor)).unwrap(), Some(id(3)));
        assert_eq!(Page::cut(all[..3].to_vec(), 3, |id| *id).next_cursor, None);
        assert_eq!(Page::cut(Vec::<CallId>::new(), 3, |id| *id).next_cursor, None);
    }

    #[test]
    fn a_cursor_of_another_list_or_of_nobody_is_refused() {
        let cursor = encode(id(3));
        assert!(matches!(decode::<LeadId>(Some(&cursor)), Err(ApiError::Cursor)));
        for bad in ["", "x", "!!", &cursor[1..], &"A".repeat(100_000)] {
            assert!(matches!(decode::<CallId>(Some(bad)), Err(ApiError::Cursor)), "{bad}");
        }
    }

    #[test]
    fn a_page_has_a_size_within_reason() {
        assert_eq!(limit(None).unwrap(), 50);
        assert_eq!(limit(Some(200)).unwrap(), 200);
        assert!(limit(Some(0)).is_err() && limit(Some(201)).is_err());
    }
}
