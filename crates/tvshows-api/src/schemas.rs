//! OpenAPI schemas of the domain types in requests and responses.
//!
//! The types themselves do not depend on OpenAPI. A test compares the schemas with what is serialized.

use serde_json::json;
use tvshows_core::{self as domain, Sort};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, Object, ObjectBuilder, RefBuilder, Schema, SchemaFormat, SchemaType,
    Type,
};
use utoipa::{PartialSchema, ToSchema};

/// Names schemas, so that routes can refer to them, each with the schemas that it refers to itself.
macro_rules! schemas {
    ($($name:ident($($part:ident),*) => $schema:expr,)+) => {$(
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::from($schema))
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
    TextCount() => facet_count(nullable(string()), json!({"value": "Drama", "count": 24861})),
    NumberCount() => facet_count(
        nullable(integer(KnownFormat::Int64)),
        json!({"value": 2011, "count": 2310}),
    ),
    SortOrder() => words(&sort_orders()),
    Table() => words(&domain::Table::ALL),
    Format() => words(&tvshows_export::Format::ALL),
}

fn run_status() -> Object {
    Fields::new("The status of a run.")
        .required("request_id", with_format(KnownFormat::Uuid), "The run's id.")
        .refers_to::<RunState>("state", "The run's state.")
        .required("running", boolean(), "Whether a process is working on the run.")
        .refers_to::<Step>("step", "The current step, or the last one that was reached.")
        .required(
            "progress",
            percent(),
            "Percentage of the work that is done. Never decreases; 100 only once published.",
        )
        .nullable("error", string(), "Why the run failed.")
        .required("pages_done", uint32(), "Index pages staged.")
        .nullable("pages_total", uint32(), "Index pages to fetch; `null` until known.")
        .required("shows_seen", uint32(), "Shows staged.")
        .required(
            "singles_done",
            uint32(),
            "Shows refetched individually because their index page was out of date.",
        )
        .nullable(
            "singles_total",
            uint32(),
            "Shows to refetch individually; `null` until all pages are staged.",
        )
        .required("casts_done", uint32(), "Casts staged.")
        .nullable("casts_total", uint32(), "Casts to fetch; `null` until the shows are ranked.")
        .optional("added", uint32(), "Shows added by publishing.")
        .optional("changed", uint32(), "Shows changed by publishing.")
        .optional("deleted", uint32(), "Shows deleted by publishing.")
        .optional("unchanged", uint32(), "Shows left unchanged by publishing.")
        .required("requests", uint64(), "Requests sent to TVmaze, including retries.")
        .required("retries", uint64(), "Requests that repeated a failed one.")
        .required("rate_limited", uint64(), "Responses with status 429.")
        .nullable("started_at", date_time(), "When the run started.")
        .required("updated_at", date_time(), "When the status last changed.")
        .nullable("finished_at", date_time(), "When the run ended.")
        .nullable("eta_seconds", uint64(), "Estimated seconds left.")
        .required("years", uint32(), "The `years` parameter.")
        .required("top", uint32(), "The `top` parameter.")
        .refers_to::<FetchMode>("mode", "The `mode` parameter.")
        .required("instance", string(), "The process that works on the run.")
        .optional(
            "attempt",
            uint32(),
            "How often a process has started work on the run: more than once if it was interrupted.",
        )
        .nullable("position", uint32(), "Number of runs ahead in the queue; `null` unless queued.")
        .required(
            "revision",
            uint64(),
            "Increases by one with every change: the signature, the `ETag` and the event id.",
        )
        .build()
}

fn top_show() -> Object {
    Fields::new("A top show.")
        .required("id", uint32(), "The show's id at TVmaze.")
        .required("name", string(), "The show's name.")
        .nullable(
            "rating",
            number(),
            "The average rating, from 0 to 10 with at most one decimal place.",
        )
        .nullable("premiered", string(), "The premiere date, `YYYY-MM-DD`.")
        .example(
            json!({"id": 82, "name": "Game of Thrones", "rating": 8.9, "premiered": "2011-04-17"}),
        )
        .build()
}

fn multi_character_actor() -> Object {
    Fields::new("A person who plays several characters.")
        .required("person_name", string(), "The person's name.")
        .required(
            "character_count",
            uint32(),
            "The number of distinct characters that the person plays in the top shows.",
        )
        .example(json!({"person_name": "Tatiana Maslany", "character_count": 11}))
        .build()
}

fn cast_row() -> Object {
    Fields::new("A row of `Top_Shows_Cast`: a person in a character.")
        .required("show_id", uint32(), "The show's id at TVmaze.")
        .required("show_name", string(), "The show's name.")
        .required("person_id", uint32(), "The person's id at TVmaze.")
        .required("person_name", string(), "The person's name.")
        .nullable("person_birthday", string(), "The person's date of birth, `YYYY-MM-DD`.")
        .nullable("person_deathday", string(), "The person's date of death, `YYYY-MM-DD`.")
        .nullable("person_gender", string(), "The person's gender.")
        .nullable("person_country_name", string(), "The person's country of birth.")
        .required("character_id", uint32(), "The character's id at TVmaze.")
        .required("character_name", string(), "The character's name.")
        .nullable("image", string(), "The URL of the character's original image.")
        .required("processed_at", date_time(), "When the cast was fetched.")
        .nullable("self", boolean(), "Whether the person appears as themselves; `null` if unknown.")
        .nullable("voice", boolean(), "Whether only the voice is heard; `null` if unknown.")
        .required("position", uint32(), "The row's place in TVmaze's order, from 0.")
        .example(json!({
            "show_id": 82,
            "show_name": "Game of Thrones",
            "person_id": 14072,
            "person_name": "Peter Dinklage",
            "person_birthday": "1969-06-11",
            "person_deathday": null,
            "person_gender": "Male",
            "person_country_name": "United States",
            "character_id": 24551,
            "character_name": "Tyrion Lannister",
            "image": "https://static.tvmaze.com/uploads/images/original_untouched/0/501.jpg",
            "processed_at": "2026-11-22T20:00:15Z",
            "self": false,
            "voice": false,
            "position": 0,
        }))
        .build()
}

fn show_stats() -> Object {
    Fields::new(
        "Counts of the published shows.\n\nThe counts of a list add up to the number of shows, except for `genres` \
         (a show can have several) and `networks` (only the most frequent).",
    )
    .required("snapshot", uint64(), "The version of the published snapshot; 0 before the first.")
    .nullable("published_at", date_time(), "When the snapshot was published.")
    .refers_to::<RowCounts>("tables", "The number of rows of each table.")
    .list_of::<NumberCount>(
        "premiere_years",
        "By premiere year, in order; shows without one are last, as `null`.",
    )
    .list_of::<NumberCount>(
        "ratings",
        "By rating, rounded down (8 counts 8.0 to 8.9), in order; unrated shows are last, as `null`.",
    )
    .list_of::<TextCount>(
        "genres",
        "By genre, most shows first; shows without a genre are counted as `null`.",
    )
    .list_of::<TextCount>("languages", "By language, most shows first.")
    .list_of::<TextCount>(
        "networks",
        "By network, or by web channel if there is no network, most shows first; at most 50.",
    )
    .list_of::<TextCount>("statuses", "By status, most shows first.")
    .list_of::<TextCount>("types", "By type, most shows first.")
    .build()
}

fn row_counts() -> Object {
    Fields::new("The number of rows of each table.")
        .required("all_shows", uint64(), "Rows of `All_Shows`.")
        .required("top_shows", uint64(), "Rows of `Top_Shows`.")
        .required("top_shows_cast", uint64(), "Rows of `Top_Shows_Cast`.")
        .example(json!({"all_shows": 84670, "top_shows": 10, "top_shows_cast": 143}))
        .build()
}

fn facet_count(value: Object, example: serde_json::Value) -> Object {
    Fields::new("The number of shows with a value.")
        .optional("value", value, "The value; `null` for shows without one.")
        .required("count", uint64(), "The number of shows.")
        .example(example)
        .build()
}

/// Every text that is a sort order.
fn sort_orders() -> Vec<Sort> {
    let names = ["id", "name", "rating", "premiered", "updated", "weight", "relevance"];
    let orders = names.iter().flat_map(|name| [(*name).to_owned(), format!("-{name}")]);
    // There is no `-relevance`.
    orders.filter_map(|order| order.parse().ok()).collect()
}

/// Builds the schema of an object, field by field.
struct Fields(ObjectBuilder);

impl Fields {
    fn new(description: &str) -> Fields {
        Fields(ObjectBuilder::new().schema_type(Type::Object).description(Some(description)))
    }

    fn required(self, name: &str, schema: Object, description: &str) -> Fields {
        let Fields(object) = self.optional(name, schema, description);
        Fields(object.required(name))
    }

    fn optional(self, name: &str, mut schema: Object, description: &str) -> Fields {
        schema.description = Some(description.to_owned());
        Fields(self.0.property(name, schema))
    }

    fn nullable(self, name: &str, schema: Object, description: &str) -> Fields {
        self.optional(name, nullable(schema), description)
    }

    fn refers_to<T: ToSchema>(self, name: &str, description: &str) -> Fields {
        let reference = RefBuilder::new()
            .ref_location_from_schema_name(T::name())
            .description(Some(description))
            .build();
        Fields(self.0.property(name, reference).required(name))
    }

    fn list_of<T: ToSchema>(self, name: &str, description: &str) -> Fields {
        let item = RefBuilder::new().ref_location_from_schema_name(T::name()).build();
        let list = ArrayBuilder::new().items(item).description(Some(description));
        Fields(self.0.property(name, list).required(name))
    }

    fn example(self, example: serde_json::Value) -> Fields {
        Fields(self.0.examples([example]))
    }

    fn build(self) -> Object {
        self.0.build()
    }
}

fn words<T: ToString>(words: &[T]) -> Object {
    let words = words.iter().map(T::to_string);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

fn boolean() -> Object {
    Object::with_type(Type::Boolean)
}

fn string() -> Object {
    Object::with_type(Type::String)
}

fn with_format(format: KnownFormat) -> Object {
    let format = SchemaFormat::KnownFormat(format);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build()
}

fn date_time() -> Object {
    with_format(KnownFormat::DateTime)
}

fn number() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::Double);
    ObjectBuilder::new().schema_type(Type::Number).format(Some(format)).build()
}

fn integer(format: KnownFormat) -> Object {
    let format = SchemaFormat::KnownFormat(format);
    ObjectBuilder::new().schema_type(Type::Integer).format(Some(format)).build()
}

fn uint32() -> Object {
    unsigned(KnownFormat::Int32)
}

fn uint64() -> Object {
    unsigned(KnownFormat::Int64)
}

fn unsigned(format: KnownFormat) -> Object {
    let mut schema = integer(format);
    schema.minimum = Some(0_u32.into());
    schema
}

fn percent() -> Object {
    let mut schema = uint32();
    schema.maximum = Some(100_u32.into());
    schema
}

fn nullable(mut schema: Object) -> Object {
    if let SchemaType::Type(of_value) = schema.schema_type {
        schema.schema_type = SchemaType::from_iter([of_value, Type::Null]);
    }
    schema
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde::Serialize;
    use serde_json::Value;
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
