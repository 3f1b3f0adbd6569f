{{/*
What `helm test` posts to: `given` is a webhook of the user's, `own` one that exists for the test. Empty when neither is possible.
*/}}
{{- define "wahook.test.mode" -}}
{{- $watched := or (not .Values.watchNamespaces) (has .Release.Namespace .Values.watchNamespaces) -}}
{{- if not .Values.test.enabled -}}
{{- else if .Values.test.webhook.name -}}
given
{{- else if and .Values.nats.enabled .Values.nats.auth.password (not .Values.defaults.nats.servers) $watched -}}
own
{{- end -}}
{{- end -}}

{{/* The webhook's name. */}}
{{- define "wahook.test.name" -}}
{{- default (printf "%s-test" (include "wahook.fullname" . | trunc 35 | trimSuffix "-")) .Values.test.webhook.name -}}
{{- end -}}

{{/* The webhook's namespace. */}}
{{- define "wahook.test.namespace" -}}
{{- default .Release.Namespace .Values.test.webhook.namespace -}}
{{- end -}}

{{/* When an object of the test exists: from `helm test` on, until it succeeded. Called with the order in which it is made. */}}
{{- define "wahook.test.hook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
