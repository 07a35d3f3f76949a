{{- /* Values that contradict each other, each with a sentence that says what to do. */ -}}
{{- define "arc.validate" -}}
{{- $storage := .Values.storage -}}
{{- if eq $storage.backend "postgresql" -}}
{{- if not $storage.postgresql.host -}}
{{- fail "storage.backend is postgresql, but storage.postgresql.host is empty: name the host of the database." -}}
{{- end -}}
{{- if not $storage.postgresql.passwordSecretName -}}
{{- fail "storage.backend is postgresql, but storage.postgresql.passwordSecretName is empty: name the Secret with the password." -}}
{{- end -}}
{{- if $storage.etcd.endpoints -}}
{{- fail "storage.backend is postgresql, but storage.etcd.endpoints names an etcd: choose one of them." -}}
{{- end -}}
{{- else -}}
{{- if $storage.postgresql.host -}}
{{- fail "storage.backend is etcd, but storage.postgresql.host names a database: set storage.backend to postgresql, or leave the host empty." -}}
{{- end -}}
{{- if and $storage.etcd.deploy $storage.etcd.endpoints -}}
{{- fail "storage.etcd.deploy is true and storage.etcd.endpoints names another etcd: set deploy to false to use that, or leave endpoints empty." -}}
{{- end -}}
{{- if and $storage.etcd.deploy $storage.etcd.tlsSecretName -}}
{{- fail "storage.etcd.deploy is true, and the dedicated etcd gets certificates of its own: leave storage.etcd.tlsSecretName empty." -}}
{{- end -}}
{{- if not (or $storage.etcd.deploy $storage.etcd.endpoints) -}}
{{- fail "storage.backend is etcd, but there is none: set storage.etcd.deploy to true, or name one in storage.etcd.endpoints." -}}
{{- end -}}
{{- $plain := 0 -}}
{{- range $storage.etcd.endpoints }}{{ if hasPrefix "http://" . }}{{ $plain = add1 $plain }}{{ end }}{{ end -}}
{{- if and $plain (lt (int $plain) (len $storage.etcd.endpoints)) -}}
{{- fail "storage.etcd.endpoints mixes http:// and https://: use one of them for all members." -}}
{{- end -}}
{{- if and $plain $storage.etcd.tlsSecretName -}}
{{- fail "storage.etcd.endpoints are http://, but storage.etcd.tlsSecretName names certificates: write https://, or leave the name empty." -}}
{{- end -}}
{{- end -}}
{{- $scaling := .Values.apiserver.autoscaling -}}
{{- if and $scaling.enabled (lt (int $scaling.maxReplicas) (int .Values.apiserver.replicaCount)) -}}
{{- fail "apiserver.autoscaling.maxReplicas is less than apiserver.replicaCount, the least there are: raise it, or lower that." -}}
{{- end -}}
{{- if and $scaling.enabled (lt (int .Values.apiserver.replicaCount) 1) -}}
{{- fail "apiserver.autoscaling starts from apiserver.replicaCount, which is 0: say 1 or more, or turn it off." -}}
{{- end -}}
{{- if and $scaling.enabled (not (dig "requests" "cpu" "" .Values.apiserver.resources)) -}}
{{- fail "apiserver.autoscaling goes by the CPU that is requested, but apiserver.resources.requests.cpu is empty: say how much, or turn it off." -}}
{{- end -}}
{{- if and (hasKey .Values.commonLabels "app.kubernetes.io/component") -}}
{{- fail "commonLabels sets app.kubernetes.io/component, by which the pods of the parts are told apart: leave it out." -}}
{{- end -}}
{{- end }}
