//! Calls: their events. Their statuses are a [`super::Status`] of type `call`.

use super::{Id, Media, MetaError, Timestamp};

object! {
    /// An event of a call (Meta, Calling: reference, webhooks).
    pub struct Call {
        /// The call (`wacid.…`).
        id: Id,
        /// What happened.
        event: Option<CallEvent>,
        /// When.
        timestamp: Option<Timestamp>,
        /// Who called whom.
        direction: Option<CallDirection>,
        /// The caller's number.
        from: Option<Id>,
        /// The caller's business-scoped user id.
        from_user_id: Option<Id>,
        /// The caller's parent id.
        from_parent_user_id: Option<Id>,
        /// The called number.
        to: Option<Id>,
        /// The called customer's business-scoped user id.
        to_user_id: Option<Id>,
        /// The called customer's parent id.
        to_parent_user_id: Option<Id>,
        /// What the media session needs; with `connect`.
        session: Option<CallSession>,
        /// How it ended; with `terminate`.
        status: Option<CallOutcome>,
        /// When it was taken; with `terminate`.
        start_time: Option<Timestamp>,
        /// When it ended; with `terminate`.
        end_time: Option<Timestamp>,
        /// How long it lasted, in seconds; with `terminate`.
        duration: Option<i64>,
        /// What the business attached when it placed or took the call.
        biz_opaque_callback_data: Option<String>,
        /// What the deep link carried by which the customer called.
        deeplink_payload: Option<String>,
        /// What the button carried by which the customer called.
        cta_payload: Option<String>,
        /// The recording; with `call_recording_available`.
        call_recording: Option<CallRecording>,
        /// The transcript; with `call_transcription_available`.
        call_transcript: Option<CallTranscript>,
        /// Why it failed.
        errors: Vec<MetaError>,
    }
}

words! {
    /// What happened to a call (Meta, Calling: reference, call recording, call transcription).
    pub enum CallEvent {
        /// It can be connected: `session` holds an offer or an answer.
        Connect = "connect",
        /// It is over.
        Terminate = "terminate",
        /// It was placed over SIP.
        Created = "call_created",
        /// Its recording can be fetched.
        RecordingAvailable = "call_recording_available",
        /// Its transcript can be fetched.
        TranscriptionAvailable = "call_transcription_available",
    }
}

words! {
    /// Who called whom (Meta, Calling: reference, `direction`).
    pub enum CallDirection {
        BusinessInitiated = "BUSINESS_INITIATED",
        UserInitiated = "USER_INITIATED",
    }
}

words! {
    /// How a call ended (Meta, Calling: reference, `status` of `terminate`).
    pub enum CallOutcome {
        Completed = "COMPLETED",
        Failed = "FAILED",
    }
}

object! {
    /// The media session of a call (Meta, Calling: reference, `session`).
    pub struct CallSession {
        /// `offer` or `answer`.
        sdp_type: Option<String>,
        /// The session description of RFC 8866.
        sdp: Option<String>,
    }
}

object! {
    /// A recording (Meta, Calling: call recording).
    pub struct CallRecording {
        /// `audio`.
        kind: Option<String> = "type",
        /// The sound; its id is valid for seven days.
        audio: Option<Media>,
    }
}

object! {
    /// A transcript (Meta, Calling: call transcription).
    pub struct CallTranscript {
        /// The document, as JSON.
        document: Option<Media>,
    }
}
