package atomicfile

// syncDir does nothing: Windows has no way to sync a folder, and NTFS journals its names itself.
func syncDir(string) error { return nil }
