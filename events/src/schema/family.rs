//! The schema of one family's data.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::loose::Loose;
use super::part;
use crate::contract::DATA_SCHEMA;
use crate::known::{QUARANTINE, TEST};
use crate::model::{
    AutomaticEvent, Call, Contact, ConversationContext, GroupUpdate, HistoryMetadata, HistoryThread, Message,
    MetaError, StateSync, Status, UserAction, UserIdUpdate, UserPreference, schema_of,
};
use crate::received::ObjectKind;
use crate::split::catalog::lists;

/// The data of a family's events, as JSON Schema (draft 7, which every tool reads).
///
/// Whatever the family, the data may carry `value`: Meta's value as it came, where it did not have the shape of its field.
pub fn of(family: &str) -> Value {
    let mut settings = SchemaSettings::draft07();
    settings.transforms.push(Box::new(Loose));
    let mut generator = settings.into_generator();
    let mut root = Map::new();
    root.insert("$schema".into(), "http://json-schema.org/draft-07/schema#".into());
    root.insert("$id".into(), format!("{DATA_SCHEMA}/{family}.json").into());
    root.insert(
        "title".into(),
        format!("Data of an event of the family {family}").into(),
    );
    root.insert("type".into(), "object".into());
    let mut properties = context(family, &mut generator);
    let objects = objects(family, &mut generator);
    let one: Vec<Value> = objects.keys().map(|key| json!({ "required": [key] })).collect();
    for (key, shapes) in objects {
        properties.insert(key.to_owned(), either(shapes));
    }
    root.insert("properties".into(), properties.into());
    root.insert("oneOf".into(), one.into());
    let definitions = generator.take_definitions(true);
    let mut definitions: Map<_, _> = definitions.into_iter().collect();
    for definition in definitions.values_mut() {
        loosen(definition);
    }
    root.insert("definitions".into(), definitions.into());
    Value::Object(root)
}

fn loosen(definition: &mut Value) {
    if let Ok(mut schema) = Schema::try_from(definition.take()) {
        schemars::transform::Transform::transform(&mut Loose, &mut schema);
        *definition = schema.to_value();
    }
}

/// What stands beside Meta's object, each only where Meta sent something.
fn context(family: &str, generator: &mut SchemaGenerator) -> Map<String, Value> {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let mut properties = Map::new();
    let mut add = |name: &str, schema: Value| properties.insert(name.to_owned(), schema);
    add("waba_id", text("The WhatsApp Business Account."));
    add(
        "portfolio_id",
        text("The business portfolio that partner fields name in place of the account."),
    );
    add(
        "phone_number_id",
        text("The business phone number's id. Route on it."),
    );
    add(
        "display_phone_number",
        text("The business phone number as it is displayed."),
    );
    add(
        "contact",
        value(part::<Contact>(
            generator,
            "The customer, where Meta described one.",
        )),
    );
    let before = "Meta's summary of what was said before.";
    add(
        "conversation_context",
        value(part::<ConversationContext>(generator, before)),
    );
    add(
        "metadata",
        json!({ "description": "Meta's `metadata`, where it says more than the two numbers." }),
    );
    if family == "history" {
        add(
            "history",
            value(part::<HistoryMetadata>(generator, "The place of the chunk.")),
        );
        add(
            "thread",
            value(part::<HistoryThread>(
                generator,
                "The conversation without its messages.",
            )),
        );
    }
    properties
}

/// The keys under which a family's objects stand, and their shapes.
fn objects(family: &str, generator: &mut SchemaGenerator) -> BTreeMap<&'static str, Vec<Schema>> {
    let mut objects: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let all = [
        ObjectKind::Message,
        ObjectKind::Status,
        ObjectKind::Call,
        ObjectKind::Error,
        ObjectKind::UserAction,
    ];
    // The four families of the field `messages` have one object each.
    let own = lists("messages").iter().find(|list| list.family == Some(family));
    let kinds: Vec<&'static str> = match family {
        TEST | QUARANTINE => all.map(ObjectKind::key).to_vec(),
        _ => own.map_or_else(
            || lists(family).iter().map(|list| list.object).collect(),
            |list| vec![list.object],
        ),
    };
    for key in kinds {
        let shape = match key {
            "message" => shape::<Message>(generator),
            "status" => shape::<Status>(generator),
            "call" => shape::<Call>(generator),
            "error" => shape::<MetaError>(generator),
            "user_action" => shape::<UserAction>(generator),
            _ => continue,
        };
        objects.insert(key, vec![shape]);
    }
    objects.insert(ObjectKind::Value.key(), values(family, generator));
    objects
}

/// What `value` may be: the documented shape, or anything.
fn values(family: &str, generator: &mut SchemaGenerator) -> Vec<Schema> {
    let element = match family {
        "group_lifecycle_update"
        | "group_participants_update"
        | "group_settings_update"
        | "group_status_update" => Some(shape::<GroupUpdate>(generator)),
        "smb_app_state_sync" => Some(shape::<StateSync>(generator)),
        "user_preferences" => Some(shape::<UserPreference>(generator)),
        "user_id_update" => Some(shape::<UserIdUpdate>(generator)),
        "automatic_events" => Some(shape::<AutomaticEvent>(generator)),
        _ if lists(family).is_empty() => schema_of(family, generator),
        _ => None,
    };
    let anything =
        json_schema!({ "description": "As it came, where it has another shape than Meta documents." });
    element.into_iter().chain([anything]).collect()
}

fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

fn value(schema: Schema) -> Value {
    schema.to_value()
}

fn either(mut shapes: Vec<Schema>) -> Value {
    match (shapes.pop(), shapes.is_empty()) {
        (Some(only), true) => value(only),
        (last, _) => json!({ "anyOf": shapes.into_iter().chain(last).map(value).collect::<Vec<_>>() }),
    }
}
