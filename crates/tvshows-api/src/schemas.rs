//! OpenAPI schemas of the domain types in requests and responses.
//!
//! The types derive a JSON Schema from their serialized form and do not depend on OpenAPI. Their doc comments are the
//! descriptions.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

pub(crate) type CastRow = JsonOf<tvshows_core::CastRow>;
pub(crate) type FacetCount = JsonOf<tvshows_core::FacetCount<String>>;
pub(crate) type FetchMode = JsonOf<tvshows_core::FetchMode>;
pub(crate) type Dialect = JsonOf<tvshows_export::Dialect>;
pub(crate) type Format = JsonOf<tvshows_export::Format>;
pub(crate) type MultiCharacterActor = JsonOf<tvshows_core::MultiCharacterActor>;
pub(crate) type RunStatus = JsonOf<tvshows_core::RunStatus>;
pub(crate) type ShowStats = JsonOf<tvshows_core::ShowStats>;
pub(crate) type Table = JsonOf<tvshows_core::Table>;
pub(crate) type TopShow = JsonOf<tvshows_core::TopShow>;
pub(crate) type UnmatchedFilter = JsonOf<tvshows_core::UnmatchedFilter>;

/// Stands for the serialized form of `T` in the OpenAPI document.
pub(crate) struct JsonOf<T>(PhantomData<T>);

impl<T: JsonSchema> PartialSchema for JsonOf<T> {
    fn schema() -> RefOr<Schema> {
        let mut schema = T::json_schema(&mut generator());
        list_words(&mut schema);
        convert(schema.into())
    }
}

impl<T: JsonSchema> ToSchema for JsonOf<T> {
    fn name() -> Cow<'static, str> {
        T::schema_name()
    }

    /// Adds the schemas that the schema of `T` refers to.
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let mut generator = generator();
        T::json_schema(&mut generator);
        let referenced = generator.take_definitions(true).into_iter();
        schemas.extend(referenced.map(|(name, schema)| (name, convert(schema))));
    }
}

fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
    });
    settings.with_transform(list_words).into_generator()
}

fn convert(schema: Value) -> RefOr<Schema> {
    serde_json::from_value(schema).expect("OpenAPI has every keyword that the domain types use")
}

/// Replaces alternatives of one word each with a list of words, which utoipa can represent.
fn list_words(schema: &mut schemars::Schema) {
    let Some(Value::Array(alternatives)) = schema.remove("oneOf") else { return };
    let words = alternatives.iter().flat_map(|alternative| {
        let list = alternative.get("enum").and_then(Value::as_array);
        alternative.get("const").into_iter().chain(list.into_iter().flatten())
    });
    let words: Vec<Value> = words.cloned().collect();
    schema.insert("type".into(), "string".into());
    schema.insert("enum".into(), words.into());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn words_are_listed_in_a_schema_and_in_those_it_refers_to() {
        let mut schemas = Vec::new();
        RunStatus::schemas(&mut schemas);
        schemas.push(("Mode".into(), FetchMode::schema()));
        let schemas: BTreeMap<_, _> = schemas.into_iter().collect();
        let words = |name: &str| serde_json::to_value(&schemas[name]).unwrap()["enum"].clone();
        assert_eq!(words("FetchMode"), json!(["auto", "full"]));
        assert_eq!(words("Mode"), words("FetchMode"));
        assert_eq!(words("Step").as_array().unwrap().len(), 7);
    }
}
