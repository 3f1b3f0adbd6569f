{{/* What the objects' names begin with. */}}
{{- define "wahook.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "wahook.operator.fullname" -}}
{{ include "wahook.fullname" . }}-operator
{{- end -}}

{{- define "wahook.nats.fullname" -}}
{{ include "wahook.fullname" . }}-nats
{{- end -}}

{{- define "wahook.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "wahook.operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The labels that never change: what pods are selected by. Called with a dict of `root` and `component`. */}}
{{- define "wahook.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/*
All labels of an object. Called with a dict of `root`, `component` and perhaps `own`. A key that comes from several places stands
once: the chart's own wins, then the object's.
*/}}
{{- define "wahook.labels" -}}
{{- $version := .root.Chart.AppVersion -}}
{{- if eq .component "nats" }}{{ $version = .root.Values.nats.image.tag }}{{ end -}}
{{- $chart := dict
  "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/part-of" "wahook"
  "app.kubernetes.io/version" $version
  "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $selector := include "wahook.selector" . | fromYaml -}}
{{- merge (dict) $chart $selector (default (dict) .own) .root.Values.commonLabels | toYaml -}}
{{- end -}}

{{/* The annotations of an object, with the line that begins them. Called with a dict of `root` and perhaps `own`. */}}
{{- define "wahook.annotations" -}}
{{- $all := merge (dict) (default (dict) .own) .root.Values.commonAnnotations -}}
{{- if $all -}}
annotations:
  {{- toYaml $all | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* An image's full name. Called with a dict of `root` and `image`. */}}
{{- define "wahook.image" -}}
{{- $registry := default .image.registry .root.Values.global.imageRegistry -}}
{{- with $registry }}{{ . | trimSuffix "/" }}/{{ end -}}
{{- .image.repository -}}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ default .root.Chart.AppVersion .image.tag }}{{ end -}}
{{- end -}}

{{/* The pull secrets of a pod, with the line that begins them. Called with a dict of `root` and `image`. */}}
{{- define "wahook.pullSecrets" -}}
{{- with concat .root.Values.global.imagePullSecrets .image.pullSecrets | uniq -}}
imagePullSecrets:
{{- range . }}
  - name: {{ . | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* What every container of this chart may do. */}}
{{- define "wahook.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What every pod of this chart may do. The user is the image's own, or the one that OpenShift chooses. */}}
{{- define "wahook.podSecurity" -}}
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* The servers that webhooks use which name none, as a list in JSON. */}}
{{- define "wahook.natsServers" -}}
{{- if .Values.defaults.nats.servers -}}
{{- toJson .Values.defaults.nats.servers -}}
{{- else if .Values.nats.enabled -}}
{{- list (printf "nats://%s.%s.svc:4222" (include "wahook.nats.fullname" .) .Release.Namespace) | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end -}}

{{/* The Secret with the operator's own login; empty when there is none. */}}
{{- define "wahook.natsLogin" -}}
{{- if .Values.defaults.nats.credentialsSecret -}}
{{- .Values.defaults.nats.credentialsSecret -}}
{{- else if and .Values.nats.enabled (not .Values.defaults.nats.servers) -}}
{{- default (printf "%s-operator" (include "wahook.nats.fullname" .)) .Values.nats.auth.existingSecret -}}
{{- end -}}
{{- end -}}

{{/* The namespaces whose resources are looked after, as a list in JSON; empty for all. */}}
{{- define "wahook.namespaces" -}}
{{- .Values.watchNamespaces | uniq | sortAlpha | toJson -}}
{{- end -}}
