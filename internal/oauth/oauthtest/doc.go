// Package oauthtest owns what proves a provider: Run, the conformance suite that every provider's tests call, and
// Fake, a scriptable provider for the tests of the rooms above the contract.
//
// Run puts a scripted server in the provider's place, behind a real outbound.Client, and lets it misbehave in every
// way that an answer can. Attempts, states and cookies are connect's, and so are their tests. This package is for
// tests alone; the program does not import it.
package oauthtest
