//! What the caller wants, as arguments of a search, and what to search for when nothing is found.

use super::{
    heard::{Kind, Offer},
    listing::{Listing, kind_word},
};
use serde_json::{Map, Value};

/// The home that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    pub(super) offer: Option<Offer>,
    pub(super) kind: Option<Kind>,
    pub(super) bedrooms: Option<u64>,
    pub(super) min_price: Option<u64>,
    pub(super) max_price: Option<u64>,
    pub(super) area: Option<String>,
    /// A street the caller named, to be looked for among what a search returns.
    pub(super) street: Option<String>,
}

/// What was given up in order to find anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relaxed {
    Price,
    Rooms,
    Area,
}

impl Wanted {
    /// As `search_listings` wants it.
    pub(super) fn arguments(&self) -> Value {
        let mut map = Map::new();
        if let Some(area) = &self.area {
            map.insert("area".to_owned(), area.as_str().into());
        }
        if let Some(price) = self.min_price {
            map.insert("min_price".to_owned(), price.into());
        }
        if let Some(price) = self.max_price {
            map.insert("max_price".to_owned(), price.into());
        }
        if let Some(bedrooms) = self.bedrooms {
            map.insert("bedrooms".to_owned(), bedrooms.into());
        }
        if let Some(kind) = self.kind {
            map.insert("property_type".to_owned(), kind_word(kind).into());
        }
        if let Some(offer) = self.offer {
            map.insert("offer".to_owned(), offer_word(offer).into());
        }
        Value::Object(map)
    }

    /// Nothing is known but perhaps whether to buy or to rent.
    pub(super) fn is_vague(&self) -> bool {
        Self { offer: None, ..self.clone() } == Self::default()
    }

    /// Enough to search by: an area, a street, or two other facts.
    pub(super) fn is_enough(&self) -> bool {
        let others = [
            self.kind.is_some(),
            self.bedrooms.is_some(),
            self.max_price.is_some() || self.min_price.is_some(),
        ];
        self.area.is_some() || self.street.is_some() || others.iter().filter(|known| **known).count() >= 2
    }

    /// Whether a home is what is wanted.
    pub(super) fn fits(&self, home: &Listing) -> bool {
        self.offer.is_none_or(|offer| home.offer == offer)
            && self.kind.is_none_or(|kind| home.kind == Some(kind))
            && self.bedrooms.is_none_or(|bedrooms| home.bedrooms >= bedrooms)
            && self.min_price.is_none_or(|price| home.price >= price)
            && self.max_price.is_none_or(|price| home.price <= price)
            && self.area.as_ref().is_none_or(|area| home.area.eq_ignore_ascii_case(area))
    }

    /// What to search for when this finds nothing, the smallest concession first.
    pub(super) fn relaxed(&self) -> Vec<(Relaxed, Self)> {
        let mut all = Vec::new();
        if let Some(price) = self.max_price {
            let higher = Some(price.saturating_add(price / 4));
            all.push((Relaxed::Price, Self { max_price: higher, min_price: None, ..self.clone() }));
        }
        let fewer = self.bedrooms.filter(|bedrooms| *bedrooms > 1).map(|bedrooms| bedrooms - 1);
        if fewer != self.bedrooms || self.kind.is_some() {
            let bedrooms = if self.bedrooms == Some(1) { self.bedrooms } else { fewer };
            all.push((Relaxed::Rooms, Self { bedrooms, kind: None, ..self.clone() }));
        }
        if self.area.is_some() {
            all.push((Relaxed::Area, Self { area: None, ..self.clone() }));
        }
        all.retain(|(_, wanted)| wanted != self);
        all
    }
}

/// As tools spell it.
pub(super) fn offer_word(offer: Offer) -> &'static str {
    match offer {
        Offer::Sale => "sale",
        Offer::Rent => "rent",
    }
}
