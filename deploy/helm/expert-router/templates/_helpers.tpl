{{- define "expert-router.name" -}}
{{- if contains "expert-router" .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-expert-router" .Release.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "expert-router.selector" -}}
app.kubernetes.io/name: expert-router
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "expert-router.labels" -}}
{{ include "expert-router.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "expert-router.keySecret" -}}
{{- .Values.key.existingSecret | default (printf "%s-key" (include "expert-router.name" .)) }}
{{- end }}

{{- /* Whether the config gets the hash of the Secret's key: it lists none of its own, or the Secret is named. */}}
{{- define "expert-router.ownKey" -}}
{{- if or .Values.key.existingSecret (not (or .Values.config.keys .Values.existingConfig)) }}yes{{ end }}
{{- end }}

{{- define "expert-router.scales" -}}
{{- range .Values.experts }}{{ if .scale }}yes{{ end }}{{ end }}
{{- end }}

{{- /* Namespaces whose EndpointSlices are watched, as JSON. */}}
{{- define "expert-router.watched" -}}
{{- $found := .Values.discovery.namespaces }}
{{- range .Values.config.experts }}
{{- $kubernetes := dig "discover" "kubernetes" dict . }}
{{- if $kubernetes }}{{ $found = append $found ($kubernetes.namespace | default $.Release.Namespace) }}{{ end }}
{{- end }}
{{- $found | uniq | sortAlpha | toJson }}
{{- end }}

{{- /* Namespaces whose InferencePools and pods are watched, as JSON. */}}
{{- define "expert-router.pools" -}}
{{- $found := list }}
{{- range .Values.config.experts }}
{{- $kubernetes := dig "discover" "kubernetes" dict . }}
{{- if $kubernetes.pool }}{{ $found = append $found ($kubernetes.namespace | default $.Release.Namespace) }}{{ end }}
{{- end }}
{{- $found | uniq | toJson }}
{{- end }}

{{- /* The volume with the router model; nothing where there is none. */}}
{{- define "expert-router.modelVolume" -}}
{{- with .Values.routerModel }}
{{- if gt (len (compact (list .configMap .persistentVolumeClaim .image))) 1 }}
{{- fail "routerModel: name one of configMap, persistentVolumeClaim and image." }}
{{- end }}
{{- if .configMap }}
name: model
configMap: { name: {{ .configMap | quote }} }
{{- else if .persistentVolumeClaim }}
name: model
persistentVolumeClaim: { claimName: {{ .persistentVolumeClaim | quote }}, readOnly: true }
{{- else if .image }}
name: model
image: { reference: {{ .image | quote }}, pullPolicy: IfNotPresent }
{{- end }}
{{- end }}
{{- end }}

{{- /* The name of an expert's objects: ids may have characters that names may not. */}}
{{- define "expert-router.objectName" -}}
{{- regexReplaceAll "[^a-z0-9-]+" (lower .) "-" | trimAll "-" | trunc 50 | trimSuffix "-" }}
{{- end }}
