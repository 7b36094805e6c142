// Package integration tests flavorkit with real BuildKit, real Debian packages and real boots. The
// tests share one engine and one ISO, which the first test that needs them makes.
package integration
