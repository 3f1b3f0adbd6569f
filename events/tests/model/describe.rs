//! A change in a few words, so that a table can say what a sample holds.

use wahook_events::model::{Change, FieldValue, Message, MessageContent};

/// The name of an enum's item, from its `Debug` form.
fn item(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}

/// A message as `<type>=<content>`, down to the kind of an interactive answer.
fn describe_message(message: &Message) -> String {
    let kind = message.kind.as_deref().unwrap_or("-");
    match &message.content {
        MessageContent::Interactive(interactive) => {
            format!("{kind}=Interactive.{}", item(&interactive.reply))
        }
        content => format!("{kind}={}", item(content)),
    }
}

/// What a change holds, in the order of [`ChangeValue`]'s members.
pub(crate) fn describe(change: &Change) -> Vec<String> {
    let value = match change.typed() {
        FieldValue::PhoneNumber(value) => value,
        other => return vec![item(&other)],
    };
    let standby = value.standby.iter();
    let messages = value
        .messages
        .iter()
        .map(|m| format!("message {}", describe_message(m)));
    let statuses = value
        .statuses
        .iter()
        .map(|s| format!("status {}", item(&s.status)));
    let errors = value.errors.iter().map(|e| format!("error {}", e.code.unwrap()));
    let actions = value
        .user_actions
        .iter()
        .map(|a| format!("action {}", item(a.action_type.as_ref().unwrap())));
    let echoes = value
        .message_echoes
        .iter()
        .map(|m| format!("echo {}", describe_message(m)));
    let calls = value
        .calls
        .iter()
        .map(|c| format!("call {}", item(c.event.as_ref().unwrap())));
    let history = value.history.iter().flat_map(|chunk| {
        let errors = chunk
            .errors
            .iter()
            .map(|e| format!("history error {}", e.code.unwrap()));
        let messages = chunk.threads.iter().flat_map(|thread| &thread.messages);
        errors.chain(messages.map(|m| format!("history {}", describe_message(m))))
    });
    let sync = value
        .state_sync
        .iter()
        .map(|s| format!("sync {}", item(s.action.as_ref().unwrap())));
    let groups = value
        .groups
        .iter()
        .map(|g| format!("group {}", item(g.kind.as_ref().unwrap())));
    let standby = standby.flat_map(|standby| {
        let messages = standby
            .messages
            .iter()
            .map(|m| format!("standby {}", describe_message(m)));
        let echoes = standby
            .message_echoes
            .iter()
            .map(|m| format!("standby echo {}", describe_message(m)));
        messages.chain(echoes).chain(
            standby
                .statuses
                .iter()
                .map(|s| format!("standby {}", item(&s.status))),
        )
    });
    let preferences = value
        .user_preferences
        .iter()
        .map(|p| format!("preference {}", item(p.value.as_ref().unwrap())));
    let ids = value
        .user_id_update
        .iter()
        .map(|u| format!("id {}", u.user_id.is_some()));
    let events = value
        .automatic_events
        .iter()
        .map(|e| format!("detected {}", item(e.event_name.as_ref().unwrap())));
    messages
        .chain(statuses)
        .chain(errors)
        .chain(actions)
        .chain(echoes)
        .chain(calls)
        .chain(history)
        .chain(sync)
        .chain(groups)
        .chain(standby)
        .chain(preferences)
        .chain(ids)
        .chain(events)
        .collect()
}
