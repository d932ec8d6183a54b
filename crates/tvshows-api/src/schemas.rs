//! OpenAPI schemas of the domain types in requests and responses.
//!
//! The types derive a JSON Schema from their serialized form and do not depend on OpenAPI. Their doc comments are the
//! descriptions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde::Deserialize;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

pub(crate) type CastRow = JsonOf<tvshows_core::CastRow>;
pub(crate) type FetchMode = JsonOf<tvshows_core::FetchMode>;
pub(crate) type Dialect = JsonOf<tvshows_export::Dialect>;
pub(crate) type Format = JsonOf<tvshows_export::Format>;
pub(crate) type MultiCharacterActor = JsonOf<tvshows_core::MultiCharacterActor>;
pub(crate) type RunStatus = JsonOf<tvshows_core::RunStatus>;
pub(crate) type ShowStats = JsonOf<tvshows_core::ShowStats>;
pub(crate) type SortOrder = JsonOf<tvshows_core::Sort>;
pub(crate) type Table = JsonOf<tvshows_core::Table>;
pub(crate) type TopShow = JsonOf<tvshows_core::TopShow>;

/// Stands for the serialized form of `T` in the OpenAPI document.
pub(crate) struct JsonOf<T>(PhantomData<T>);

impl<T: JsonSchema> PartialSchema for JsonOf<T> {
    fn schema() -> RefOr<Schema> {
        root_schema::<T>().schema
    }
}

impl<T: JsonSchema> ToSchema for JsonOf<T> {
    fn name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend(root_schema::<T>().components.schemas);
    }
}

/// A schema with the schemas that it refers to.
#[derive(Deserialize)]
struct RootSchema {
    #[serde(default)]
    components: Components,
    #[serde(flatten)]
    schema: RefOr<Schema>,
}

#[derive(Default, Deserialize)]
struct Components {
    schemas: BTreeMap<String, RefOr<Schema>>,
}

fn root_schema<T: JsonSchema>() -> RootSchema {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let generator = settings.with_transform(RecursiveTransform(list_words)).into_generator();
    let mut schema = generator.into_root_schema_for::<T>();
    // The name of the type, which is the key of the component too.
    schema.remove("title");
    serde_json::from_value(schema.into()).expect("an OpenAPI schema is a JSON schema")
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
