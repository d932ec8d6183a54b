//! OpenAPI schemas of the domain types in requests and responses.
//!
//! The types themselves do not depend on OpenAPI. A test compares the schemas with what is serialized.

use serde_json::{Value, json};
use tvshows_core::{self as domain, Sort};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, Object, ObjectBuilder, Ref, RefBuilder, Schema, SchemaFormat,
    SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// Declares types that stand for schemas, each with the types that its schema refers to.
macro_rules! schemas {
    ($($name:ident($($part:ident),*) => $schema:expr,)+) => {$(
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::Object($schema))
            }
        }

        impl ToSchema for $name {
            fn schemas(_schemas: &mut Vec<(String, RefOr<Schema>)>) {
                $(
                    _schemas.push(($part::name().into(), $part::schema()));
                    $part::schemas(_schemas);
                )*
            }
        }
    )+};
}

schemas! {
    RunStatus(RunState, Step, FetchMode) => run_status(),
    RunState() => words(domain::RunState::ALL),
    Step() => words(domain::Step::ALL),
    FetchMode() => words(domain::FetchMode::ALL),
    TopShow() => top_show(),
    MultiCharacterActor() => multi_character_actor(),
    CastRow() => cast_row(),
    ShowStats(RowCounts, TextCount, NumberCount) => show_stats(),
    RowCounts() => row_counts(),
    TextCount() => facet_count::<String>(json!({"value": "Drama", "count": 24861})),
    NumberCount() => facet_count::<i64>(json!({"value": 2011, "count": 2310})),
    SortOrder() => words(&sort_orders()),
    Table() => words(&domain::Table::ALL),
    Format() => words(&tvshows_export::Format::ALL),
    Dialect() => words(&tvshows_export::Dialect::ALL),
    Uuid() => formatted_string(KnownFormat::Uuid),
    DateTime() => formatted_string(KnownFormat::DateTime),
    Percent() => percent(),
}

fn run_status() -> Object {
    Fields::new("The status of a run.")
        .required::<Uuid>("request_id", "The run's id.")
        .reference::<RunState>("state", "The run's state.")
        .required::<bool>("running", "Whether a process is working on the run.")
        .reference::<Step>("step", "The current step, or the last one if the run has ended.")
        .required::<Percent>(
            "progress",
            "Percentage of work done. Never falls; 100 once published.",
        )
        .nullable::<String>("error", "Why the run failed.")
        .required::<u32>("pages_done", "Index pages staged.")
        .nullable::<u32>("pages_total", "Index pages to fetch; `null` until known.")
        .required::<u32>("shows_seen", "Shows staged.")
        .required::<u32>("singles_done", "Shows refetched because their index page was outdated.")
        .nullable::<u32>("singles_total", "Shows to refetch; `null` until all pages are staged.")
        .required::<u32>("casts_done", "Casts staged.")
        .nullable::<u32>("casts_total", "Casts to fetch; `null` until the shows are ranked.")
        .optional::<u32>("added", "Shows that publishing added.")
        .optional::<u32>("changed", "Shows that publishing changed.")
        .optional::<u32>("deleted", "Shows that publishing deleted.")
        .optional::<u32>("unchanged", "Shows that publishing left unchanged.")
        .optional::<u32>("malformed_shows", "Shows fetched with a value of an unexpected type.")
        .required::<u64>("requests", "Requests sent to TVmaze, including retries.")
        .required::<u64>("retries", "Requests that repeated a failed one.")
        .required::<u64>("rate_limited", "Responses with status 429.")
        .nullable::<DateTime>("started_at", "When the run started.")
        .required::<DateTime>("updated_at", "When the status last changed.")
        .nullable::<DateTime>("finished_at", "When the run ended.")
        .nullable::<u64>("eta_seconds", "Estimated seconds left.")
        .required::<u32>("years", "The `years` parameter.")
        .required::<u32>("top", "The `top` parameter.")
        .reference::<FetchMode>("mode", "The `mode` parameter.")
        .required::<String>("instance", "The process that works on the run, or did last.")
        .optional::<u32>("attempt", "Number of attempts: more than 1 after an interruption.")
        .nullable::<u32>("position", "Number of runs ahead in the queue; `null` unless queued.")
        .required::<u64>("revision", "Rises with every change: the signature, ETag and event id.")
        .build()
}

fn top_show() -> Object {
    let example =
        json!({"id": 82, "name": "Game of Thrones", "rating": 8.9, "premiered": "2011-04-17"});
    Fields::new("A top show.")
        .required::<u32>("id", "The show's id at TVmaze.")
        .required::<String>("name", "The show's name.")
        .nullable::<f64>("rating", "The average rating: 0 to 10, at most one decimal place.")
        .nullable::<String>("premiered", "The premiere date, `YYYY-MM-DD`.")
        .build_with(example)
}

