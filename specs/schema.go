package specs

import _ "embed"

//go:generate go run ../hack/gen/schema spec schema.json

//go:embed schema.json
var schema []byte

// Schema is the JSON schema (draft 7) of a spec, for editors.
func Schema() []byte { return schema }
