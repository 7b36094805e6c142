// Package integration tests flavorkit with real BuildKit, real Debian packages
// and real boots. Its tests share one engine and one ISO, made by whichever
// test needs them first.
package integration
