{{- define "arc.labels" -}}
app.kubernetes.io/part-of: arc
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* metadata of an object; takes (list root name component) */ -}}
{{- define "arc.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "arc.labels" $root | nindent 2 }}
  app.kubernetes.io/component: {{ index . 2 }}
{{- with $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* what Deployments and Services choose pods by; takes (list root component) */ -}}
{{- define "arc.selector" -}}
app.kubernetes.io/part-of: arc
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- /* takes (list root name) */ -}}
{{- define "arc.image" -}}
{{- $root := index . 0 -}}
{{ $root.Values.image.registry }}/{{ index . 1 }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}
{{- end }}

{{- define "arc.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "arc.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* what pods are placed by; takes (list root values component) */ -}}
{{- define "arc.placement" -}}
{{- $root := index . 0 -}}
{{- $values := index . 1 -}}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $values.affinity }}
affinity:
  {{- toYaml $values.affinity | nindent 2 }}
{{- else }}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "arc.selector" (list $root (index . 2)) | nindent 14 }}
{{- end }}
{{- end }}

{{- /* cert-manager or self-signed */ -}}
{{- define "arc.certificates" -}}
{{- if eq .Values.certificates.source "auto" -}}
{{ ternary "cert-manager" "self-signed" (.Capabilities.APIVersions.Has "cert-manager.io/v1") }}
{{- else -}}
{{ .Values.certificates.source }}
{{- end -}}
{{- end }}