fn multi_character_actor() -> Object {
    Fields::new("A person who plays several characters.")
        .required::<String>("person_name", "The person's name.")
        .required::<u32>(
            "character_count",
            "Distinct characters that the person plays in the top shows.",
        )
        .build_with(json!({"person_name": "Tatiana Maslany", "character_count": 11}))
}

fn cast_row() -> Object {
    let example = json!({
        "show_id": 82, "show_name": "Game of Thrones", "person_id": 14072, "person_name": "Peter Dinklage",
        "person_birthday": "1969-06-11", "person_deathday": null, "person_gender": "Male",
        "person_country_name": "United States", "character_id": 24551, "character_name": "Tyrion Lannister",
        "image": null, "processed_at": "2026-11-22T20:00:15Z", "self": false, "voice": false, "position": 0,
    });
    Fields::new("A row of `Top_Shows_Cast`: a person in a character.")
        .required::<u32>("show_id", "The show's id at TVmaze.")
        .required::<String>("show_name", "The show's name.")
        .required::<u32>("person_id", "The person's id at TVmaze.")
        .required::<String>("person_name", "The person's name.")
        .nullable::<String>("person_birthday", "The person's date of birth, `YYYY-MM-DD`.")
        .nullable::<String>("person_deathday", "The person's date of death, `YYYY-MM-DD`.")
        .nullable::<String>("person_gender", "The person's gender.")
        .nullable::<String>("person_country_name", "The person's country.")
        .required::<u32>("character_id", "The character's id at TVmaze.")
        .required::<String>("character_name", "The character's name.")
        .nullable::<String>("image", "The URL of the character's original image.")
        .required::<DateTime>("processed_at", "When the cast was fetched.")
        .nullable::<bool>("self", "Whether the person appears as themselves; `null` if unknown.")
        .nullable::<bool>("voice", "Whether only the voice is heard; `null` if unknown.")
        .required::<u32>("position", "The row's place in TVmaze's order, from 0.")
        .build_with(example)
}

fn show_stats() -> Object {
    Fields::new(
        "Counts of the published shows.\n\nThe counts of a list add up to the number of shows, except for `genres` \
         (a show can have several) and `networks` (only the most frequent). Shows without a value are counted as \
         `null`.",
    )
    .required::<u64>("snapshot", "The version of the published snapshot; 0 before the first.")
    .nullable::<DateTime>("published_at", "When the snapshot was published.")
    .reference::<RowCounts>("tables", "The number of rows of each table.")
    .list::<NumberCount>("premiere_years", "By premiere year, in ascending order, `null` last.")
    .list::<NumberCount>("ratings", "By rating, rounded down, in ascending order, `null` last.")
    .list::<TextCount>("genres", "By genre, most shows first.")
    .list::<TextCount>("languages", "By language, most shows first.")
    .list::<TextCount>("networks", "By network, or by web channel if there is none, most shows first; at most 50.")
    .list::<TextCount>("statuses", "By status, most shows first.")
    .list::<TextCount>("types", "By type, most shows first.")
    .build()
}

fn row_counts() -> Object {
    Fields::new("The number of rows of each table.")
        .required::<u64>("all_shows", "Rows of `All_Shows`.")
        .required::<u64>("top_shows", "Rows of `Top_Shows`.")
        .required::<u64>("top_shows_cast", "Rows of `Top_Shows_Cast`.")
        .build_with(json!({"all_shows": 84670, "top_shows": 10, "top_shows_cast": 143}))
}

fn facet_count<T: PartialSchema>(example: Value) -> Object {
    Fields::new("The number of shows with a value.")
        .nullable::<T>("value", "The value; `null` for shows without one.")
        .required::<u64>("count", "The number of shows.")
        .build_with(example)
}

/// Every sort order; relevance has no reverse.
fn sort_orders() -> Vec<Sort> {
    let names = ["id", "name", "rating", "premiered", "updated", "weight", "relevance"];
    let orders = names.iter().flat_map(|name| [(*name).to_owned(), format!("-{name}")]);
    orders.filter_map(|order| order.parse().ok()).collect()
}

