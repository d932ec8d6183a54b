//! Records what a field's value alone cannot reproduce.

use serde_json::{Map, Value};

/// How the keys of empty fields were present in the JSON: one bit per field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Presence {
    /// As null.
    null: u32,
    /// As `""` or, for a list, as a list.
    empty: u32,
}

impl Presence {
    pub(super) fn is_null(self, position: u32) -> bool {
        self.null & (1 << position) != 0
    }

    pub(super) fn is_empty(self, position: u32) -> bool {
        self.empty & (1 << position) != 0
    }
}

/// Records how the value of one key was written.
pub(super) struct FieldRecorder<'a> {
    pub(super) key: &'static str,
    bit: u32,
    presence: &'a mut Presence,
    extra: &'a mut Map<String, Value>,
}

impl<'a> FieldRecorder<'a> {
    /// Discards what was recorded for an earlier value of the same key.
    #[inline]
    pub(super) fn new(
        key: &'static str,
        position: u32,
        presence: &'a mut Presence,
        extra: &'a mut Map<String, Value>,
    ) -> FieldRecorder<'a> {
        let bit = 1 << position;
        presence.null &= !bit;
        presence.empty &= !bit;
        if !extra.is_empty() {
            extra.remove(key);
        }
        FieldRecorder { key, bit, presence, extra }
    }

    #[inline]
    pub(super) fn mark_null(&mut self) {
        self.presence.null |= self.bit;
    }

    #[inline]
    pub(super) fn mark_empty(&mut self) {
        self.presence.empty |= self.bit;
    }

    /// Keeps a value that the field cannot reproduce exactly.
    pub(super) fn keep_raw(&mut self, value: impl Into<Value>) {
        self.extra.insert(self.key.to_owned(), value.into());
    }
}
