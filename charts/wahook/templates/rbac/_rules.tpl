{{/*
What the operator may do in the namespaces it looks after. No wildcard, no right on Secrets but to read one by its name and to make
one, and nothing that no code uses.
*/}}
{{- define "wahook.rules" -}}
- apiGroups: [wahook.dev]
  resources: [whatsappwebhooks]
  verbs: [get, list, watch]
- apiGroups: [wahook.dev]
  resources: [whatsappwebhooks/status]
  verbs: [patch]
# An owner reference that blocks its owner's deletion needs it where the cluster checks that (OpenShift does).
- apiGroups: [wahook.dev]
  resources: [whatsappwebhooks/finalizers]
  verbs: [update]
# What every webhook has is never removed by the operator: it goes with its owner.
- apiGroups: [""]
  resources: [serviceaccounts, configmaps, services]
  verbs: [get, list, watch, create, patch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies, ingresses]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [cert-manager.io]
  resources: [certificates]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors, prometheusrules]
  verbs: [get, list, watch, create, patch, delete]
# Where the receivers are, to ask them what they have seen.
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if eq .Values.secretAccess "by-name" }}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create]
{{- end }}
{{- end -}}
