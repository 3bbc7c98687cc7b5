{{/* The labels of every object, and the selector of the pods. */}}
{{- define "tandem.labels" -}}
app.kubernetes.io/component: worker
app.kubernetes.io/name: tandem
tandem/pipeline: {{ .Values.pipeline }}
{{- end }}

{{/* The ConfigMap's name contains a hash of its values, so that a change of them starts a rolling update, as in kustomize. */}}
{{- define "tandem.values" -}}
stage-{{ .Values.pipeline }}-{{ .Values.stage | toJson | sha256sum | trunc 10 }}
{{- end }}
