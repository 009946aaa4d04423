//go:build !linux

package cpu

// giveWay does nothing where the Go runtime offers no way to.
func giveWay() {}
