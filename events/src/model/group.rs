//! Groups: the four `group_*` fields share one shape.

use super::{Id, MetaError, Timestamp};

object! {
    /// Something that happened to a group (Meta, Groups: webhooks; fields `group_lifecycle_update`,
    /// `group_participants_update`, `group_settings_update` and `group_status_update`).
    pub struct GroupUpdate {
        /// The group.
        group_id: Option<Id>,
        /// What happened.
        kind: Option<GroupEvent> = "type",
        /// When.
        timestamp: Option<Timestamp>,
        /// The request that caused it, where one did.
        request_id: Option<Id>,
        /// A new group's subject.
        subject: Option<String>,
        /// A new group's description.
        description: Option<String>,
        /// A new group's invite link.
        invite_link: Option<String>,
        /// Whether joining a new group needs approval.
        join_approval_mode: Option<String>,
        /// How the participant came, such as `invite_link`.
        reason: Option<String>,
        /// Who removed the participant: `business` or `participant`.
        initiated_by: Option<String>,
        /// The request to join.
        join_request_id: Option<Id>,
        /// The phone number of who asks to join.
        wa_id: Option<Id>,
        /// The business-scoped user id of who asks to join.
        user_id: Option<Id>,
        /// The parent id of who asks to join.
        parent_user_id: Option<Id>,
        /// The username of who asks to join.
        username: Option<String>,
        /// Who came.
        added_participants: Vec<Participant>,
        /// Who left.
        removed_participants: Vec<Participant>,
        /// Who could not be removed.
        failed_participants: Vec<Participant>,
        /// The new subject.
        group_subject: Option<GroupSetting>,
        /// The new description.
        group_description: Option<GroupSetting>,
        /// The new picture.
        profile_picture: Option<GroupSetting>,
        /// Why the request failed.
        errors: Vec<MetaError>,
    }
}

words! {
    /// What happened to a group (Meta, Groups: webhooks, `type`).
    pub enum GroupEvent {
        Create = "group_create",
        Delete = "group_delete",
        ParticipantsAdd = "group_participants_add" | "group_add_participants",
        ParticipantsRemove = "group_participants_remove" | "group_remove_participants",
        JoinRequestCreated = "group_join_request_created",
        JoinRequestRevoked = "group_join_request_revoked",
        SettingsUpdate = "group_settings_update",
        Suspend = "group_suspend",
        SuspendCleared = "group_suspend_cleared",
    }
}

object! {
    /// A participant (Meta, Groups: webhooks, `added_participants` and its siblings).
    pub struct Participant {
        /// The identifier that the request used.
        input: Option<Id>,
        /// The phone number.
        wa_id: Option<Id>,
        /// The business-scoped user id.
        user_id: Option<Id>,
        /// The parent id.
        parent_user_id: Option<Id>,
        /// The username.
        username: Option<String>,
        /// Why it failed for this participant.
        errors: Vec<MetaError>,
    }
}

object! {
    /// A setting of a group that was to change (Meta, Groups: webhooks, `group_settings_update`).
    pub struct GroupSetting {
        /// The new text.
        text: Option<String>,
        /// The media type of the new picture.
        mime_type: Option<String>,
        /// The SHA-256 of the new picture.
        sha256: Option<String>,
        /// Whether it changed.
        update_successful: Option<bool>,
        /// Why it did not.
        errors: Vec<MetaError>,
    }
}