fn words<T: ToString>(words: &[T]) -> Object {
    let words = words.iter().map(T::to_string);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

fn formatted_string(format: KnownFormat) -> Object {
    let format = Some(SchemaFormat::KnownFormat(format));
    ObjectBuilder::new().schema_type(Type::String).format(format).build()
}

fn percent() -> Object {
    let mut schema = object::<u32>();
    schema.maximum = Some(100_u32.into());
    schema
}

fn object<T: PartialSchema>() -> Object {
    match T::schema() {
        RefOr::T(Schema::Object(schema)) => schema,
        _ => Object::new(),
    }
}

/// Builds the schema of an object, field by field.
struct Fields(ObjectBuilder);

impl Fields {
    fn new(description: &str) -> Fields {
        Fields(ObjectBuilder::new().schema_type(Type::Object).description(Some(description)))
    }

    fn required<T: PartialSchema>(self, name: &str, description: &str) -> Fields {
        let Fields(object) = self.optional::<T>(name, description);
        Fields(object.required(name))
    }

    fn optional<T: PartialSchema>(self, name: &str, description: &str) -> Fields {
        let mut schema = object::<T>();
        schema.description = Some(description.to_owned());
        Fields(self.0.property(name, schema))
    }

    fn nullable<T: PartialSchema>(self, name: &str, description: &str) -> Fields {
        let mut schema = object::<T>();
        if let SchemaType::Type(of_value) = schema.schema_type {
            schema.schema_type = SchemaType::from_iter([of_value, Type::Null]);
        }
        schema.description = Some(description.to_owned());
        Fields(self.0.property(name, schema))
    }

    fn reference<T: ToSchema>(self, name: &str, description: &str) -> Fields {
        let schema = RefBuilder::new().ref_location_from_schema_name(T::name());
        Fields(self.0.property(name, schema.description(Some(description))).required(name))
    }

    fn list<T: ToSchema>(self, name: &str, description: &str) -> Fields {
        let items = Ref::from_schema_name(T::name());
        let schema = ArrayBuilder::new().items(items).description(Some(description));
        Fields(self.0.property(name, schema).required(name))
    }

    fn build(self) -> Object {
        self.0.build()
    }

    fn build_with(self, example: Value) -> Object {
        self.0.examples([example]).build()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde::Serialize;
    use tvshows_core::{RunId, RunParameters, ShowId};

    use super::*;

    /// Checks that a schema describes the fields of what is serialized: their names, their types, and which may be
    /// null.
    fn assert_describes<T: ToSchema>(sample: &impl Serialize) {
        let schema = serde_json::to_value(T::schema()).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let sample = serde_json::to_value(sample).unwrap();
        let fields = sample.as_object().unwrap();
        assert!(fields.keys().eq(properties.keys()), "{:?} {:?}", fields.keys(), properties.keys());
        for (name, value) in fields {
            let property = &properties[name];
            let kind = match value {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(number) if number.is_f64() => "number",
                Value::Number(_) => "integer",
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Object(_) => "object",
            };
            let is_kind = match &property["type"] {
                // A reference to one of the other schemas.
                Value::Null => property["$ref"].is_string() && !value.is_null(),
                Value::Array(kinds) => kinds.contains(&kind.into()),
                only => *only == kind,
            };
            assert!(is_kind, "{name} is {value}, but {property}");
        }
    }

    #[test]
    fn schemas_describe_what_is_serialized() {
        let now = Timestamp::UNIX_EPOCH;
        let status = domain::RunStatus::queued(RunId::random(), RunParameters::default(), "x", now);
        assert_describes::<RunStatus>(&status);
        assert_describes::<TopShow>(&domain::TopShow {
            id: ShowId(1),
            name: "x".into(),
            rating: Some(8.5),
            premiered: None,
        });
        assert_describes::<MultiCharacterActor>(&domain::MultiCharacterActor {
            person_name: "x".into(),
            character_count: 2,
        });
        assert_describes::<CastRow>(&domain::CastRow {
            show_id: ShowId(1),
            show_name: "x".into(),
            person_id: 1,
            person_name: "x".into(),
            person_birthday: None,
            person_deathday: None,
            person_gender: None,
            person_country_name: None,
            character_id: 1,
            character_name: "x".into(),
            image: None,
            processed_at: now,
            plays_self: None,
            voice: Some(true),
            position: 0,
        });
        assert_describes::<RowCounts>(&domain::RowCounts::default());
        assert_describes::<ShowStats>(&domain::ShowStats {
            snapshot: 0,
            published_at: None,
            tables: domain::RowCounts::default(),
            premiere_years: Vec::new(),
            ratings: Vec::new(),
            genres: Vec::new(),
            languages: Vec::new(),
            networks: Vec::new(),
            statuses: Vec::new(),
            types: Vec::new(),
        });
    }

    #[test]
    fn every_sort_order_but_reverse_relevance_is_listed() {
        assert_eq!(sort_orders().len(), 13);
    }
}
