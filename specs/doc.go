// Package specs is the language of kairos.spec: its types, how a file is loaded with the position
// of every value, how specs extend each other, and what can be checked without knowing any
// distribution.
//
// It is the first of three phases (load, resolve, generate) and imports no BuildKit. The next phase
// is plan.
package specs
