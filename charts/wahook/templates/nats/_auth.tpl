{{/*
The password of one of the four users: made from `nats.auth.password`, so that rendering twice gives the same, and one way, so
that who has one of them has no other. Called with a dict of `root` and `user`.
*/}}
{{- define "wahook.nats.password" -}}
{{- printf "%s/%s" .user .root.Values.nats.auth.password | sha256sum -}}
{{- end -}}

{{/* Fails unless there is exactly one source of logins. */}}
{{- define "wahook.nats.checkAuth" -}}
{{- $auth := .Values.nats.auth -}}
{{- if and (not $auth.password) (not $auth.existingSecret) -}}
{{- fail "nats.enabled needs nats.auth.password, for example --set nats.auth.password=$(openssl rand -hex 24), or nats.auth.existingSecret" -}}
{{- end -}}
{{- if and $auth.password $auth.existingSecret -}}
{{- fail "nats.auth.password and nats.auth.existingSecret exclude each other: keep one" -}}
{{- end -}}
{{- if and $auth.existingSecret $auth.namespaces -}}
{{- fail "nats.auth.namespaces is only for nats.auth.password: with nats.auth.existingSecret the receivers' Secrets are yours to make" -}}
{{- end -}}
{{- end -}}

{{/* The Secret with the users. */}}
{{- define "wahook.nats.authSecret" -}}
{{- default (printf "%s-auth" (include "wahook.nats.fullname" .)) .Values.nats.auth.existingSecret -}}
{{- end -}}

{{/* The server's configuration. */}}
{{- define "wahook.nats.config" -}}
server_name: {{ include "wahook.nats.fullname" . }}
listen: "0.0.0.0:4222"
# For probes; the network policy lets no pod reach it.
http: "0.0.0.0:8222"
max_payload: {{ int .Values.nats.maxPayload }}
jetstream {
  store_dir: /data
  max_file_store: {{ .Values.nats.jetstream.maxFileStore }}
  # An acknowledgement is given when the event is on disk.
  sync_interval: {{ .Values.nats.jetstream.syncInterval | quote }}
}
authorization {
  include auth.conf
}
{{- end -}}

{{/*
The users. Every name of a stream, bucket or inbox is a whole token of a subject, in which NATS has no patterns for a part: the
receivers share one login and could read each other's. Who needs more uses an account for each tenant.
*/}}
{{- define "wahook.nats.users" -}}
{{- $prefix := .Values.defaults.subjectPrefix -}}
users: [
  # Makes streams and buckets, lets them grow, looks at them. It can neither read an event nor delete anything.
  {
    user: operator
    password: {{ include "wahook.nats.password" (dict "root" . "user" "operator") | quote }}
    permissions {
      publish: [
        "$JS.API.STREAM.INFO.*"
        "$JS.API.STREAM.CREATE.*"
        "$JS.API.STREAM.UPDATE.*"
      ]
      subscribe: ["_INBOX_wahook-operator.>"]
    }
  }
  # Publish events, also large ones, and look at the stream.
  {
    user: receivers
    password: {{ include "wahook.nats.password" (dict "root" . "user" "receivers") | quote }}
    permissions {
      publish: [
        "{{ $prefix }}.>"
        "$JS.API.STREAM.INFO.*"
        "$JS.API.DIRECT.GET.*.>"
        "$O.*.>"
      ]
      # Each receiver has an inbox prefix of its own.
      subscribe {
        allow: [">"]
        deny: ["{{ $prefix }}.>", "_INBOX.>", "_INBOX_wahook-operator.>", "$JS.>", "$O.>", "$KV.>", "$SYS.>"]
      }
    }
  }
  # Read events with consumers of their own.
  {
    user: consumers
    password: {{ include "wahook.nats.password" (dict "root" . "user" "consumers") | quote }}
    permissions {
      publish: [
        "$JS.API.INFO"
        "$JS.API.STREAM.NAMES"
        "$JS.API.STREAM.LIST"
        "$JS.API.STREAM.INFO.*"
        "$JS.API.STREAM.MSG.GET.*"
        "$JS.API.DIRECT.GET.>"
        "$JS.API.CONSUMER.>"
        "$JS.ACK.>"
        "$JS.FC.>"
      ]
      subscribe: ["_INBOX.>", "{{ $prefix }}.>"]
    }
  }
  # Read events, and keep a bucket and a stream with what was done: a bot, which must not answer twice. It can make streams, and
  # neither change nor delete one; and it can publish no event.
  {
    user: bots
    password: {{ include "wahook.nats.password" (dict "root" . "user" "bots") | quote }}
    permissions {
      publish: [
        "$JS.API.INFO"
        "$JS.API.STREAM.NAMES"
        "$JS.API.STREAM.LIST"
        "$JS.API.STREAM.INFO.*"
        "$JS.API.STREAM.CREATE.*"
        "$JS.API.STREAM.MSG.GET.*"
        "$JS.API.DIRECT.GET.>"
        "$JS.API.CONSUMER.>"
        "$JS.ACK.>"
        "$JS.FC.>"
        "$KV.>"
      ]
      subscribe: ["_INBOX.>", "{{ $prefix }}.>"]
    }
  }
]
{{- end -}}
