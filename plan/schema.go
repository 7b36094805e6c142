package plan

import _ "embed"

//go:generate go run ../hack/gen/schema plan schema.json

//go:embed schema.json
var schema []byte

// Schema returns the JSON schema (draft 7) of a plan.
func Schema() []byte { return schema }
