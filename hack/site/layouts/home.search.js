{{- /* What search.js searches. It is a script, not JSON, so that the site also works from a directory. */ -}}
const pages = [
{{- range site.RegularPages }}
{{- $headings := slice }}
{{- range findRE `<h[23][^>]*>.*?</h[23]>` .Content }}{{ $headings = $headings | append (plainify . | htmlUnescape) }}{{ end }}
{{ dict "title" (partial "title.html" .) "url" (strings.TrimPrefix "/" .RelPermalink) "headings" $headings "text" (.Plain | htmlUnescape) | jsonify }},
{{- end }}
]
