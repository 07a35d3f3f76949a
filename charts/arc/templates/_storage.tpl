{{- define "arc.deploysEtcd" -}}
{{- if and (eq .Values.storage.backend "etcd") .Values.storage.etcd.deploy }}true{{ end -}}
{{- end }}

{{- /* The Secret with the client certificate for etcd, or nothing. */ -}}
{{- define "arc.etcdSecret" -}}
{{- if include "arc.deploysEtcd" . }}arc-etcd-tls{{ else if eq .Values.storage.backend "etcd" }}{{ .Values.storage.etcd.tlsSecretName }}{{ end -}}
{{- end }}

{{- /* The URL of --storage. Passwords and keys are files. */ -}}
{{- define "arc.storageURL" -}}
{{- if eq .Values.storage.backend "postgresql" -}}
{{- with .Values.storage.postgresql -}}
postgres://{{ .user | urlquery | replace "+" "%20" }}@{{ .host }}:{{ .port }}/{{ .database | urlquery | replace "+" "%20" }}?sslmode={{ .sslMode }}&passwordfile=/run/secrets/storage/{{ .passwordSecretKey }}
{{- end -}}
{{- else -}}
{{- $hosts := list -}}
{{- if include "arc.deploysEtcd" . -}}
{{- $hosts = list (printf "arc-etcd.%s.svc:2379" .Release.Namespace) -}}
{{- else -}}
{{- range .Values.storage.etcd.endpoints }}{{ $hosts = append $hosts (. | trimPrefix "https://" | trimPrefix "http://") }}{{ end -}}
{{- end -}}
etcd://{{ join "," $hosts }}
{{- if include "arc.etcdSecret" . -}}
?cafile=/run/secrets/storage/ca.crt&certfile=/run/secrets/storage/tls.crt&keyfile=/run/secrets/storage/tls.key
{{- else if hasPrefix "https://" (first .Values.storage.etcd.endpoints) -}}
?tls=true
{{- end -}}
{{- end -}}
{{- end }}

{{- define "arc.storageSecret" -}}
{{- if eq .Values.storage.backend "postgresql" }}{{ .Values.storage.postgresql.passwordSecretName }}{{ else }}{{ include "arc.etcdSecret" . }}{{ end -}}
{{- end }}
